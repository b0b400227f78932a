// What a Flight server has done since it started.
#pragma once

#include <atomic>
#include <cstdint>

namespace otlp_arrow {

struct FlightCounters {
  std::atomic<int64_t> gets{0};
  std::atomic<int64_t> puts{0};
  std::atomic<int64_t> refused_streams{0};  // there were as many as may be
  std::atomic<int64_t> refused_calls{0};
  std::atomic<int64_t> unauthenticated{0};
  std::atomic<int64_t> bytes_sent{0};       // bodies of messages
};

}  // namespace otlp_arrow
