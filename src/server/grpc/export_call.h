// One call of an Export method, from the wait for it to its answer.
#pragma once

#include <grpcpp/completion_queue.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include "pipeline/pipeline.h"
#include "server/grpc/completion_tag.h"
#include "server/grpc/export_service.h"

namespace otlp_arrow {

// Owns itself: deleted when the answer has been sent, or when the server stops before a call came.
class ExportCall final : public CompletionTag {
 public:
  // Waits for the next call of the signal's method on `queue`.
  static void Await(ExportService* service, Signal signal, grpc::ServerCompletionQueue* queue);

  void Proceed(bool ok) override;

  // Sends the answer. Any thread; once.
  void Answer(const AcceptResult& result);
  void Refuse(const grpc::Status& status);

 private:
  ExportCall(ExportService* service, Signal signal, grpc::ServerCompletionQueue* queue)
      : service_(service), signal_(signal), queue_(queue) {}

  void HandOver();

  ExportService* const service_;
  const Signal signal_;
  grpc::ServerCompletionQueue* const queue_;
  bool arrived_ = false;
  grpc::ServerContext context_;
  grpc::ByteBuffer message_;
  ExportService::Responder responder_{&context_};
};

}  // namespace otlp_arrow
