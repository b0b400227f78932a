// The outcome of an operation: OK, or an error of one of the library's kinds with a message.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace otlp_arrow {

enum class StatusCode {
  kOk,
  kConfig,    // a configuration value is unknown, of the wrong type, or out of range
  kExport,    // telemetry was refused: malformed, too large, or no room (then retryable)
  kIo,        // the file system said no
  kServer,    // a listener could not be opened, or a peer failed
  kShutdown,  // the library or service is shut down or shutting down
};

// Copyable. An OK status holds no message and costs no allocation.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message, bool retryable = false)
      : code_(code), retryable_(retryable), message_(std::move(message)) {}

  static Status Ok() { return {}; }
  static Status Config(std::string message) { return {StatusCode::kConfig, std::move(message)}; }
  static Status Export(std::string message) { return {StatusCode::kExport, std::move(message)}; }
  static Status Io(std::string message, bool retryable = false) { return {StatusCode::kIo, std::move(message), retryable}; }
  static Status Server(std::string message, bool retryable = false) { return {StatusCode::kServer, std::move(message), retryable}; }
  static Status Shutdown(std::string message) { return {StatusCode::kShutdown, std::move(message)}; }
  // No room at the moment; the same call may succeed later.
  static Status BufferFull(std::string message) { return {StatusCode::kExport, std::move(message), true}; }

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  // True where trying the same call again later may succeed.
  bool retryable() const { return retryable_; }
  const std::string& message() const { return message_; }
  // "OK", or "<kind> error: <message>".
  std::string ToString() const {
    if (ok()) return "OK";
    return std::string(KindName(code_)) + " error: " + message_;
  }
  static std::string_view KindName(StatusCode code) {
    switch (code) {
      case StatusCode::kOk: return "OK";
      case StatusCode::kConfig: return "config";
      case StatusCode::kExport: return "export";
      case StatusCode::kIo: return "I/O";
      case StatusCode::kServer: return "server";
      case StatusCode::kShutdown: return "shutdown";
    }
    return "unknown";
  }

 private:
  StatusCode code_ = StatusCode::kOk;
  bool retryable_ = false;
  std::string message_;
};

// A value, or the status that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit, as for Arrow's Result
  Result(Status status) : status_(std::move(status)) { assert(!status_.ok()); }  // NOLINT

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

#define OTLP_ARROW_CONCAT_(a, b) a##b
#define OTLP_ARROW_CONCAT(a, b) OTLP_ARROW_CONCAT_(a, b)
// Leaves the function with the status of `expr` unless that is OK.
#define OTLP_RETURN_NOT_OK(expr)                            \
  do {                                                      \
    ::otlp_arrow::Status status_of_expr_ = (expr);          \
    if (!status_of_expr_.ok()) return status_of_expr_;      \
  } while (false)
// Declares or assigns `lhs` from a Result, or leaves the function with its status.
#define OTLP_ASSIGN_OR_RETURN(lhs, expr) \
  OTLP_ASSIGN_OR_RETURN_(OTLP_ARROW_CONCAT(result_of_, __LINE__), lhs, expr)
#define OTLP_ASSIGN_OR_RETURN_(tmp, lhs, expr) \
  auto tmp = (expr);                           \
  if (!tmp.ok()) return tmp.status();          \
  lhs = *std::move(tmp)

}  // namespace otlp_arrow
