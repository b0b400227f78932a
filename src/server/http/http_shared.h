// What all connections of one HTTP server share.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "otlp_arrow/config.h"
#include "pipeline/pipeline.h"

namespace otlp_arrow {

struct HttpShared {
  HttpConfig config;
  Pipeline* pipeline = nullptr;
  std::shared_ptr<Clock> clock;
  std::function<std::string()> more_metrics;  // may be empty
  std::atomic<bool> draining{false};        // no request after the one under way
  std::atomic<uint32_t> connections{0};
};

}  // namespace otlp_arrow
