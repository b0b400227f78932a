// Writing protobuf's wire format into one growing buffer. Lengths of nested messages are put in afterwards.
// https://protobuf.dev/programming-guides/encoding
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "otlp_arrow/export.h"
#include "otlp_arrow/wire_format.h"

namespace otlp_arrow::wire {

// Bytes that a varint takes: one for each 7 bits.
constexpr size_t VarintSize(uint64_t value) { return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7; }

// Where a writer's bytes are: room that Grow makes larger. This one is a string, which its owner can give away.
class StringBuffer {
 public:
  char* data() { return bytes_.data(); }
  const char* data() const { return bytes_.data(); }
  size_t room() const { return bytes_.size(); }
  // Makes room for `wanted` bytes behind the first `used` ones, which are kept.
  OTLP_ARROW_EXPORT void Grow(size_t used, size_t wanted);
  std::string Take(size_t used) {
    bytes_.resize(used);
    return std::exchange(bytes_, {});
  }

 private:
  std::string bytes_;  // its size is the room there is
};

// The methods of Writer, below, over a buffer of whatever kind.
template <class Buffer>
class BasicWriter {
 public:
  // A nested message that has been begun and not yet ended. Messages end in the reverse order of their beginnings.
  struct OpenMessage {
    size_t body = 0;          // where its content begins
    size_t length_bytes = 0;  // room kept for its length before that
  };

  BasicWriter() = default;
  BasicWriter(const BasicWriter&) = delete;
  BasicWriter& operator=(const BasicWriter&) = delete;

  size_t size() const { return size_; }
  // What is written so far; good until the next call that writes.
  std::string_view view() const { return {buffer_.data(), size_}; }

  void Reserve(size_t bytes) { EnsureRoom(bytes); }
  // Empty again; its memory stays.
  void Clear() { size_ = 0; }
  // Bytes of memory that it holds.
  size_t capacity() const { return buffer_.room(); }
  // Forgets what was written after the first `size` bytes.
  void Truncate(size_t size) { size_ = size; }

  // Each of these writes the field, default value or not.
  void Varint(uint32_t field, uint64_t value) {
    EnsureRoom(2 * kMaxVarintSize);
    PutTag(field, kVarint);
    PutVarint(value);
  }
  // int32 and enumerations: negative values take the sign up to 64 bits.
  void Int32(uint32_t field, int32_t value) { Varint(field, static_cast<uint64_t>(int64_t{value})); }
  void ZigZag32(uint32_t field, int32_t value) {
    Varint(field, static_cast<uint32_t>(value) << 1 ^ static_cast<uint32_t>(value >> 31));
  }
  void Fixed64(uint32_t field, uint64_t value) {
    EnsureRoom(kMaxVarintSize + sizeof(value));
    PutTag(field, kFixed64);
    PutBytes(&value, sizeof(value));
  }
  void Fixed32(uint32_t field, uint32_t value) {
    EnsureRoom(kMaxVarintSize + sizeof(value));
    PutTag(field, kFixed32);
    PutBytes(&value, sizeof(value));
  }
  void Double(uint32_t field, double value) { Fixed64(field, std::bit_cast<uint64_t>(value)); }
  void Bytes(uint32_t field, std::string_view bytes) {
    char* room = BytesRoom(field, bytes.size());
    if (!bytes.empty()) std::memcpy(room, bytes.data(), bytes.size());
  }
  // A length-delimited field whose content the caller writes to where the result points, all `size` bytes of it and
  // before the next call.
  char* BytesRoom(uint32_t field, size_t size) {
    EnsureRoom(2 * kMaxVarintSize + size);
    PutTag(field, kLen);
    PutVarint(size);
    size_ += size;
    return buffer_.data() + size_ - size;
  }
  // KeyValue{key, AnyValue{string_value}}: most attributes are this.
  void TextAttribute(uint32_t field, std::string_view key, std::string_view value) {
    const size_t any_size = 1 + VarintSize(value.size()) + value.size();
    const size_t size = 1 + VarintSize(key.size()) + key.size() + 1 + VarintSize(any_size) + any_size;
    EnsureRoom(2 * kMaxVarintSize + size);
    PutTag(field, kLen);
    PutVarint(size);
    PutText(1, key);
    PutTag(2, kLen);
    PutVarint(any_size);
    PutText(1, value);
  }
  // A number within a packed field that was begun.
  void PackedVarint(uint64_t value) {
    EnsureRoom(kMaxVarintSize);
    PutVarint(value);
  }
  // Bytes that are fields already.
  void Raw(std::string_view fields) {
    EnsureRoom(fields.size());
    PutBytes(fields.data(), fields.size());
  }

  // These leave the field out where it has proto3's default value.
  void NonZeroVarint(uint32_t field, uint64_t value) {
    if (value) Varint(field, value);
  }
  void NonZeroInt32(uint32_t field, int32_t value) {
    if (value) Int32(field, value);
  }
  void NonZeroFixed64(uint32_t field, uint64_t value) {
    if (value) Fixed64(field, value);
  }
  void NonZeroFixed32(uint32_t field, uint32_t value) {
    if (value) Fixed32(field, value);
  }
  // Negative zero is not the default.
  void NonZeroDouble(uint32_t field, double value) { NonZeroFixed64(field, std::bit_cast<uint64_t>(value)); }
  void NonEmpty(uint32_t field, std::string_view bytes) {
    if (!bytes.empty()) Bytes(field, bytes);
  }

  // `length_bytes` is a guess of the bytes that the length will take: a wrong one costs a move of the content.
  OpenMessage Begin(uint32_t field, size_t length_bytes = 1) {
    EnsureRoom(2 * kMaxVarintSize);
    PutTag(field, kLen);
    size_ += length_bytes;
    return {size_, length_bytes};
  }
  void End(OpenMessage message) {
    const size_t length = size_ - message.body;
    if (VarintSize(length) != message.length_bytes) [[unlikely]] MoveBody(&message, length);
    WriteVarint(buffer_.data() + message.body - message.length_bytes, length);
  }

 protected:
  Buffer buffer_;
  size_t size_ = 0;  // bytes of it that are written

 private:
  static constexpr size_t kMaxVarintSize = 10;

  static char* WriteVarint(char* p, uint64_t value) {
    while (value >= 0x80) {
      *p++ = static_cast<char>(value | 0x80);
      value >>= 7;
    }
    *p++ = static_cast<char>(value);
    return p;
  }

  void EnsureRoom(size_t n) {
    if (n > buffer_.room() - size_) [[unlikely]] buffer_.Grow(size_, n);
  }
  // Makes the room before a message as large as its length needs.
  [[gnu::noinline]] void MoveBody(OpenMessage* message, size_t length) {
    const size_t wanted = VarintSize(length);
    const size_t start = message->body - message->length_bytes;
    EnsureRoom(wanted);
    std::memmove(buffer_.data() + start + wanted, buffer_.data() + message->body, length);
    message->body = start + wanted;
    message->length_bytes = wanted;
    size_ = message->body + length;
  }

  // Unchecked: EnsureRoom comes first.
  void PutVarint(uint64_t value) {
    char* p = buffer_.data() + size_;
    size_ += static_cast<size_t>(WriteVarint(p, value) - p);
  }
  void PutTag(uint32_t field, WireType type) { PutVarint(Tag(field, type)); }
  void PutBytes(const void* bytes, size_t n) {
    if (n) std::memcpy(buffer_.data() + size_, bytes, n);
    size_ += n;
  }
  void PutText(uint32_t field, std::string_view text) {
    PutTag(field, kLen);
    PutVarint(text.size());
    PutBytes(text.data(), text.size());
  }
};

class Writer final : public BasicWriter<StringBuffer> {
 public:
  // The bytes written so far; the writer is empty afterwards.
  std::string Take() { return buffer_.Take(std::exchange(size_, 0)); }
};

}  // namespace otlp_arrow::wire
