#include "server/common/otlp_response.h"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "otlp_arrow/wire_writer.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;

// Where the pipeline names no time: long enough for a full disk or a restart to be worth another look.
constexpr milliseconds kDefaultRetryDelay{1000};

std::string EncodeRetryInfo(milliseconds delay) {
  wire::Writer writer;
  const auto duration = writer.Begin(1);
  writer.NonZeroVarint(1, static_cast<uint64_t>(delay.count() / 1000));
  writer.NonZeroVarint(2, static_cast<uint64_t>(delay.count() % 1000 * 1'000'000));
  writer.End(duration);
  return writer.Take();
}

// As a JSON string. What is no UTF-8, and could come from the request, becomes '?'.
std::string Quoted(std::string_view text) {
  const bool is_utf8 = simdjson::validate_utf8(text.data(), text.size());
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += byte >= 0x80 && !is_utf8 ? '?' : c;
    }
  }
  return out + '"';
}

std::string_view RejectedItemsName(Signal signal) {
  switch (signal) {
    case Signal::kTraces: return "rejectedSpans";
    case Signal::kMetrics: return "rejectedDataPoints";
    case Signal::kLogs: break;
  }
  return "rejectedLogRecords";
}

}  // namespace

RpcCode CodeOf(const AcceptResult& result) {
  const Status& status = result.status;
  switch (status.code()) {
    case StatusCode::kOk: return RpcCode::kOk;
    case StatusCode::kExport: return status.retryable() ? RpcCode::kResourceExhausted : RpcCode::kInvalidArgument;
    case StatusCode::kIo: return status.retryable() ? RpcCode::kUnavailable : RpcCode::kInternal;
    case StatusCode::kShutdown: return RpcCode::kUnavailable;
    case StatusCode::kServer:
    case StatusCode::kConfig: break;
  }
  return status.retryable() ? RpcCode::kUnavailable : RpcCode::kInternal;
}

milliseconds RetryDelayOf(const AcceptResult& result) {
  const RpcCode code = CodeOf(result);
  if (code != RpcCode::kResourceExhausted && code != RpcCode::kUnavailable) return milliseconds{0};
  return result.retry_after > milliseconds{0} ? result.retry_after : kDefaultRetryDelay;
}

std::string EncodeExportResponse(const AcceptResult& result) {
  if (result.rejected_items == 0) return {};
  wire::Writer writer;
  const auto partial_success = writer.Begin(1);
  writer.Varint(1, static_cast<uint64_t>(result.rejected_items));
  writer.NonEmpty(2, result.rejected_reason);
  writer.End(partial_success);
  return writer.Take();
}

std::string EncodeRpcStatus(RpcCode code, std::string_view message, milliseconds retry_delay) {
  wire::Writer writer;
  writer.NonZeroInt32(1, static_cast<int32_t>(code));
  writer.NonEmpty(2, message);
  if (retry_delay > milliseconds{0}) {
    const auto any = writer.Begin(3);
    writer.Bytes(1, "type.googleapis.com/google.rpc.RetryInfo");
    writer.Bytes(2, EncodeRetryInfo(retry_delay));
    writer.End(any);
  }
  return writer.Take();
}

std::string ExportResponseJson(Signal signal, const AcceptResult& result) {
  if (result.rejected_items == 0) return "{}";
  std::string reason;
  if (!result.rejected_reason.empty()) reason = ",\"errorMessage\":" + Quoted(result.rejected_reason);
  return fmt::format(R"({{"partialSuccess":{{"{}":"{}"{}}}}})", RejectedItemsName(signal), result.rejected_items, reason);
}

std::string RpcStatusJson(RpcCode code, std::string_view message, milliseconds retry_delay) {
  std::string details;
  if (retry_delay > milliseconds{0}) {
    details = fmt::format(R"(,"details":[{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{}.{:03}s"}}])", retry_delay.count() / 1000,
                          retry_delay.count() % 1000);
  }
  return fmt::format(R"({{"code":{},"message":{}{}}})", static_cast<int>(code), Quoted(message), details);
}

}  // namespace otlp_arrow
