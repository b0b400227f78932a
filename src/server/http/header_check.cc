#include "server/http/header_check.h"

#include <algorithm>

#include "server/http/http_text.h"

namespace otlp_arrow {
namespace {

bool IsTokenChar(unsigned char c) {
  if (c >= '0' && c <= '9') return true;
  if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') return true;
  return c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
}

// RFC 9110, 5.5: visible characters, space, tab, and bytes beyond ASCII.
bool IsValueChar(unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); }

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// Fields that say where a request ends or for whom it is.
struct Framing {
  int hosts = 0;
  int lengths = 0;
  int codings = 0;

  const char* Add(std::string_view name, std::string_view value) {
    if (EqualsIgnoringCase(name, "content-length")) {
      if (++lengths > 1) return "it has more than one Content-Length";
      if (!IsDigits(value)) return "its Content-Length is no number";
    } else if (EqualsIgnoringCase(name, "transfer-encoding")) {
      if (++codings > 1) return "it has more than one Transfer-Encoding";
      if (!EqualsIgnoringCase(value, "chunked")) return "its Transfer-Encoding is not 'chunked', the only one that is taken here";
    } else if (EqualsIgnoringCase(name, "host")) {
      if (++hosts > 1) return "it has more than one Host";
    }
    return lengths > 0 && codings > 0 ? "it has both Content-Length and Transfer-Encoding" : nullptr;
  }
};

const char* FaultOfRequestLine(std::string_view line) {
  const bool is_text = std::all_of(line.begin(), line.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
  if (!is_text) return "its request line has characters that are not allowed there";
  const auto spaces = std::count(line.begin(), line.end(), ' ');
  return spaces == 2 ? nullptr : "its first line is not METHOD TARGET HTTP/1.1";
}

const char* FaultOfField(std::string_view line, Framing* framing) {
  if (line.starts_with(' ') || line.starts_with('\t')) return "a header goes on in a second line";
  const size_t colon = line.find(':');
  if (colon == line.npos) return "a header has no colon";
  const std::string_view name = line.substr(0, colon);
  if (name.empty() || !std::all_of(name.begin(), name.end(), IsTokenChar)) return "a header's name has characters that are not allowed there";
  const std::string_view value = Trimmed(line.substr(colon + 1));
  if (!std::all_of(value.begin(), value.end(), IsValueChar)) return "a header's value has control characters";
  return framing->Add(name, value);
}

}  // namespace

HeaderEnd::State HeaderEnd::Find(std::string_view input) {
  if (looked_at_ == 0 && !input.empty() && !IsTokenChar(static_cast<unsigned char>(input[0]))) return State::kFaulty;
  for (;;) {
    const size_t feed = input.find('\n', looked_at_);
    if (feed == input.npos) {
      looked_at_ = input.size();
      return State::kNeedMore;
    }
    if (feed == scanned_ || input[feed - 1] != '\r') return State::kFaulty;
    const bool is_empty = feed == scanned_ + 1;
    scanned_ = looked_at_ = feed + 1;
    if (is_empty) return State::kFound;
  }
}

const char* FaultOfHeader(std::string_view header) {
  Framing framing;
  const char* fault = nullptr;
  bool is_first = true;
  while (!fault) {
    const size_t end = header.find("\r\n");
    if (end == header.npos) return "it does not end";
    const std::string_view line = header.substr(0, end);
    header.remove_prefix(end + 2);
    if (line.empty()) break;
    fault = is_first ? FaultOfRequestLine(line) : FaultOfField(line, &framing);
    is_first = false;
  }
  return fault;
}

}  // namespace otlp_arrow
