#include "senders/export_response.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "otlp/wire.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using wire::Cursor;
using wire::Tag;

constexpr int64_t kMaxRetrySeconds = 24 * 3600;  // a longer wish is a mistake, and must not overflow

std::string Text(const Cursor& body) { return std::string(body.rest()); }

// Calls `visit(tag, &cursor)` for each field; it returns whether it consumed the value. False where the bytes end
// early.
template <class Visit>
bool ForEachField(Cursor message, Visit visit) {
  while (!message.done()) {
    uint32_t tag = 0;
    if (!wire::ReadTag(&message, &tag)) return false;
    const uint8_t* before = message.p;
    if (visit(tag, &message)) continue;
    if (message.p != before || !wire::SkipValue(&message, tag)) return false;
  }
  return true;
}

bool ReadSigned(Cursor* c, int64_t* value) {
  uint64_t raw = 0;
  if (!wire::ReadVarint(c, &raw)) return false;
  *value = static_cast<int64_t>(raw);
  return true;
}

bool ReadText(Cursor* c, std::string* text) {
  Cursor body("");
  if (!wire::ReadLen(c, &body)) return false;
  *text = Text(body);
  return true;
}

milliseconds Bounded(int64_t seconds, int64_t nanos) {
  seconds = std::clamp<int64_t>(seconds, 0, kMaxRetrySeconds);
  nanos = std::clamp<int64_t>(nanos, 0, 999999999);
  return milliseconds(seconds * 1000 + nanos / 1000000);
}

// google.rpc.RetryInfo { Duration retry_delay = 1; }
std::optional<milliseconds> ReadRetryInfo(std::string_view bytes) {
  int64_t seconds = 0;
  int64_t nanos = 0;
  bool found = false;
  const bool readable = ForEachField(Cursor(bytes), [&](uint32_t tag, Cursor* c) {
    Cursor duration("");
    if (tag != Tag(1, wire::kLen) || !wire::ReadLen(c, &duration)) return false;
    found = ForEachField(duration, [&](uint32_t field, Cursor* d) {
      if (field == Tag(1, wire::kVarint)) return ReadSigned(d, &seconds);
      return field == Tag(2, wire::kVarint) && ReadSigned(d, &nanos);
    });
    return true;
  });
  return readable && found ? std::optional(Bounded(seconds, nanos)) : std::nullopt;
}

// google.protobuf.Any { string type_url = 1; bytes value = 2; }
std::optional<milliseconds> ReadDetail(const Cursor& any) {
  std::string type;
  std::string value;
  const bool readable = ForEachField(any, [&](uint32_t tag, Cursor* c) {
    if (tag == Tag(1, wire::kLen)) return ReadText(c, &type);
    return tag == Tag(2, wire::kLen) && ReadText(c, &value);
  });
  return readable && type.ends_with("/google.rpc.RetryInfo") ? ReadRetryInfo(value) : std::nullopt;
}

std::optional<milliseconds> ReadHttpDate(const std::string& text, std::chrono::system_clock::time_point now) {
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const auto when = std::chrono::system_clock::from_time_t(timegm(&parts));
  return Bounded(std::chrono::ceil<std::chrono::seconds>(when - now).count(), 0);
}

}  // namespace

SendOutcome ReadExportResponse(std::string_view response) {
  SendOutcome outcome;
  ForEachField(Cursor(response), [&](uint32_t tag, Cursor* c) {
    Cursor partial("");
    if (tag != Tag(1, wire::kLen) || !wire::ReadLen(c, &partial)) return false;
    return ForEachField(partial, [&](uint32_t field, Cursor* p) {
      if (field == Tag(1, wire::kVarint)) return ReadSigned(p, &outcome.rejected_items);
      return field == Tag(2, wire::kLen) && ReadText(p, &outcome.message);
    });
  });
  outcome.rejected_items = std::max<int64_t>(outcome.rejected_items, 0);
  return outcome;
}

std::optional<RpcStatus> ReadRpcStatus(std::string_view bytes) {
  RpcStatus status;
  const bool readable = ForEachField(Cursor(bytes), [&](uint32_t tag, Cursor* c) {
    if (tag == Tag(1, wire::kVarint)) return ReadSigned(c, &status.code);
    if (tag == Tag(2, wire::kLen)) return ReadText(c, &status.message);
    Cursor detail("");
    if (tag != Tag(3, wire::kLen) || !wire::ReadLen(c, &detail)) return false;
    if (auto delay = ReadDetail(detail)) status.retry_delay = delay;
    return true;
  });
  return readable ? std::optional(status) : std::nullopt;
}

std::optional<milliseconds> ReadRetryAfter(std::string_view value, std::chrono::system_clock::time_point now) {
  int64_t seconds = 0;
  const char* end = value.data() + value.size();
  auto [stop, error] = std::from_chars(value.data(), end, seconds);
  if (stop == end && error == std::errc() && seconds >= 0) return Bounded(seconds, 0);
  return ReadHttpDate(std::string(value), now);
}

}  // namespace otlp_arrow
