// When this process began.
#pragma once

#include <chrono>

namespace otlp_arrow {

// From /proc where there is one; else the time of the first call.
std::chrono::system_clock::time_point ProcessStartTime();

}  // namespace otlp_arrow
