#include "otlp/json_tokens.h"

#include <algorithm>

#include <simdjson.h>

namespace otlp_arrow {
namespace {

// How far a good place to cut is looked for.
constexpr size_t kLookahead = 4096;
// An index that grew beyond this for a very long string is given back.
constexpr size_t kMostKeptWindow = 1 << 20;

bool EndsToken(char c) {
  switch (c) {
    case '{': case '}': case '[': case ']': case ',': case ':': case '"': case ' ': case '\n': case '\r': case '\t': return true;
    default: return false;
  }
}

std::string ErrorText(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR: return "the text is not valid UTF-8";
    case simdjson::UNCLOSED_STRING: return "a string does not end";
    case simdjson::UNESCAPED_CHARS: return "a string holds a control character that is not escaped";
    default: return simdjson::error_message(error);
  }
}

}  // namespace

JsonTokens::JsonTokens(size_t window_bytes) : window_bytes_(std::max<size_t>(window_bytes, 1)) {}
JsonTokens::~JsonTokens() = default;

void JsonTokens::Begin(std::string_view json) {
  if (indexer_ && indexer_->capacity() > std::max(kMostKeptWindow, window_bytes_)) indexer_.reset();
  json_ = json;
  at_ = json.starts_with("\xef\xbb\xbf") ? 3 : 0;  // a byte order mark, which editors leave
  window_ = kEnd;
  next_ = last_ = kNoTokens;
  error_.clear();
}

size_t JsonTokens::WindowEnd(size_t start) const {
  if (json_.size() - start <= window_bytes_) return json_.size();
  const size_t earliest = start + window_bytes_;
  // A line's end is in no string, and a quote behind { [ or , is hardly ever the end of one.
  const size_t stop = std::min(json_.size(), earliest + kLookahead);
  for (size_t at = earliest; at < stop; ++at) {
    if (json_[at - 1] == '\n') return at;
    if (json_[at] != '"') continue;
    const char before = json_[at - 1] == ' ' && at - 1 > start ? json_[at - 2] : json_[at - 1];
    if (before == '{' || before == ',' || before == '[') return at;
  }
  for (size_t at = earliest; at < json_.size(); ++at) {
    if (EndsToken(json_[at - 1])) return at;
  }
  return json_.size();
}

size_t JsonTokens::StringEnd(size_t at) const {
  for (size_t quote = json_.find('"', at); quote != std::string_view::npos; quote = json_.find('"', quote + 1)) {
    size_t first = quote;
    while (first > 0 && json_[first - 1] == '\\') --first;
    if ((quote - first) % 2 == 0) return quote + 1;
  }
  return json_.size();
}

bool JsonTokens::Index(size_t start, size_t end, bool* in_string) {
  *in_string = false;
  const size_t size = end - start;
  simdjson::error_code error = simdjson::SUCCESS;
  if (!indexer_) {
    const size_t capacity = std::max(size, std::min(window_bytes_ + kLookahead, json_.size()));
    error = simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, indexer_);
  } else if (indexer_->capacity() < size) {
    error = indexer_->allocate(size, 1);
  }
  if (error == simdjson::SUCCESS) {
    error = indexer_->stage1(reinterpret_cast<const uint8_t*>(json_.data() + start), size, simdjson::stage1_mode::regular);
  }
  if (error == simdjson::UNCLOSED_STRING && end < json_.size()) {
    *in_string = true;
    return true;
  }
  if (error != simdjson::SUCCESS && error != simdjson::EMPTY) {
    error_ = ErrorText(error) + " (within bytes " + std::to_string(start) + " to " + std::to_string(end) + ")";
    return false;
  }
  window_ = json_.data() + start;
  next_ = indexer_->structural_indexes.get();
  last_ = next_ + (error == simdjson::EMPTY ? 0 : indexer_->n_structural_indexes);
  return true;
}

bool JsonTokens::Refill() {
  while (at_ < json_.size() && error_.empty()) {
    size_t end = WindowEnd(at_);
    bool in_string = false;
    if (!Index(at_, end, &in_string)) break;
    if (in_string) {
      end = StringEnd(end);
      if (!Index(at_, end, &in_string)) break;
    }
    if (in_string) {  // backslashes outside of strings: let the rest be judged as a whole
      end = json_.size();
      if (!Index(at_, end, &in_string)) break;
    }
    at_ = end;
    if (next_ != last_) return true;
  }
  next_ = last_ = kNoTokens;
  window_ = kEnd;
  return false;
}

}  // namespace otlp_arrow
