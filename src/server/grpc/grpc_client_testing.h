// Calls of a gRPC server in raw bytes, for tests.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

namespace otlp_arrow::grpc_testing {

inline constexpr char kTraces[] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
inline constexpr char kMetrics[] = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
inline constexpr char kLogs[] = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
inline constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
inline constexpr char kWatch[] = "/grpc.health.v1.Health/Watch";
inline constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(20);  // a limit for what should not fail

inline grpc::ByteBuffer ToByteBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

inline std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  (void)buffer.Dump(&slices);
  std::string out;
  for (const auto& slice : slices) out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return out;
}

// Names and values of headers.
using Metadata = std::vector<std::pair<std::string, std::string>>;

struct Reply {
  grpc::Status status;
  std::string bytes;
};

// A unary call under way.
class PendingCall {
 public:
  PendingCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method, const std::string& request,
              grpc_compression_algorithm compression = GRPC_COMPRESS_NONE, const Metadata& metadata = {})
      : stub_(channel) {
    for (const auto& [name, value] : metadata) context_.AddMetadata(name, value);
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
    context_.set_compression_algorithm(compression);
    const grpc::ByteBuffer message = ToByteBuffer(request);
    reader_ = stub_.PrepareUnaryCall(&context_, method, message, &queue_);
    reader_->StartCall();
    reader_->Finish(&response_, &reply_.status, this);
  }
  Reply Wait() {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    reply_.bytes = ToString(response_);
    return reply_;
  }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader_;
  grpc::ByteBuffer response_;
  Reply reply_;
};

// A server stream, read message by message.
class Stream {
 public:
  Stream(const std::shared_ptr<grpc::Channel>& channel, const std::string& method, const std::string& request, const Metadata& metadata = {})
      : stub_(channel) {
    for (const auto& [name, value] : metadata) context_.AddMetadata(name, value);
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
    stream_ = stub_.PrepareCall(&context_, method, &queue_);
    stream_->StartCall(nullptr);
    Next();
    stream_->WriteLast(ToByteBuffer(request), {}, nullptr);
    Next();
  }
  // Empty where the stream ended.
  std::string Read() {
    grpc::ByteBuffer message;
    stream_->Read(&message, nullptr);
    return Next() ? ToString(message) : std::string();
  }
  grpc::Status Finish() {
    grpc::Status status;
    stream_->Finish(&status, nullptr);
    Next();
    return status;
  }
  void Cancel() { context_.TryCancel(); }

 private:
  bool Next() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
};

// A connection of its own.
inline std::shared_ptr<grpc::Channel> Connect(const std::string& address, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

}  // namespace otlp_arrow::grpc_testing
