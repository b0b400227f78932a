#include <algorithm>
#include <cctype>
#include <string>

#include "otlp_arrow/sdk/context.h"
#include "sdk/environment.h"
#include "sdk/text.h"

namespace otlp_arrow::sdk {
namespace {

// --- traceparent: 00-<32 digits>-<16 digits>-<2 digits> ---

constexpr size_t kTraceParentSize = 55;

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

uint32_t ByteOf(std::string_view digits) {
  const auto digit = [](char c) { return static_cast<uint32_t>(c <= '9' ? c - '0' : c - 'a' + 10); };
  return digit(digits[0]) << 4 | digit(digits[1]);
}

// --- tracestate ---

constexpr size_t kMostStates = 32, kMostStateBytes = 512;

bool IsKeyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
}

bool IsState(std::string_view member) {
  const size_t equals = member.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals > 256 || member.size() - equals - 1 > 256) return false;
  const std::string_view key = member.substr(0, equals), value = member.substr(equals + 1);
  if (!std::all_of(key.begin(), key.end(), IsKeyCharacter) || value.empty()) return false;
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; });
}

bool IsTraceState(std::string_view header) {
  if (header.size() > kMostStateBytes) return false;
  size_t states = 0;
  while (!header.empty()) {
    const size_t comma = std::min(header.find(','), header.size());
    const std::string_view member = Trim(header.substr(0, comma));
    if (!member.empty() && (!IsState(member) || ++states > kMostStates)) return false;
    header.remove_prefix(std::min(comma + 1, header.size()));
  }
  return states > 0;
}

// --- baggage ---

constexpr size_t kMostEntries = 180, kMostBaggageBytes = 8192;

bool IsToken(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

std::string PercentEncoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte > 0x20 && byte < 0x7f && std::string_view("\",;\\%").find(c) == std::string_view::npos;
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace

std::optional<SpanContext> ParseTraceParent(std::string_view traceparent, std::string_view tracestate) {
  traceparent = Trim(traceparent);
  if (traceparent.size() < kTraceParentSize) return std::nullopt;
  const std::string_view version = traceparent.substr(0, 2), trace = traceparent.substr(3, 32), span = traceparent.substr(36, 16), flags = traceparent.substr(53, 2);
  if (traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') return std::nullopt;
  if (!IsLowerHex(version) || !IsLowerHex(trace) || !IsLowerHex(span) || !IsLowerHex(flags) || version == "ff") return std::nullopt;
  // Later versions may add to it.
  if (traceparent.size() > kTraceParentSize && (version == "00" || traceparent[kTraceParentSize] != '-')) return std::nullopt;
  SpanContext context;
  for (size_t i = 0; i < 16; ++i) context.trace_id.bytes[i] = static_cast<uint8_t>(ByteOf(trace.substr(2 * i)));
  for (size_t i = 0; i < 8; ++i) context.span_id.bytes[i] = static_cast<uint8_t>(ByteOf(span.substr(2 * i)));
  if (!context.IsValid()) return std::nullopt;
  context.flags = ByteOf(flags) & (version == "00" ? 0x03u : kSampledFlag);
  context.is_remote = true;
  tracestate = Trim(tracestate);
  if (IsTraceState(tracestate)) context.trace_state = std::make_shared<const std::string>(tracestate);
  return context;
}

std::string FormatTraceParent(const SpanContext& context) {
  if (!context.IsValid()) return {};
  constexpr char kDigits[] = "0123456789abcdef";
  return "00-" + context.trace_id.ToHex() + "-" + context.span_id.ToHex() + "-" + kDigits[context.flags >> 4 & 15] + kDigits[context.flags & 15];
}

Baggage ParseBaggage(std::string_view header) {
  Baggage baggage;
  header = header.substr(0, kMostBaggageBytes);
  while (!header.empty() && baggage.size() < kMostEntries) {
    const size_t comma = std::min(header.find(','), header.size());
    const std::string_view entry = header.substr(0, std::min(header.find(';'), comma));
    header.remove_prefix(std::min(comma + 1, header.size()));
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = Trim(entry.substr(0, equals));
    std::string value = PercentDecoded(Trim(entry.substr(equals + 1)));
    if (!IsToken(name) || !IsUtf8(value)) continue;
    const auto known = std::find_if(baggage.begin(), baggage.end(), [&](const auto& pair) { return pair.first == name; });
    if (known != baggage.end()) {
      known->second = std::move(value);
    } else {
      baggage.emplace_back(name, std::move(value));
    }
  }
  return baggage;
}

std::string FormatBaggage(const Baggage& baggage) {
  std::string header;
  size_t entries = 0;
  for (const auto& [name, value] : baggage) {
    if (!IsToken(name) || entries == kMostEntries) continue;
    const std::string entry = name + "=" + PercentEncoded(value);
    if (header.size() + entry.size() + 1 > kMostBaggageBytes) continue;
    if (!header.empty()) header += ',';
    header += entry;
    ++entries;
  }
  return header;
}

}  // namespace otlp_arrow::sdk
