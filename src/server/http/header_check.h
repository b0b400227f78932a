// What RFC 9112 asks of a request's header beyond what Beast's parser insists on: two programs in a row, such as a proxy and
// this server, must never see different requests in the same bytes (request smuggling).
#pragma once

#include <cstddef>
#include <string_view>

namespace otlp_arrow {

// Finds the end of a header in bytes that come in little by little. Each byte is looked at once.
class HeaderEnd {
 public:
  enum class State { kNeedMore, kFound, kFaulty };

  // `input`: all that has come in of the request. A line feed without a carriage return before it is a fault, and so is a
  // first byte that no method begins with.
  State Find(std::string_view input);
  // Where kFound: the size of the header, its empty line included.
  size_t size() const { return scanned_; }

 private:
  size_t scanned_ = 0;     // the beginning of a line
  size_t looked_at_ = 0;
};

// What is wrong with a header, from the request line to the empty line; null where nothing is: control characters, folded
// lines, space around names, more than one Host, Content-Length or Transfer-Encoding, both of the latter two,
// lengths that are not digits alone, codings other than "chunked".
const char* FaultOfHeader(std::string_view header);

}  // namespace otlp_arrow
