#include "server/grpc/grpc_log.h"

#include <cstring>
#include <mutex>

#include <grpc/support/log.h>
#include <spdlog/spdlog.h>

namespace otlp_arrow {
namespace {

// Most of what gRPC calls an error is some client's doing; of handshakes it tells each one that fails.
spdlog::level::level_enum LevelOf(const gpr_log_func_args& line) {
  const bool is_handshake = std::strstr(line.message, "andshake") != nullptr;
  return line.severity == GPR_LOG_SEVERITY_ERROR && !is_handshake ? spdlog::level::warn : spdlog::level::debug;
}

void Log(gpr_log_func_args* line) { spdlog::log(LevelOf(*line), "gRPC: {}", line->message); }

}  // namespace

void RouteGrpcLog() {
  static std::once_flag once;
  std::call_once(once, [] { gpr_set_log_function(&Log); });
}

}  // namespace otlp_arrow
