#include "server/grpc/export_call.h"

#include <string>
#include <utility>

#include "server/common/otlp_response.h"
#include "server/grpc/grpc_status.h"
#include "server/grpc/request_bytes.h"

namespace otlp_arrow {
namespace {

grpc::ByteBuffer ToByteBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

void ExportCall::Await(ExportService* service, Signal signal, grpc::ServerCompletionQueue* queue) {
  auto* call = new ExportCall(service, signal, queue);
  service->Request(signal, &call->context_, &call->message_, &call->responder_, queue, call);
}

void ExportCall::Proceed(bool ok) {
  if (arrived_ || !ok) {
    delete this;
    return;
  }
  arrived_ = true;
  Await(service_, signal_, queue_);
  HandOver();
}

void ExportCall::HandOver() {
  RequestBytes request = TakeRequestBytes(message_, service_->max_message_bytes(), service_->pipeline());
  message_.Clear();
  if (!request.status.ok()) {
    service_->pipeline()->CountRefused(signal_, 0, request.refused);
    return Refuse(request.status);
  }
  const auto& open_calls = service_->open_calls();
  if (!open_calls->Add(this)) return Refuse(ShuttingDownStatus());
  auto done = [open_calls, this](const AcceptResult& result) {
    if (!open_calls->BeginAnswer(this)) return;
    Answer(result);
    open_calls->Answered();
  };
  service_->pipeline()->Accept(signal_, std::move(request.bytes).Share(), std::move(done));
}

void ExportCall::Answer(const AcceptResult& result) {
  if (!result.status.ok()) return Refuse(ToGrpcStatus(result));
  // Most responses are empty, and this one is ready-made.
  static const grpc::ByteBuffer* const kEmpty = new grpc::ByteBuffer(ToByteBuffer({}));
  if (result.rejected_items == 0) return responder_.Finish(*kEmpty, grpc::Status::OK, this);
  responder_.Finish(ToByteBuffer(EncodeExportResponse(result)), grpc::Status::OK, this);
}

void ExportCall::Refuse(const grpc::Status& status) { responder_.FinishWithError(status, this); }

}  // namespace otlp_arrow
