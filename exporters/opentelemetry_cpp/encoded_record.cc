#include "encoded_record.h"

#include <cstring>
#include <new>
#include <utility>

namespace otlp_arrow::exporters {

void RecordWriter::WriteKeyValues(uint32_t field, const KeyValueIterable& attributes) {
  bool failed = false;  // nothing may be thrown through the SDK's iteration
  attributes.ForEachKeyValue([&](nostd::string_view key, AttributeValue value) noexcept {
    try {
      WriteAttribute(this, field, View(key), value);
    } catch (...) {
      failed = true;
    }
    return !failed;
  });
  if (failed) throw std::bad_alloc();
}

bool RecordWriter::TrySetLastByte(Slot slot, uint8_t byte) noexcept {
  const Part part = parts_[slot];
  if (part.size == 0) return false;
  buffer_.data()[part.begin + part.size - 1] = static_cast<char>(byte);
  return true;
}

void RecordWriter::Erase(Slot slot) noexcept {
  const Part part = std::exchange(parts_[slot], {});
  if (part.size == 0) return;
  const size_t end = part.begin + part.size;
  std::memmove(buffer_.data() + part.begin, buffer_.data() + end, size() - end);
  Truncate(size() - part.size);
  for (Part& other : parts_) {
    if (other.begin > part.begin) other.begin -= part.size;
  }
}

}  // namespace otlp_arrow::exporters
