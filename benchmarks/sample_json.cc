#include "sample_json.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <google/protobuf/util/json_util.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

namespace otlp_arrow::bench {
namespace {

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "no JSON of a request: %s\n", why.c_str());
  std::exit(1);
}

int Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

std::string HexOfBase64(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = Base64Digit(c);
    if (digit < 0) break;  // padding
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    const uint32_t byte = bits >> count & 0xff;
    hex += kHex[byte >> 4];
    hex += kHex[byte & 15];
  }
  return hex;
}

// protobuf's JSON has bytes in base64, OTLP's has ids in hex. No text of the samples looks like one of these keys.
std::string WithHexIds(const std::string& json) {
  static constexpr std::array<std::string_view, 3> kKeys = {"\"traceId\":\"", "\"spanId\":\"", "\"parentSpanId\":\""};
  std::string out;
  out.reserve(json.size() + json.size() / 8);
  for (size_t at = 0; at < json.size();) {
    std::string_view found;
    for (const auto key : kKeys) {
      if (json.compare(at, key.size(), key) == 0) found = key;
    }
    if (found.empty()) {
      out += json[at++];
      continue;
    }
    out += found;
    at += found.size();
    const size_t end = json.find('"', at);
    out += HexOfBase64(std::string_view(json).substr(at, end - at));
    at = end;
  }
  return out;
}

template <class Request>
std::string JsonOfRequest(std::string_view bytes) {
  Request request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) Die("it is no request");
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_enums_as_ints = true;
  std::string json;
  if (const auto status = google::protobuf::util::MessageToJsonString(request, &json, options); !status.ok()) Die(status.ToString());
  return WithHexIds(json);
}

}  // namespace

std::string JsonOf(Signal signal, std::string_view request) {
  namespace collector = opentelemetry::proto::collector;
  switch (signal) {
    case Signal::kTraces: return JsonOfRequest<collector::trace::v1::ExportTraceServiceRequest>(request);
    case Signal::kMetrics: return JsonOfRequest<collector::metrics::v1::ExportMetricsServiceRequest>(request);
    case Signal::kLogs: return JsonOfRequest<collector::logs::v1::ExportLogsServiceRequest>(request);
  }
  return {};
}

}  // namespace otlp_arrow::bench
