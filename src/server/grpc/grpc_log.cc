#include "server/grpc/grpc_log.h"

#include <mutex>

#include <grpc/support/log.h>
#include <spdlog/spdlog.h>

namespace otlp_arrow {
namespace {

// Most of what gRPC calls an error is some client's doing.
spdlog::level::level_enum LevelOf(gpr_log_severity severity) {
  return severity == GPR_LOG_SEVERITY_ERROR ? spdlog::level::warn : spdlog::level::debug;
}

void Log(gpr_log_func_args* args) { spdlog::log(LevelOf(args->severity), "gRPC: {}", args->message); }

}  // namespace

void RouteGrpcLog() {
  static std::once_flag once;
  std::call_once(once, [] { gpr_set_log_function(&Log); });
}

}  // namespace otlp_arrow
