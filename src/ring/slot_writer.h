// Protobuf's wire format into memory that is known to be large enough: sizes are computed before.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "otlp_arrow/wire_format.h"

namespace otlp_arrow::ring {

constexpr size_t VarintBytes(uint64_t value) { return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7; }
constexpr size_t TagBytes(uint32_t field) { return VarintBytes(field << 3); }
// A length-delimited field with its tag.
constexpr size_t LenBytes(uint32_t field, size_t size) { return TagBytes(field) + VarintBytes(size) + size; }
constexpr size_t VarintFieldBytes(uint32_t field, uint64_t value) { return TagBytes(field) + VarintBytes(value); }
constexpr size_t TextBytes(uint32_t field, std::string_view text) { return text.empty() ? 0 : LenBytes(field, text.size()); }

class SlotWriter {
 public:
  explicit SlotWriter(uint8_t* at) : p_(at) {}
  uint8_t* at() const { return p_; }

  void Varint(uint64_t value) {
    while (value >= 0x80) {
      *p_++ = static_cast<uint8_t>(value | 0x80);
      value >>= 7;
    }
    *p_++ = static_cast<uint8_t>(value);
  }
  void Tag(uint32_t field, wire::WireType type) { Varint(wire::Tag(field, type)); }
  void VarintField(uint32_t field, uint64_t value) {
    Tag(field, wire::kVarint);
    Varint(value);
  }
  void Fixed64(uint32_t field, uint64_t value) {
    Tag(field, wire::kFixed64);
    Raw(&value, sizeof(value));
  }
  void Fixed32(uint32_t field, uint32_t value) {
    Tag(field, wire::kFixed32);
    Raw(&value, sizeof(value));
  }
  void Len(uint32_t field, size_t size) {
    Tag(field, wire::kLen);
    Varint(size);
  }
  void Bytes(uint32_t field, const void* bytes, size_t size) {
    Len(field, size);
    Raw(bytes, size);
  }
  // Nothing where there is no text.
  void Text(uint32_t field, std::string_view text) {
    if (!text.empty()) Bytes(field, text.data(), text.size());
  }
  void Raw(const void* bytes, size_t size) {
    if (size) std::memcpy(p_, bytes, size);
    p_ += size;
  }

 private:
  uint8_t* p_;
};

}  // namespace otlp_arrow::ring
