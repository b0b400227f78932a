#include "server/grpc/grpc_log.h"

#include <cstring>
#include <mutex>
#include <string>

#include <grpc/support/log.h>
#include <spdlog/spdlog.h>

namespace otlp_arrow {
namespace {

// Most of what gRPC calls an error is some client's doing; of handshakes it tells each one that fails.
spdlog::level::level_enum LevelOf(const gpr_log_func_args& line) {
  const bool is_handshake = std::strstr(line.message, "andshake") != nullptr;
  return line.severity == GPR_LOG_SEVERITY_ERROR && !is_handshake ? spdlog::level::warn : spdlog::level::debug;
}

// Some messages quote what a client has sent, whatever bytes these were.
void Log(gpr_log_func_args* line) {
  std::string text = line->message;
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  spdlog::log(LevelOf(*line), "gRPC: {}", text);
}

}  // namespace

void RouteGrpcLog() {
  static std::once_flag once;
  std::call_once(once, [] { gpr_set_log_function(&Log); });
}

}  // namespace otlp_arrow
