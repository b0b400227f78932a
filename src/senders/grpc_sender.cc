#include <algorithm>
#include <atomic>
#include <future>
#include <optional>
#include <thread>

#include <unistd.h>

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/byte_buffer.h>

#include "senders/export_response.h"
#include "senders/sender_factory.h"

namespace otlp_arrow {
namespace {

std::string MethodOf(Signal signal) {
  switch (signal) {
    case Signal::kTraces: return "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    case Signal::kMetrics: return "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    case Signal::kLogs: return "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
  }
  return {};
}

std::string Flat(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Valid() || !buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& s : slices) bytes.append(reinterpret_cast<const char*>(s.begin()), s.size());
  return bytes;
}

std::string CodeName(grpc::StatusCode code) {
  constexpr const char* kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  const auto index = static_cast<size_t>(code);
  return index < std::size(kNames) ? kNames[index] : "status " + std::to_string(index);
}

// The table of https://opentelemetry.io/docs/specs/otlp/#failures; RESOURCE_EXHAUSTED only with RetryInfo.
SendOutcome::Kind KindOf(grpc::StatusCode code, bool has_retry_info) {
  switch (code) {
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DATA_LOSS: return SendOutcome::Kind::kRetryable;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return has_retry_info ? SendOutcome::Kind::kRetryable : SendOutcome::Kind::kRefused;
    case grpc::StatusCode::UNIMPLEMENTED:
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::NOT_FOUND: return SendOutcome::Kind::kUnusable;
    default: return SendOutcome::Kind::kRefused;
  }
}

SendOutcome OutcomeOf(const grpc::Status& status) {
  const auto details = ReadRpcStatus(status.error_details());
  SendOutcome outcome;
  if (details) outcome.retry_after = details->retry_delay;
  outcome.kind = KindOf(status.error_code(), outcome.retry_after.has_value());
  outcome.message =
      CodeName(status.error_code()) + (status.error_message().empty() ? "" : ": " + status.error_message());
  // gRPC counts this as a server that is not up yet; it will never be.
  if (status.error_message().find("http1.x server") != std::string::npos) {
    outcome.kind = SendOutcome::Kind::kUnusable;
    outcome.message += " (is this the HTTP port?)";
  }
  return outcome;
}

grpc::ChannelArguments ChannelArgumentsOf(const SenderOptions& options) {
  grpc::ChannelArguments arguments;
  if (options.gzip) arguments.SetCompressionAlgorithm(GRPC_COMPRESS_GZIP);
  // Reconnecting is paced by who retries; gRPC's own pause may not outlast that.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return arguments;
}

// gRPC's threads and locks stay behind in a fork: one process alone can use it, and what that has forked before.
bool IsProcessOfGrpc() {
  static std::atomic<pid_t> process{0};
  pid_t first = 0;
  const pid_t self = ::getpid();
  return process.compare_exchange_strong(first, self) || first == self;
}

class GrpcSender : public OtlpSender {
 public:
  GrpcSender(SenderOptions options, std::string ca_certificates)
      : options_(std::move(options)), ca_certificates_(std::move(ca_certificates)) {}

  SendOutcome Send(Signal signal, std::string_view request, std::chrono::milliseconds timeout) override {
    if (!IsProcessOfGrpc()) {
      SendOutcome outcome;
      outcome.kind = SendOutcome::Kind::kUnusable;
      outcome.message = "this process was forked from one that had used gRPC, which works in no child of it; "
                        "send over HTTP, or nothing before the fork";
      return outcome;
    }
    if (!stub_) stub_.emplace(MakeChannel());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    for (const auto& [name, value] : options_.headers) context.AddMetadata(name, value);
    // The slice borrows: the call is over before `request` goes.
    grpc::Slice slice(request.data(), request.size(), grpc::Slice::STATIC_SLICE);
    grpc::ByteBuffer request_buffer(&slice, 1);
    grpc::ByteBuffer response_buffer;
    std::promise<grpc::Status> done;
    stub_->UnaryCall(&context, MethodOf(signal), grpc::StubOptions(), &request_buffer, &response_buffer,
                    [&done](grpc::Status status) { done.set_value(std::move(status)); });
    const grpc::Status status = done.get_future().get();
    return status.ok() ? ReadExportResponse(Flat(response_buffer)) : OutcomeOf(status);
  }

 private:
  std::shared_ptr<grpc::Channel> MakeChannel() {
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = ca_certificates_;
    auto credentials = options_.endpoint.tls ? grpc::SslCredentials(tls) : grpc::InsecureChannelCredentials();
    return grpc::CreateCustomChannel(options_.endpoint.Authority(), credentials, ChannelArgumentsOf(options_));
  }

  SenderOptions options_;
  std::string ca_certificates_;
  std::optional<grpc::GenericStub> stub_;  // since the first request: gRPC's threads begin with it
};

}  // namespace

std::unique_ptr<OtlpSender> MakeGrpcSender(SenderOptions options, std::string ca_certificates) {
  return std::make_unique<GrpcSender>(std::move(options), std::move(ca_certificates));
}

}  // namespace otlp_arrow
