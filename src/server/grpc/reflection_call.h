// A stream of questions about this server's methods and messages.
#pragma once

#include <cstddef>

#include "server/grpc/completion_tag.h"
#include "server/grpc/reflection_service.h"

namespace otlp_arrow {

// Has one operation under way at a time. Owns itself: deleted when the answer that ends it has been sent, or the client has gone.
class ReflectionCall final : public CompletionTag {
 public:
  // `version`: which of the service's methods.
  static void Await(ReflectionService* service, int version);

  void Proceed(bool ok) override;

 private:
  enum class State { kAwaiting, kReading, kWriting, kFinishing };

  ReflectionCall(ReflectionService* service, int version) : service_(service), version_(version) {}

  void Read();
  void Answer();
  void Finish(const grpc::Status& status);

  ReflectionService* const service_;
  const int version_;
  State state_ = State::kAwaiting;
  size_t answers_ = 0;
  grpc::ServerContext context_;
  grpc::ByteBuffer message_;
  ReflectionService::Stream stream_{&context_};
};

}  // namespace otlp_arrow
