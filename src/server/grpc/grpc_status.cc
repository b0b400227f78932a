#include "server/grpc/grpc_status.h"

#include "server/common/otlp_response.h"

namespace otlp_arrow {
namespace {

constexpr size_t kMaxMessage = 1024;  // senders cap metadata at 8 kB, and the message travels twice

grpc::Status MakeStatus(RpcCode code, std::string message, std::chrono::milliseconds retry_delay = {}) {
  if (message.size() > kMaxMessage) message.resize(kMaxMessage);
  std::string details;
  if (retry_delay.count() > 0) details = EncodeRpcStatus(code, message, retry_delay);
  return {static_cast<grpc::StatusCode>(code), std::move(message), std::move(details)};
}

}  // namespace

grpc::Status ToGrpcStatus(const AcceptResult& result) {
  if (result.status.ok()) return grpc::Status::OK;
  return MakeStatus(CodeOf(result), result.status.message(), RetryDelayOf(result));
}

grpc::Status UnauthenticatedStatus(const std::string& hint) { return MakeStatus(RpcCode::kUnauthenticated, hint); }

grpc::Status MalformedStatus(const std::string& message) { return MakeStatus(RpcCode::kInvalidArgument, message); }

grpc::Status TooLargeStatus(const std::string& what, uint64_t limit) {
  return MakeStatus(RpcCode::kResourceExhausted, what + " the limit of " + std::to_string(limit) +
                                                     " bytes: send smaller batches, or raise grpc.max_message_bytes");
}

grpc::Status NoMemoryStatus() {
  AcceptResult result;
  result.status = Status::BufferFull("no memory for this request at the moment");
  return ToGrpcStatus(result);
}

grpc::Status ShuttingDownStatus() {
  AcceptResult result;
  result.status = Status::Shutdown("the server is shutting down");
  return ToGrpcStatus(result);
}

grpc::Status UnknownMethodStatus(const std::string& method) {
  return MakeStatus(RpcCode::kUnimplemented,
                    "unknown method " + method +
                        ": this server has Export of opentelemetry.proto.collector.{trace.v1.TraceService,"
                        "metrics.v1.MetricsService,logs.v1.LogsService} and grpc.health.v1.Health");
}

}  // namespace otlp_arrow
