// Where the program's log lines go: standard error, in the form of library/log_format.h.
#pragma once

#include <string>

#include "library/log_format.h"

namespace otlp_arrow {

// `level`: trace, debug, info, warn, error, off; `format`: text, json. The first call replaces spdlog's default logger, later ones change
// that logger, whatever other threads log meanwhile.
void ConfigureLogging(const std::string& level, const std::string& format = "text");

}  // namespace otlp_arrow
