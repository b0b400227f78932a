#include "server/grpc/unknown_method.h"

#include "server/grpc/grpc_status.h"

namespace otlp_arrow {

void UnknownMethodCall::Await(grpc::AsyncGenericService* service, grpc::ServerCompletionQueue* queue) {
  auto* call = new UnknownMethodCall(service, queue);
  service->RequestCall(&call->context_, &call->stream_, queue, queue, call);
}

void UnknownMethodCall::Proceed(bool ok) {
  if (arrived_ || !ok) {
    delete this;
    return;
  }
  arrived_ = true;
  Await(service_, queue_);
  stream_.Finish(UnknownMethodStatus(context_.method()), this);
}

}  // namespace otlp_arrow
