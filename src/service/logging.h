// Where log lines go: standard error, as "2024-05-06T07:08:09.123Z warn message".
#pragma once

#include <string>

namespace otlp_arrow {

// `level`: trace, debug, info, warn, error, off. Replaces spdlog's default logger.
void ConfigureLogging(const std::string& level);

}  // namespace otlp_arrow
