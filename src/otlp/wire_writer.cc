#include "otlp_arrow/wire_writer.h"

#include <algorithm>

namespace otlp_arrow::wire {

void Writer::Grow(size_t n) {
  constexpr size_t kSmallest = 512;
  buffer_.resize(std::max({kSmallest, 2 * buffer_.size(), size_ + n}));
}

void Writer::MoveBody(OpenMessage* message, size_t length) {
  const size_t wanted = VarintSize(length);
  const size_t start = message->body - message->length_bytes;
  EnsureRoom(wanted);
  std::memmove(buffer_.data() + start + wanted, buffer_.data() + message->body, length);
  message->body = start + wanted;
  message->length_bytes = wanted;
  size_ = message->body + length;
}

}  // namespace otlp_arrow::wire
