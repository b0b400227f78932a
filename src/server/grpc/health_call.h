// The calls of grpc.health.v1.Health. Each owns itself and lives on the health service's queue alone.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include "server/grpc/completion_tag.h"
#include "server/grpc/health_service.h"

namespace otlp_arrow {

// Check: one question, one answer.
class HealthCheck final : public CompletionTag {
 public:
  static void Await(HealthService* service);

  void Proceed(bool ok) override;

 private:
  explicit HealthCheck(HealthService* service) : service_(service) {}

  HealthService* const service_;
  bool arrived_ = false;
  grpc::ServerContext context_;
  grpc::ByteBuffer message_;
  HealthService::CheckResponder responder_{&context_};
};

// Watch: the status now, and again whenever it changes, until the client leaves.
class HealthWatch {
 public:
  static void Await(HealthService* service);

  // Sends the status if it differs from the last one sent.
  void Update();

 private:
  // An operation of the watch, as a tag that calls one of its methods.
  class Event final : public CompletionTag {
   public:
    Event(HealthWatch* watch, void (HealthWatch::*method)(bool)) : watch_(watch), method_(method) {}
    void Proceed(bool ok) override { (watch_->*method_)(ok); }

   private:
    HealthWatch* const watch_;
    void (HealthWatch::*const method_)(bool);
  };

  explicit HealthWatch(HealthService* service) : service_(service) {}

  void OnArrived(bool ok);
  void OnWritten(bool ok);
  void OnGone(bool ok);

  HealthService* const service_;
  std::string name_;
  ServingStatus sent_ = ServingStatus::kUnknown;
  bool writing_ = false;
  bool finished_ = false;  // an answer that ends the watch is on its way
  bool gone_ = false;
  Event arrived_{this, &HealthWatch::OnArrived};
  Event written_{this, &HealthWatch::OnWritten};
  Event gone_event_{this, &HealthWatch::OnGone};
  grpc::ServerContext context_;
  grpc::ByteBuffer message_;
  HealthService::WatchWriter writer_{&context_};
};

}  // namespace otlp_arrow
