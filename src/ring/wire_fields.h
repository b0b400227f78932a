// The fields of a protobuf message one by one, from bytes that nobody has checked.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "otlp_arrow/wire_format.h"
#include "ring/varint.h"

namespace otlp_arrow::ring {

struct WireField {
  uint32_t number = 0;
  wire::WireType type = wire::kVarint;
  uint64_t value = 0;      // kVarint, kFixed32, kFixed64
  std::string_view bytes;  // kLen
};

class WireFields {
 public:
  explicit WireFields(std::string_view message)
      : p_(reinterpret_cast<const uint8_t*>(message.data())), end_(p_ + message.size()) {}

  // False at the end, and at what cannot be read: then broken() holds. Groups, which proto3 has not, are broken.
  bool Next(WireField* field) {
    if (p_ == end_ || broken_) return false;
    broken_ = !Read(field);
    return !broken_;
  }
  bool broken() const { return broken_; }
  // What stands behind the field that was read last.
  std::string_view rest() const { return {reinterpret_cast<const char*>(p_), static_cast<size_t>(end_ - p_)}; }

 private:
  bool Read(WireField* field) {
    uint64_t tag = 0;
    if (!(p_ = ReadVarint(p_, end_, &tag)) || tag > UINT32_MAX || tag < 8) return false;
    field->number = static_cast<uint32_t>(tag >> 3);
    field->type = static_cast<wire::WireType>(tag & 7);
    switch (field->type) {
      case wire::kVarint: return (p_ = ReadVarint(p_, end_, &field->value)) != nullptr;
      case wire::kFixed64: return ReadFixed(8, &field->value);
      case wire::kFixed32: return ReadFixed(4, &field->value);
      case wire::kLen: {
        uint64_t size = 0;
        if (!(p_ = ReadVarint(p_, end_, &size)) || size > static_cast<uint64_t>(end_ - p_)) return false;
        field->bytes = {reinterpret_cast<const char*>(p_), size};
        p_ += size;
        return true;
      }
      default: return false;
    }
  }
  bool ReadFixed(size_t size, uint64_t* value) {
    if (static_cast<size_t>(end_ - p_) < size) return false;
    *value = 0;
    std::memcpy(value, p_, size);
    p_ += size;
    return true;
  }

  const uint8_t* p_;
  const uint8_t* end_;
  bool broken_ = false;
};

}  // namespace otlp_arrow::ring
