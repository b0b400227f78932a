// Our errors as Flight has them.
#pragma once

#include <string>

#include <arrow/status.h>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Wrong commands and data are INVALID_ARGUMENT, what may succeed later UNAVAILABLE, all else INTERNAL.
arrow::Status ToFlightStatus(const Status& status);
arrow::Status FlightUnavailable(const std::string& message);

}  // namespace otlp_arrow
