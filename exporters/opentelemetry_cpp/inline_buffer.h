// A writer's buffer (wire_writer.h) inside the object that has the writer; on the heap where that is too small.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

namespace otlp_arrow::exporters {

template <size_t kRoom>
class InlineBuffer {
 public:
  InlineBuffer() : data_(inline_), room_(kRoom) {}  // the bytes stay as they are: they are written before they are read
  InlineBuffer(const InlineBuffer&) = delete;
  InlineBuffer& operator=(const InlineBuffer&) = delete;

  char* data() { return data_; }
  const char* data() const { return data_; }
  size_t room() const { return room_; }

  void Grow(size_t used, size_t wanted) {
    const size_t room = std::max(2 * room_, used + wanted);
    auto larger = std::make_unique_for_overwrite<char[]>(room);
    std::memcpy(larger.get(), data_, used);
    heap_ = std::move(larger);
    data_ = heap_.get();
    room_ = room;
  }

 private:
  char* data_;
  size_t room_;
  std::unique_ptr<char[]> heap_;
  char inline_[kRoom];
};

}  // namespace otlp_arrow::exporters
