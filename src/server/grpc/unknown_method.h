// Answers calls of methods that the server does not have.
#pragma once

#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/async_generic_service.h>

#include "server/grpc/completion_tag.h"

namespace otlp_arrow {

// One such call. Owns itself.
class UnknownMethodCall final : public CompletionTag {
 public:
  static void Await(grpc::AsyncGenericService* service, grpc::ServerCompletionQueue* queue);

  void Proceed(bool ok) override;

 private:
  UnknownMethodCall(grpc::AsyncGenericService* service, grpc::ServerCompletionQueue* queue)
      : service_(service), queue_(queue) {}

  grpc::AsyncGenericService* const service_;
  grpc::ServerCompletionQueue* const queue_;
  bool arrived_ = false;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
};

}  // namespace otlp_arrow
