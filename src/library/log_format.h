// What log lines look like. Text: "2024-05-06T07:08:09.123Z warning message". JSON, an object a line:
//   {"time":"2024-05-06T07:08:09.123Z","level":"warn","message":"…","thread":4711,"fields":{"key":"retention"}}
// "fields" is there where the message has any. docs/operation.md
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <spdlog/common.h>

namespace spdlog {
class formatter;
}

namespace otlp_arrow {

using LogFields = std::vector<std::pair<std::string, std::variant<std::string, int64_t>>>;

// Logs a message that in JSON also carries `fields`; in text it must say all by itself.
void LogWithFields(spdlog::level::level_enum level, std::string_view message, const LogFields& fields);

// `format`: text, json (Config::log_format). Control characters of messages, line ends above all, are escaped in both: one message, one line.
std::unique_ptr<spdlog::formatter> MakeLogFormatter(const std::string& format);

}  // namespace otlp_arrow
