// Reading protobuf's wire format: the few primitives that the scan and the decoders share. Every read checks the end.
// https://protobuf.dev/programming-guides/encoding
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "otlp_arrow/wire_format.h"

namespace otlp_arrow::wire {

// A position in a message and the end of that message.
struct Cursor {
  const uint8_t* p;
  const uint8_t* end;

  explicit Cursor(std::string_view bytes)
      : p(reinterpret_cast<const uint8_t*>(bytes.data())), end(p + bytes.size()) {}
  Cursor(const uint8_t* begin, const uint8_t* stop) : p(begin), end(stop) {}

  bool done() const { return p >= end; }
  size_t left() const { return static_cast<size_t>(end - p); }
  std::string_view rest() const { return {reinterpret_cast<const char*>(p), left()}; }
};

// The out-of-line parts take and return positions by value (null: broken), so that a Cursor can live in registers.
// Varints of more than one byte; at most ten bytes.
const uint8_t* ReadLongVarint(const uint8_t* p, const uint8_t* end, uint64_t* value);
const uint8_t* SkipValueAt(const uint8_t* p, const uint8_t* end, uint32_t tag);

inline bool ReadVarint(Cursor* c, uint64_t* value) {
  if (c->p < c->end && *c->p < 0x80) [[likely]] {
    *value = *c->p++;
    return true;
  }
  uint64_t read = 0;
  const uint8_t* next = ReadLongVarint(c->p, c->end, &read);
  if (!next) return false;
  *value = read;
  c->p = next;
  return true;
}

// A tag as field << 3 | wire type. False at a bad varint, field 0 and tags over 32 bits.
inline bool ReadTag(Cursor* c, uint32_t* tag) {
  uint64_t value = 0;
  if (!ReadVarint(c, &value) || value > UINT32_MAX || value < 8) return false;
  *tag = static_cast<uint32_t>(value);
  return true;
}

inline bool ReadFixed64(Cursor* c, uint64_t* value) {
  if (c->left() < 8) return false;
  std::memcpy(value, c->p, 8);
  c->p += 8;
  return true;
}

inline bool ReadFixed32(Cursor* c, uint32_t* value) {
  if (c->left() < 4) return false;
  std::memcpy(value, c->p, 4);
  c->p += 4;
  return true;
}

// A length and that many bytes, as a cursor over them.
inline bool ReadLen(Cursor* c, Cursor* body) {
  uint64_t size = 0;
  if (!ReadVarint(c, &size) || size > c->left()) return false;
  body->p = c->p;
  body->end = c->p + size;
  c->p += size;
  return true;
}

// Steps over the value of a field whose tag was just read; groups too (up to 64 deep).
inline bool SkipValue(Cursor* c, uint32_t tag) {
  const uint8_t* next = SkipValueAt(c->p, c->end, tag);
  if (!next) return false;
  c->p = next;
  return true;
}

inline int32_t ZigZag32(uint32_t v) { return static_cast<int32_t>((v >> 1) ^ (~(v & 1) + 1)); }

inline double ToDouble(uint64_t bits) { return std::bit_cast<double>(bits); }

// True where n bytes at p are all below 0x80.
inline bool IsAscii(const uint8_t* p, size_t n) {
  uint64_t seen = 0;
  if (n >= 8) {
    const uint8_t* last = p + n - 8;
    for (; p < last; p += 8) {
      uint64_t v;
      std::memcpy(&v, p, 8);
      seen |= v;
    }
    uint64_t v;
    std::memcpy(&v, last, 8);
    seen |= v;
  } else {
    for (size_t i = 0; i < n; ++i) seen |= p[i];
  }
  return (seen & 0x8080808080808080ull) == 0;
}

// Are n bytes at a and b the same: for the short runs of keys, without a call.
inline bool SameBytes(const void* a_bytes, const void* b_bytes, size_t n) {
  const char* a = static_cast<const char*>(a_bytes);
  const char* b = static_cast<const char*>(b_bytes);
  auto load64 = [](const char* p) {
    uint64_t v;
    std::memcpy(&v, p, 8);
    return v;
  };
  if (n < 8) {
    for (size_t i = 0; i < n; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  uint64_t different = load64(a + n - 8) ^ load64(b + n - 8);
  for (size_t i = 0; i + 8 < n; i += 8) different |= load64(a + i) ^ load64(b + i);
  return different == 0;
}

}  // namespace otlp_arrow::wire
