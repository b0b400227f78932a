// The SDK's attribute values as OTLP's AnyValue and KeyValue, written where they belong at once.
//
// Integers beyond 64 bits with sign become decimal text and text that is no UTF-8 becomes bytes, as in
// https://opentelemetry.io/docs/specs/otel/common/attribute-type-mapping. Else as the SDK's OTLP exporters do it: bytes
// become an array of integers.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <opentelemetry/common/attribute_value.h>
#include <opentelemetry/nostd/span.h>
#include <opentelemetry/nostd/string_view.h>
#include <opentelemetry/nostd/variant.h>
#include <opentelemetry/sdk/common/attribute_utils.h>

#include "otlp_fields.h"
#include "text.h"

namespace otlp_arrow::exporters {

// Visits an AttributeValue or OwnedAttributeValue and writes the one field of its AnyValue. `Out` is a writer
// (otlp_arrow/wire_writer.h).
template <class Out>
class ValueWriter {
 public:
  explicit ValueWriter(Out* out) : out_(out) {}

  void operator()(bool value) { out_->Varint(field::kBool, value); }
  void operator()(int32_t value) { (*this)(int64_t{value}); }
  void operator()(uint32_t value) { (*this)(int64_t{value}); }
  void operator()(int64_t value) { out_->Varint(field::kInt, static_cast<uint64_t>(value)); }
  void operator()(uint64_t value) {
    if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return (*this)(static_cast<int64_t>(value));
    out_->Bytes(field::kText, std::to_string(value));
  }
  void operator()(double value) { out_->Double(field::kDouble, value); }
  void operator()(std::string_view text) { out_->Bytes(IsUtf8(text) ? field::kText : field::kBytes, text); }
  void operator()(opentelemetry::nostd::string_view text) { (*this)(View(text)); }
  void operator()(const std::string& text) { (*this)(std::string_view(text)); }
  void operator()(const char* text) { (*this)(text ? std::string_view(text) : std::string_view()); }

  template <class T>
  void operator()(opentelemetry::nostd::span<const T> values) {
    WriteArray(values);
  }
  template <class T>
  void operator()(const std::vector<T>& values) {
    WriteArray(values);
  }

 private:
  template <class Range>
  void WriteArray(const Range& values) {
    const auto array = out_->Begin(field::kArray);
    for (const auto& value : values) {
      const auto any = out_->Begin(field::kArrayValues);
      (*this)(value);
      out_->End(any);
    }
    out_->End(array);
  }

  Out* out_;
};

// AnyValue{value} as `field`.
template <class Out, class Value>
void WriteAnyValue(Out* out, uint32_t field, const Value& value) {
  const auto any = out->Begin(field);
  opentelemetry::nostd::visit(ValueWriter<Out>(out), value);
  out->End(any);
}

// Visits a value that is text; false for those that are not.
struct TextOf {
  std::string_view* text;

  bool operator()(const char* value) const { return *text = value ? std::string_view(value) : std::string_view(), true; }
  bool operator()(opentelemetry::nostd::string_view value) const { return *text = View(value), true; }
  bool operator()(const std::string& value) const { return *text = value, true; }
  template <class Other>
  bool operator()(const Other&) const {
    return false;
  }
};

// KeyValue{key, value} as `field`.
template <class Out, class Value>
void WriteAttribute(Out* out, uint32_t field, std::string_view key, const Value& value) {
  std::string storage;
  key = ValidText(key, &storage);
  std::string_view text;
  if (opentelemetry::nostd::visit(TextOf{&text}, value) && IsUtf8(text)) return out->TextAttribute(field, key, text);
  const auto attribute = out->Begin(field);
  out->Bytes(field::kKey, key);
  WriteAnyValue(out, field::kKeyedValue, value);
  out->End(attribute);
}

// Each of a map's attributes as `field`.
template <class Out, class Map>
void WriteAttributes(Out* out, uint32_t field, const Map& attributes) {
  for (const auto& [key, value] : attributes) WriteAttribute(out, field, key, value);
}

}  // namespace otlp_arrow::exporters
