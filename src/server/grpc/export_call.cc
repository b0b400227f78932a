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
  if (service->is_guarded()) {
    (new GuardedExportCall(service, signal, queue))->Await();
  } else {
    (new UnaryExportCall(service, signal, queue))->Await();
  }
}

void UnaryExportCall::Await() { service_->Request(signal_, &context_, &message_, &responder_, queue_, this); }

void UnaryExportCall::Proceed(bool ok) {
  if (arrived_ || !ok) {
    delete this;
    return;
  }
  arrived_ = true;
  ExportCall::Await(service_, signal_, queue_);
  if (Admit()) HandOver();
}

void GuardedExportCall::Await() { service_->Request(signal_, &context_, &reader_, queue_, this); }

void GuardedExportCall::Proceed(bool ok) {
  if (state_ == State::kAnswering || !ok) {  // without a message there is nobody to be answered: the client left, or is none of OTLP
    delete this;
    return;
  }
  if (state_ == State::kReading) {
    state_ = State::kAnswering;
    return HandOver();
  }
  ExportCall::Await(service_, signal_, queue_);
  state_ = State::kAnswering;
  if (!Admit()) return;
  state_ = State::kReading;
  reader_.Read(&message_, this);
}

bool ExportCall::Admit() {
  const grpc::Status status = service_->gate()->Check(context_);
  if (status.ok()) return true;
  service_->pipeline()->CountRefused(signal_, 0, "unauthorized");
  Refuse(status);
  return false;
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
  if (result.rejected_items == 0) return Finish(*kEmpty);
  Finish(ToByteBuffer(EncodeExportResponse(result)));
}

}  // namespace otlp_arrow
