// Attributes of a call as its ring takes them, on the stack but for odd ones.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "otlp_arrow/ring/ring_writer.h"
#include "otlp_arrow/sdk/attributes.h"
#include "sdk/text.h"

namespace otlp_arrow::sdk {

// Memory of values that had to be changed.
class ValueStorage {
 public:
  std::string_view Keep(std::string text) { return *texts_.emplace_back(std::make_unique<std::string>(std::move(text))); }
  std::vector<ring::Value>* NewArray() { return arrays_.emplace_back(std::make_unique<std::vector<ring::Value>>()).get(); }
  std::vector<ring::Attribute>* NewMap() { return maps_.emplace_back(std::make_unique<std::vector<ring::Attribute>>()).get(); }

 private:
  std::vector<std::unique_ptr<std::string>> texts_;
  std::vector<std::unique_ptr<std::vector<ring::Value>>> arrays_;
  std::vector<std::unique_ptr<std::vector<ring::Attribute>>> maps_;
};

// The value with its texts well-formed and no longer than `most` characters.
ring::Value CleanNested(const ring::Value& value, size_t most, ValueStorage* storage, int depth = 1);
inline ring::Value Clean(const ring::Value& value, size_t most, ValueStorage* storage) {
  using Type = ring::Value::Type;
  if (value.type == Type::kString) {
    if (!IsUtf8(value.bytes())) [[unlikely]] return ring::Value::Bytes(value.bytes().substr(0, most));
    return value.size <= most ? value : ring::Value(FirstCharacters(value.bytes(), most));
  }
  if (value.type < Type::kArray) [[likely]] return value;
  return CleanNested(value, most, storage);
}

// Where the references of keys and names come from. `owner`: a number of that dictionary, which no other one gets.
struct Dictionary {
  ring::RingWriter* writer;
  uint64_t owner;
};

// A key that this thread used lately. Found by where its text lies, which a literal does not change, and compared.
struct CachedKey {
  static constexpr size_t kMostBytes = 40;

  uint64_t owner;  // 0: none
  ring::Ref ref;
  uint64_t size;
  char text[kMostBytes];
};
inline constexpr size_t kCachedKeys = 64;
extern thread_local constinit CachedKey cached_keys[kCachedKeys];

ring::Ref InternKey(const Dictionary& dictionary, std::string_view text, CachedKey* cached) noexcept;

// The reference of a key or name; 0: there is none for it, because the dictionary is full or it is empty.
inline ring::Ref RefOf(const Dictionary& dictionary, std::string_view text) noexcept {
  const auto place = reinterpret_cast<uintptr_t>(text.data());
  CachedKey& cached = cached_keys[(place >> 3 ^ place >> 9 ^ text.size()) % kCachedKeys];
  if (cached.owner == dictionary.owner && cached.size == text.size() && std::memcmp(cached.text, text.data(), text.size()) == 0) return cached.ref;
  return InternKey(dictionary, text, &cached);
}

class AttributeBuffer {
 public:
  AttributeBuffer() {}  // NOLINT: the elements stay uninitialised

  // The first `most` that have a key and pass `admit(Ref)`.
  template <class Admit>
  void Add(const Dictionary& dictionary, AttributeList attributes, uint32_t most, size_t most_text, Admit&& admit) {
    for (const AttributeView& attribute : attributes) {
      if (attribute.key.empty()) continue;  // OpenTelemetry has none such
      const ring::Ref key = size_ < most ? RefOf(dictionary, attribute.key) : 0;
      if (key == 0) {
        ++dropped_;
      } else if (admit(key)) {
        Append({key, Clean(attribute.value.view(), most_text, &storage_)});
      }
    }
  }
  void Add(const Dictionary& dictionary, AttributeList attributes, uint32_t most, size_t most_text) {
    Add(dictionary, attributes, most, most_text, [](ring::Ref) { return true; });
  }

  ring::Attributes view() const { return {more_.empty() ? reinterpret_cast<const ring::Attribute*>(inline_) : more_.data(), size_}; }
  uint32_t dropped() const { return dropped_; }

 private:
  static constexpr size_t kInline = 16;

  void Append(const ring::Attribute& attribute) {
    if (size_ < kInline) [[likely]] {
      new (inline_ + size_ * sizeof(ring::Attribute)) ring::Attribute(attribute);
    } else {
      if (more_.empty()) {
        const auto* first = reinterpret_cast<const ring::Attribute*>(inline_);
        more_.assign(first, first + size_);
      }
      more_.push_back(attribute);
    }
    ++size_;
  }

  alignas(ring::Attribute) unsigned char inline_[kInline * sizeof(ring::Attribute)];
  size_t size_ = 0;
  uint32_t dropped_ = 0;
  std::vector<ring::Attribute> more_;
  ValueStorage storage_;
};

}  // namespace otlp_arrow::sdk
