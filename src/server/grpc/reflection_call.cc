#include "server/grpc/reflection_call.h"

#include <string>
#include <vector>

#include "server/grpc/grpc_status.h"
#include "server/grpc/reflection_answer.h"

namespace otlp_arrow {
namespace {

constexpr size_t kMaxQuestion = 4096;    // bytes; names are shorter
constexpr size_t kMaxAnswers = 10'000;  // of one stream

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string out;
  if (!buffer.Dump(&slices).ok()) return out;
  for (const auto& slice : slices) out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return out;
}

}  // namespace

void ReflectionCall::Await(ReflectionService* service, int version) {
  auto* call = new ReflectionCall(service, version);
  service->Request(version, &call->context_, &call->stream_, call);
}

void ReflectionCall::Proceed(bool ok) {
  if (state_ == State::kFinishing || service_->stopped() || (!ok && state_ != State::kReading)) {
    delete this;
    return;
  }
  switch (state_) {
    case State::kAwaiting: {
      Await(service_, version_);
      const grpc::Status admitted = service_->gate()->Check(context_);
      return admitted.ok() ? Read() : Finish(admitted);
    }
    case State::kReading: return ok ? Answer() : Finish(grpc::Status::OK);  // not ok: the client has no more questions
    default: return Read();
  }
}

void ReflectionCall::Read() {
  state_ = State::kReading;
  message_.Clear();
  stream_.Read(&message_, this);
}

void ReflectionCall::Answer() {
  if (message_.Length() > kMaxQuestion) {
    return Finish(MalformedStatus("the question has " + std::to_string(message_.Length()) + " bytes; names have at most " +
                                  std::to_string(kMaxQuestion)));
  }
  if (++answers_ > kMaxAnswers) return Finish(MalformedStatus("a stream may ask " + std::to_string(kMaxAnswers) + " questions; open another one"));
  const auto answer = AnswerReflection(DescriptorIndex::OfThisServer(), ToString(message_));
  if (!answer) return Finish(MalformedStatus("not a ServerReflectionRequest"));
  const grpc::Slice slice(*answer);
  state_ = State::kWriting;
  stream_.Write(grpc::ByteBuffer(&slice, 1), this);
}

void ReflectionCall::Finish(const grpc::Status& status) {
  state_ = State::kFinishing;
  stream_.Finish(status, this);
}

}  // namespace otlp_arrow
