// The API's attribute values as the native SDK takes them, for the length of a call. As the exporters have it, bytes become an
// array of integers, and integers beyond 64 bits with sign decimal text.
#pragma once

#include <cstdint>
#include <forward_list>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <opentelemetry/common/attribute_value.h>
#include <opentelemetry/common/key_value_iterable.h>
#include <opentelemetry/nostd/span.h>
#include <opentelemetry/nostd/string_view.h>
#include <opentelemetry/nostd/variant.h>

#include "otlp_arrow/sdk/attributes.h"

namespace otlp_arrow::bridge {

inline std::string_view View(opentelemetry::nostd::string_view text) { return {text.data(), text.size()}; }

// Memory of values that are not the caller's own.
class ValueMemory {
 public:
  std::string_view Keep(std::string text) { return texts_.emplace_front(std::move(text)); }
  std::vector<ring::Value>* NewArray(size_t size) {
    auto& array = arrays_.emplace_front();
    array.reserve(size);
    return &array;
  }

 private:
  std::forward_list<std::string> texts_;
  std::forward_list<std::vector<ring::Value>> arrays_;
};

// Visits an AttributeValue. `copies`: texts of the value are kept.
class ValueConverter {
 public:
  explicit ValueConverter(ValueMemory* memory, bool copies = false) : memory_(memory), copies_(copies) {}

  ring::Value operator()(bool value) { return ring::Value(value); }
  ring::Value operator()(int32_t value) { return ring::Value(int64_t{value}); }
  ring::Value operator()(uint32_t value) { return ring::Value(int64_t{value}); }
  ring::Value operator()(int64_t value) { return ring::Value(value); }
  ring::Value operator()(uint64_t value) {
    if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return ring::Value(static_cast<int64_t>(value));
    return ring::Value(memory_->Keep(std::to_string(value)));
  }
  ring::Value operator()(double value) { return ring::Value(value); }
  ring::Value operator()(const char* text) { return Text(text ? std::string_view(text) : std::string_view()); }
  ring::Value operator()(opentelemetry::nostd::string_view text) { return Text(View(text)); }
  template <class T>
  ring::Value operator()(opentelemetry::nostd::span<const T> values) {
    auto* elements = memory_->NewArray(values.size());
    for (const auto& value : values) elements->push_back((*this)(value));
    return ring::Value(std::span<const ring::Value>(*elements));
  }
  ring::Value operator()(opentelemetry::nostd::span<const uint8_t> bytes) {
    auto* elements = memory_->NewArray(bytes.size());
    for (const uint8_t byte : bytes) elements->push_back(ring::Value(int64_t{byte}));
    return ring::Value(std::span<const ring::Value>(*elements));
  }

 private:
  ring::Value Text(std::string_view text) { return ring::Value(copies_ ? memory_->Keep(std::string(text)) : text); }

  ValueMemory* memory_;
  const bool copies_;
};

class ConvertedAttributes {
 public:
  ConvertedAttributes() {}  // NOLINT: the elements stay uninitialised
  explicit ConvertedAttributes(const opentelemetry::common::KeyValueIterable& attributes) {
    attributes.ForEachKeyValue([this](opentelemetry::nostd::string_view key, const opentelemetry::common::AttributeValue& value) {
      Add(View(key), value);
      return true;
    });
  }
  ConvertedAttributes(const ConvertedAttributes&) = delete;
  ConvertedAttributes& operator=(const ConvertedAttributes&) = delete;

  void Add(std::string_view key, const opentelemetry::common::AttributeValue& value) noexcept {
    try {
      const ring::Value converted = opentelemetry::nostd::visit(ValueConverter(&memory_), value);
      Append({key, converted});
    } catch (...) {  // no memory
    }
  }
  sdk::AttributeList view() const {
    const auto* first = reinterpret_cast<const sdk::AttributeView*>(inline_);
    return more_.empty() ? std::span<const sdk::AttributeView>(first, size_) : std::span<const sdk::AttributeView>(more_);
  }

 private:
  static constexpr size_t kInline = 12;

  void Append(const sdk::AttributeView& attribute) {
    if (more_.empty() && size_ < kInline) [[likely]] {
      new (inline_ + size_++ * sizeof(sdk::AttributeView)) sdk::AttributeView(attribute);
      return;
    }
    if (more_.empty()) {
      const auto* first = reinterpret_cast<const sdk::AttributeView*>(inline_);
      more_.assign(first, first + size_);
    }
    more_.push_back(attribute);
  }

  alignas(sdk::AttributeView) unsigned char inline_[kInline * sizeof(sdk::AttributeView)];
  size_t size_ = 0;
  std::vector<sdk::AttributeView> more_;
  ValueMemory memory_;
};

// Owned, for scopes.
Attributes OwnedAttributes(const opentelemetry::common::KeyValueIterable& attributes);

}  // namespace otlp_arrow::bridge
