// The variables of OpenTelemetry's SDKs. An empty one is one that is not set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "otlp_arrow/status.h"

namespace otlp_arrow::sdk {

std::string_view Environment(const char* name);

// Sets `*value` where the variable is set. Errors: kConfig.
Status ReadCount(const char* name, uint32_t* value);
Status ReadMilliseconds(const char* name, int64_t* value);

// %41 as A; what is no such sequence stays.
std::string PercentDecoded(std::string_view text);

}  // namespace otlp_arrow::sdk
