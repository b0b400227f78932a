// What all connections of one HTTP server share.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/thread_pool.hpp>

#include "base/clock.h"
#include "pipeline/pipeline.h"
#include "server/http/http_clients.h"
#include "server/http/receive_budget.h"

namespace otlp_arrow {

struct HttpShared {
  Pipeline* pipeline = nullptr;
  std::shared_ptr<Clock> clock;
  std::function<std::string()> more_metrics;        // may be empty
  boost::asio::thread_pool* heavy_work = nullptr;   // inflates and reads large bodies, so that no loop stands still; null: the loops do
  std::atomic<bool> draining{false};                // no request after the one under way
  std::atomic<uint32_t> connections{0};
  ReceiveBudget budget;
  HttpClients clients;
};

}  // namespace otlp_arrow
