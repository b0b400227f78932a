// grpc.health.v1.Health, answered from Pipeline::Ready.
// https://github.com/grpc/grpc/blob/master/doc/health-checking.md
//
// gRPC's own health service would bring the callback API's threads with it, which then compete with the server's.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>
#include <grpcpp/support/byte_buffer.h>

#include "pipeline/pipeline.h"
#include "server/grpc/completion_tag.h"

namespace otlp_arrow {

// HealthCheckResponse.ServingStatus.
enum class ServingStatus : uint8_t { kUnknown = 0, kServing = 1, kNotServing = 2, kServiceUnknown = 3 };

class HealthWatch;

class HealthService final : public grpc::Service {
 public:
  using CheckResponder = grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>;
  using WatchWriter = grpc::ServerAsyncWriter<grpc::ByteBuffer>;

  explicit HealthService(Pipeline* pipeline);

  // Begins to take calls on `queue`; all its calls stay there.
  void Serve(grpc::ServerCompletionQueue* queue);
  // From now on nothing is serving. Any thread.
  void SetDraining() { draining_ = true; }
  // Ends the timer of the watches. Only on the queue's thread, as the last call.
  void Stop();

  // For the calls; only on the queue's thread.
  ServingStatus StatusOf(std::string_view service_name) const;
  void RequestCheck(grpc::ServerContext* context, grpc::ByteBuffer* message, CheckResponder* responder, void* tag);
  void RequestWatch(grpc::ServerContext* context, grpc::ByteBuffer* message, WatchWriter* writer, void* tag);
  grpc::ServerCompletionQueue* queue() const { return queue_; }
  void AddWatch(HealthWatch* watch);
  void RemoveWatch(HealthWatch* watch);

 private:
  // Looks after the watches every second while there are any.
  class Tick final : public CompletionTag {
   public:
    explicit Tick(HealthService* service) : service_(service) {}
    void Proceed(bool ok) override { service_->OnTick(ok); }

   private:
    HealthService* const service_;
  };

  void OnTick(bool ok);
  void ArmTick();

  Pipeline* const pipeline_;
  grpc::ServerCompletionQueue* queue_ = nullptr;
  std::atomic<bool> draining_{false};
  bool stopped_ = false;
  bool tick_armed_ = false;
  Tick tick_{this};
  grpc::Alarm alarm_;
  std::unordered_set<HealthWatch*> watches_;
};

}  // namespace otlp_arrow
