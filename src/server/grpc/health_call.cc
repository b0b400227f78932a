#include "server/grpc/health_call.h"

#include <optional>
#include <string>
#include <vector>

#include "otlp/wire.h"

namespace otlp_arrow {
namespace {

constexpr uint32_t kServiceField = 1;  // HealthCheckRequest.service
constexpr size_t kMaxNameSize = 1024;  // longer names are of no service here

// HealthCheckRequest.service; nullopt for bytes that are no such message.
std::optional<std::string> ReadServiceName(const grpc::ByteBuffer& message) {
  std::vector<grpc::Slice> slices;
  if (!message.Dump(&slices).ok() || message.Length() > kMaxNameSize) return std::nullopt;
  std::string bytes;
  for (const auto& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  std::string name;
  wire::Cursor cursor(bytes);
  while (!cursor.done()) {
    uint32_t tag = 0;
    if (!wire::ReadTag(&cursor, &tag)) return std::nullopt;
    if (tag != wire::Tag(kServiceField, wire::kLen)) {
      if (!wire::SkipValue(&cursor, tag)) return std::nullopt;
      continue;
    }
    wire::Cursor body({});
    if (!wire::ReadLen(&cursor, &body)) return std::nullopt;
    name = body.rest();
  }
  return name;
}

// HealthCheckResponse{status}.
grpc::ByteBuffer EncodeStatus(ServingStatus status) {
  const char bytes[] = {static_cast<char>(wire::Tag(1, wire::kVarint)), static_cast<char>(status)};
  const grpc::Slice slice(bytes, sizeof(bytes));
  return grpc::ByteBuffer(&slice, 1);
}

grpc::Status BadRequest() { return {grpc::StatusCode::INVALID_ARGUMENT, "not a grpc.health.v1.HealthCheckRequest"}; }

}  // namespace

void HealthCheck::Await(HealthService* service) {
  auto* call = new HealthCheck(service);
  service->RequestCheck(&call->context_, &call->message_, &call->responder_, call);
}

void HealthCheck::Proceed(bool ok) {
  if (arrived_ || !ok) {
    delete this;
    return;
  }
  arrived_ = true;
  Await(service_);
  const auto name = ReadServiceName(message_);
  if (!name) return responder_.FinishWithError(BadRequest(), this);
  const ServingStatus status = service_->StatusOf(*name);
  if (status == ServingStatus::kServiceUnknown) {
    return responder_.FinishWithError({grpc::StatusCode::NOT_FOUND, "unknown service " + *name}, this);
  }
  responder_.Finish(EncodeStatus(status), grpc::Status::OK, this);
}

void HealthWatch::Await(HealthService* service) {
  auto* watch = new HealthWatch(service);
  watch->context_.AsyncNotifyWhenDone(&watch->gone_event_);
  service->RequestWatch(&watch->context_, &watch->message_, &watch->writer_, &watch->arrived_);
}

void HealthWatch::OnArrived(bool ok) {
  if (!ok) {  // no call came, so gone_event_ will not come either
    delete this;
    return;
  }
  Await(service_);
  const auto name = ReadServiceName(message_);
  if (!name) {
    writing_ = finished_ = true;
    return writer_.Finish(BadRequest(), &written_);
  }
  name_ = *name;
  service_->AddWatch(this);
  Update();
}

void HealthWatch::Update() {
  const ServingStatus status = service_->StatusOf(name_);
  if (writing_ || gone_ || status == sent_) return;
  sent_ = status;
  writing_ = true;
  writer_.Write(EncodeStatus(status), &written_);
}

void HealthWatch::OnWritten(bool ok) {
  writing_ = false;
  if (gone_) {
    delete this;
  } else if (ok && !finished_) {
    Update();
  }
}

void HealthWatch::OnGone(bool) {
  gone_ = true;
  service_->RemoveWatch(this);
  if (!writing_) delete this;
}

}  // namespace otlp_arrow
