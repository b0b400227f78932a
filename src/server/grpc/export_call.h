// One call of an Export method, from the wait for it to its answer.
#pragma once

#include <grpcpp/completion_queue.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include "pipeline/pipeline.h"
#include "server/grpc/completion_tag.h"
#include "server/grpc/export_service.h"

namespace otlp_arrow {

// Owns itself: deleted when the answer has been sent, or when the server stops before a call came.
class ExportCall : public CompletionTag {
 public:
  // Waits for the next call of the signal's method on `queue`.
  static void Await(ExportService* service, Signal signal, grpc::ServerCompletionQueue* queue);

  // Sends the answer. Any thread; once.
  void Answer(const AcceptResult& result);
  void Refuse(const grpc::Status& status) { FinishWithError(status); }

 protected:
  ExportCall(ExportService* service, Signal signal, grpc::ServerCompletionQueue* queue)
      : service_(service), signal_(signal), queue_(queue) {}

  // False where the call lacks the credentials: it has been answered.
  bool Admit();
  // The message is here.
  void HandOver();

  virtual void Finish(const grpc::ByteBuffer& response) = 0;
  virtual void FinishWithError(const grpc::Status& status) = 0;

  ExportService* const service_;
  const Signal signal_;
  grpc::ServerCompletionQueue* const queue_;
  grpc::ServerContext context_;
  grpc::ByteBuffer message_;
};

// The message comes along with the call: the fastest way.
class UnaryExportCall final : public ExportCall {
 public:
  using ExportCall::ExportCall;
  void Await();
  void Proceed(bool ok) override;

 private:
  void Finish(const grpc::ByteBuffer& response) override { responder_.Finish(response, grpc::Status::OK, this); }
  void FinishWithError(const grpc::Status& status) override { responder_.FinishWithError(status, this); }

  bool arrived_ = false;
  ExportService::Responder responder_{&context_};
};

// The call comes first and its message is read only once it has shown its credentials.
class GuardedExportCall final : public ExportCall {
 public:
  using ExportCall::ExportCall;
  void Await();
  void Proceed(bool ok) override;

 private:
  enum class State { kAwaiting, kReading, kAnswering };

  void Finish(const grpc::ByteBuffer& response) override { reader_.Finish(response, grpc::Status::OK, this); }
  void FinishWithError(const grpc::Status& status) override { reader_.FinishWithError(status, this); }

  State state_ = State::kAwaiting;
  ExportService::Reader reader_{&context_};
};

}  // namespace otlp_arrow
