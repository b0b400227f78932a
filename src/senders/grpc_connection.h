// The channel of a sender over gRPC, and the call under way.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "forward/otlp_sender.h"
#include "senders/sender_factory.h"
#include "senders/tls_client.h"

namespace otlp_arrow {

// One call at a time, begun and ended by one thread.
class GrpcConnection {
 public:
  // Does not connect; gRPC's threads begin with the first call.
  GrpcConnection(SenderOptions options, TlsFiles files) : options_(std::move(options)), files_(std::move(files)) {}

  // Gives the call its deadline and headers. What to return instead where no call can be made.
  std::optional<SendOutcome> Begin(grpc::ClientContext* context, std::chrono::milliseconds timeout);
  grpc::GenericStub& stub() { return *stub_; }
  // What the status of the call means; taken, where it is OK. A channel that does not work is given up, so that the next call
  // looks the name up and connects anew.
  SendOutcome End(const grpc::Status& status);

  // The answer of a call that was OK, with a message that can be shown.
  SendOutcome Tidied(SendOutcome outcome) const;

  // From any thread: the call under way ends, and none begins any more.
  void Cancel();

 private:
  std::shared_ptr<grpc::Channel> MakeChannel() const;

  const SenderOptions options_;
  const TlsFiles files_;
  std::shared_ptr<grpc::Channel> channel_;
  std::optional<grpc::GenericStub> stub_;
  std::chrono::milliseconds timeout_{};

  std::mutex mutex_;
  grpc::ClientContext* call_ = nullptr;
  bool is_cancelled_ = false;
};

// The bytes of a message.
std::string Flat(const grpc::ByteBuffer& buffer);

}  // namespace otlp_arrow
