// What servers answer, in protobuf and in JSON: Export…ServiceResponse and google.rpc.Status.
// https://opentelemetry.io/docs/specs/otlp
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "otlp_arrow/signal.h"
#include "pipeline/pipeline.h"

namespace otlp_arrow {

// Codes of google.rpc.Status, as far as servers here use them.
enum class RpcCode : int32_t {
  kOk = 0,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

// The code that tells the outcome of Pipeline::Accept. Retryable outcomes have a code that OTLP calls retryable.
RpcCode CodeOf(const AcceptResult& result);

// How long the sender is to wait before it tries again: at least a millisecond where the outcome is retryable, else 0.
std::chrono::milliseconds RetryDelayOf(const AcceptResult& result);

// The response of a request that was accepted: empty, or with partial_success. The three signals' have the same shape.
std::string EncodeExportResponse(const AcceptResult& result);

// google.rpc.Status, with a google.rpc.RetryInfo among the details where `retry_delay` is not 0.
std::string EncodeRpcStatus(RpcCode code, std::string_view message, std::chrono::milliseconds retry_delay);

// The same two as protobuf's JSON mapping has them: names in lowerCamelCase, 64-bit integers as strings.
std::string ExportResponseJson(Signal signal, const AcceptResult& result);
std::string RpcStatusJson(RpcCode code, std::string_view message, std::chrono::milliseconds retry_delay);

}  // namespace otlp_arrow
