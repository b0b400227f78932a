// Values of command-line arguments, for those who define arguments.
#pragma once

#include <chrono>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/secret_text.h"
#include "otlp_arrow/status.h"
#include "senders/sender_factory.h"

namespace otlp_arrow {

// A mistake in the arguments, for CLI11 to report.
[[noreturn]] inline void Reject(const Status& status) { throw CLI::ValidationError(status.message()); }

template <class T>
T OrReject(const std::string& flag, Result<T> result) {
  if (!result.ok()) throw CLI::ValidationError(flag, result.status().message());
  return *std::move(result);
}

inline std::chrono::milliseconds Milliseconds(double seconds) { return std::chrono::milliseconds(std::llround(seconds * 1000)); }

// "name=value" each; a value may refer to secrets.
inline void AddHeaders(const std::vector<std::string>& headers, SenderOptions* sender) {
  for (const auto& header : headers) {
    const size_t equals = header.find('=');
    if (equals == std::string::npos || equals == 0) {
      Reject(Status::Config("--header: '" + header + "' is not of the form name=value"));
    }
    const std::string name = header.substr(0, equals);
    auto value = ResolveSecret("--header " + name, header.substr(equals + 1));
    if (!value.ok()) Reject(value.status());
    sender->headers.emplace_back(name, *std::move(value));
  }
}

}  // namespace otlp_arrow
