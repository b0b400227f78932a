// What the tests of this folder share: writers and readers that must open, records read back as text.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ring/records.h"
#include "ring/ring_reader.h"
#include "otlp_arrow/ring/ring_writer.h"

namespace otlp_arrow::ring::testing {

template <class T>
T Must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.status().ToString();
    std::abort();  // nothing that follows would make sense
  }
  return *std::move(result);
}

// Small enough that laps are short and records must be split.
inline WriterOptions SmallFile() {
  WriterOptions options;
  options.events = options.spans = options.measurements = {16, 256};
  options.dictionary_max_bytes = 1 << 20;
  options.time_unix_nano = 77;
  return options;
}

struct Ids {
  std::array<uint8_t, 16> trace{};
  std::array<uint8_t, 8> span{};
  // Ids that hold a number.
  explicit Ids(uint64_t number = 1) {
    trace[0] = span[7] = 1;
    std::memcpy(trace.data() + 8, &number, sizeof(number));
    std::memcpy(span.data(), &number, 7);
  }
  SpanKey Key(Ref scope = 0) const { return {scope, trace, span}; }
  SpanContext Context(uint32_t flags = 0) const { return {trace, span, flags}; }
  SpanStart Start(std::string_view name) const {
    SpanStart start = {.trace_id = trace, .span_id = span, .name = name};
    start.start_time_unix_nano = 1000;
    return start;
  }
};

inline std::string Text(std::string_view bytes) { return std::string(bytes); }
inline std::string_view Bytes(const std::array<uint8_t, 16>& id) { return {reinterpret_cast<const char*>(id.data()), id.size()}; }
inline std::string_view Bytes(const std::array<uint8_t, 8>& id) { return {reinterpret_cast<const char*>(id.data()), id.size()}; }

// A value as text: "text", 1, 0.5, true, [..], {key: ..}, 3 bytes, @reference's text, -.
inline std::string Show(const RingReader& reader, const AnyView& value) {
  switch (value.type) {
    case Value::Type::kEmpty: return "-";
    case Value::Type::kString: return '"' + Text(value.bytes) + '"';
    case Value::Type::kBool: return value.boolean ? "true" : "false";
    case Value::Type::kInt: return std::to_string(value.integer);
    case Value::Type::kDouble: return std::to_string(value.number);
    case Value::Type::kBytes: return std::to_string(value.bytes.size()) + " bytes";
    case Value::Type::kRef: return "@" + Text(Must(reader.Entry(value.integer)));
    case Value::Type::kArray: {
      std::string text = "[";
      for (std::string_view element : value.elements) text += Show(reader, ReadAny(element)) + ",";
      return text + "]";
    }
    case Value::Type::kMap: break;
  }
  std::string text = "{";
  for (std::string_view element : value.elements) {
    const AttributeView pair = ReadAttribute(element);
    text += Text(Must(reader.Entry(pair.key))) + ":" + Show(reader, pair.value) + ",";
  }
  return text + "}";
}

inline std::string Show(const RingReader& reader, const Repeated& attributes) {
  std::string text;
  for (std::string_view element : attributes) {
    const AttributeView pair = ReadAttribute(element);
    text += (text.empty() ? "" : " ") + Text(Must(reader.Entry(pair.key))) + "=" + Show(reader, pair.value);
  }
  return text;
}

// All that a ring holds, as copies; what is read is freed.
inline std::vector<std::string> Drain(RingReader* reader, RingKind kind) {
  std::vector<std::string> records;
  for (;;) {
    const auto batch = Must(reader->Poll(kind));
    if (batch.empty()) return records;
    for (const RecordView& record : batch) records.emplace_back(record.bytes);
    reader->Advance(kind, reader->last_read(kind));
  }
}

// The variant's alternative, which must be this one.
template <class T, class Variant>
const T& As(const Variant& variant) {
  static const T kNone{};
  const T* value = std::get_if<T>(&variant);
  if (!value) ADD_FAILURE() << "another kind of record: " << variant.index();
  return value ? *value : kNone;
}

}  // namespace otlp_arrow::ring::testing
