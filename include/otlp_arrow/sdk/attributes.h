// Attributes as instrumented code hands them over: views of its memory, which are copied during the call.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "otlp_arrow/export.h"
#include "otlp_arrow/ring/values.h"
#include "otlp_arrow/telemetry.h"

namespace otlp_arrow::sdk {

// Text that is no UTF-8 is recorded as bytes; in keys and names its faulty bytes become U+FFFD. Arrays and maps are
// ring::Value's, over elements of the caller.
class AttributeValue {
 public:
  AttributeValue() = default;  // empty
  AttributeValue(bool value) : value_(value) {}                          // NOLINT: these are implicit, as for Value
  AttributeValue(const char* text) : value_(std::string_view(text ? text : "")) {}  // NOLINT
  AttributeValue(std::string_view text) : value_(text) {}                // NOLINT
  AttributeValue(const std::string& text) : value_(std::string_view(text)) {}  // NOLINT
  AttributeValue(const ring::Value& value) : value_(value) {}            // NOLINT
  // Integers above 2^63 - 1, which OTLP does not know, become floating point.
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  AttributeValue(T value)  // NOLINT
      : value_(std::in_range<int64_t>(value) ? ring::Value(static_cast<int64_t>(value)) : ring::Value(static_cast<double>(value))) {}
  template <std::floating_point T>
  AttributeValue(T value) : value_(static_cast<double>(value)) {}  // NOLINT

  const ring::Value& view() const { return value_; }

 private:
  ring::Value value_;
};

struct AttributeView {
  std::string_view key;
  AttributeValue value{};
};

// {{"http.route", "/orders"}, {"http.response.status_code", 200}}, a vector or an array: for the length of a call.
class AttributeList {
 public:
  AttributeList() = default;
  AttributeList(std::initializer_list<AttributeView> attributes) : size_(attributes.size()) { first_ = attributes.begin(); }  // NOLINT
  AttributeList(std::span<const AttributeView> attributes) : first_(attributes.data()), size_(attributes.size()) {}  // NOLINT
  AttributeList(const std::vector<AttributeView>& attributes) : first_(attributes.data()), size_(attributes.size()) {}  // NOLINT

  const AttributeView* begin() const { return first_; }
  const AttributeView* end() const { return first_ + size_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  const AttributeView* first_ = nullptr;
  size_t size_ = 0;
};

}  // namespace otlp_arrow::sdk
