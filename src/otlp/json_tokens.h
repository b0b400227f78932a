// The tokens of a JSON text, one after the other. simdjson finds where they begin, and checks UTF-8 and that strings end; it is given
// the text in windows, so that its index (4 bytes for each token) stays small and in the cache however long the text is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace simdjson::internal {
class dom_parser_implementation;
}

namespace otlp_arrow {

inline bool IsJsonSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

class JsonTokens {
 public:
  explicit JsonTokens(size_t window_bytes);
  ~JsonTokens();

  // Starts over with `json`, which must stay.
  void Begin(std::string_view json);

  // The first character of the next token: of a string, a number, a word, or one of { } [ ] , : — or 0 (not within the text)
  // at the end of the text, and where the text is broken: then error() says how.
  const char* Take() {
    if (next_ == last_) [[unlikely]] {
      if (!Refill()) return kEnd;
    }
    return window_ + *next_++;
  }

  // Is that what Take() returned there? (A text can hold a zero of its own.)
  static bool IsEnd(const char* token) { return token == kEnd; }

  // The whole of the token that Take() returned, without the space behind it. Strings: with their quotes, not unescaped.
  std::string_view Token(const char* token) const {
    const char* end = window_ + *next_;
    while (end > token + 1 && IsJsonSpace(end[-1])) --end;
    return {token, static_cast<size_t>(end - token)};
  }

  // Empty: the text is sound so far. Else a sentence that says what is wrong, and about where.
  const std::string& error() const { return error_; }
  // Of a token, in bytes; the length of the text for the end.
  size_t PositionOf(const char* token) const { return token == kEnd ? at_ : static_cast<size_t>(token - json_.data()); }

 private:
  static constexpr char kEnd[1] = {0};
  static constexpr uint32_t kNoTokens[1] = {0};

  bool Refill();
  // Where a window from `start` on can end: between tokens if it is not within a string.
  size_t WindowEnd(size_t start) const;
  // The end of the string that position `at` is within.
  size_t StringEnd(size_t at) const;
  // Finds the tokens of a window; false: error_ says what is wrong. `in_string` (out): it ends within a string.
  bool Index(size_t start, size_t end, bool* in_string);

  const size_t window_bytes_;
  std::unique_ptr<simdjson::internal::dom_parser_implementation> indexer_;
  std::string_view json_;
  size_t at_ = 0;  // what is before has been indexed
  const char* window_ = kEnd;
  const uint32_t* next_ = kNoTokens;  // *last_ can be read: the length of the window
  const uint32_t* last_ = kNoTokens;
  std::string error_;
};

}  // namespace otlp_arrow
