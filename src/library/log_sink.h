// The log of a library inside someone else's program.
#pragma once

#include <string>

namespace otlp_arrow {

// Sends our messages from `level` on (as Config::log_level) to standard error, unless the program gave spdlog a default
// logger of its own. Writing takes no lock, so that a forked child never waits for a thread that it does not have.
// `format`: as Config::log_format.
void LogToStandardError(const std::string& level, const std::string& format);

}  // namespace otlp_arrow
