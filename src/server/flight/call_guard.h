// Which calls of Flight are begun at all. Others are refused before anything of them is read.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include <arrow/flight/server_middleware.h>

#include "server/common/authenticator.h"
#include "server/flight/flight_counters.h"
#include "server/flight/stream_limit.h"

namespace otlp_arrow {

// Asks for credentials, and limits how many calls are open: each takes a thread, also one that has not said yet what it wants.
class CallGuard final : public arrow::flight::ServerMiddlewareFactory {
 public:
  // A null authenticator lets anyone call.
  CallGuard(std::shared_ptr<Authenticator> authenticator, uint32_t most_calls, FlightCounters* counters)
      : authenticator_(std::move(authenticator)), calls_(most_calls), counters_(counters) {}

  void Use(std::shared_ptr<Authenticator> authenticator);

  arrow::Status StartCall(const arrow::flight::CallInfo& info, const arrow::flight::ServerCallContext& context,
                          std::shared_ptr<arrow::flight::ServerMiddleware>* middleware) override;

 private:
  arrow::Status Authenticate(const arrow::flight::ServerCallContext& context);

  std::mutex mutex_;
  std::shared_ptr<Authenticator> authenticator_;
  StreamLimit calls_;
  FlightCounters* const counters_;
};

}  // namespace otlp_arrow
