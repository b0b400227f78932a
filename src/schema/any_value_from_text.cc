#include <charconv>
#include <cstdint>
#include <limits>

#include <simdjson.h>

#include "base/base64.h"
#include "otlp/scan.h"
#include "otlp_arrow/wire_writer.h"
#include "schema/any_value_text.h"

namespace otlp_arrow {
namespace {

// Field numbers of AnyValue's oneof, of KeyValue and of the lists.
enum Field : uint32_t { kString = 1, kBool = 2, kInt = 3, kDouble = 4, kArray = 5, kMap = 6, kBytes = 7 };
constexpr uint32_t kElement = 1;
constexpr uint32_t kKey = 1;
constexpr uint32_t kValue = 2;

bool WriteJson(simdjson::dom::element element, int depth, wire::Writer* out);

bool WriteJsonArray(simdjson::dom::array array, int depth, wire::Writer* out) {
  const auto list = out->Begin(kArray);
  for (simdjson::dom::element e : array) {
    const auto element = out->Begin(kElement);
    if (!WriteJson(e, depth + 1, out)) return false;
    out->End(element);
  }
  out->End(list);
  return true;
}

bool WriteJsonObject(simdjson::dom::object object, int depth, wire::Writer* out) {
  const auto list = out->Begin(kMap);
  for (simdjson::dom::key_value_pair member : object) {
    const auto entry = out->Begin(kElement);
    out->NonEmpty(kKey, member.key);
    const auto value = out->Begin(kValue);
    if (!WriteJson(member.value, depth + 1, out)) return false;
    out->End(value);
    out->End(entry);
  }
  out->End(list);
  return true;
}

// The member of an AnyValue message; null is the message without one.
bool WriteJson(simdjson::dom::element element, int depth, wire::Writer* out) {
  using Type = simdjson::dom::element_type;
  if (depth > kMaxValueDepth) return false;
  switch (element.type()) {
    case Type::ARRAY: return WriteJsonArray(element.get_array().value_unsafe(), depth, out);
    case Type::OBJECT: return WriteJsonObject(element.get_object().value_unsafe(), depth, out);
    case Type::INT64: out->Varint(kInt, static_cast<uint64_t>(element.get_int64().value_unsafe())); return true;
    case Type::UINT64: return false;  // beyond OTLP's integers
    case Type::DOUBLE: out->Double(kDouble, element.get_double().value_unsafe()); return true;
    case Type::STRING: out->Bytes(kString, element.get_string().value_unsafe()); return true;
    case Type::BOOL: out->Varint(kBool, element.get_bool().value_unsafe()); return true;
    case Type::NULL_VALUE: return true;
  }
  return false;
}

bool WriteJsonText(std::string_view text, ValueType type, wire::Writer* out) {
  static thread_local simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return false;
  if (type == ValueType::kArray ? !root.is_array() : !root.is_object()) return false;
  return WriteJson(root, 0, out);
}

template <class T>
bool ParseNumber(std::string_view text, T* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool WriteBool(std::string_view text, wire::Writer* out) {
  if (text != "true" && text != "false") return false;
  out->Varint(kBool, text == "true");
  return true;
}

bool WriteInt(std::string_view text, wire::Writer* out) {
  int64_t value = 0;
  if (!ParseNumber(text, &value)) return false;
  out->Varint(kInt, static_cast<uint64_t>(value));
  return true;
}

bool WriteDouble(std::string_view text, wire::Writer* out) {
  double value = 0;
  if (text == "NaN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (!ParseNumber(text, &value)) {  // reads the infinities too
    return false;
  }
  out->Double(kDouble, value);
  return true;
}

bool WriteBytes(std::string_view text, wire::Writer* out) {
  static thread_local std::string bytes;
  bytes.clear();
  if (!AppendFromBase64(text, &bytes)) return false;
  out->Bytes(kBytes, bytes);
  return true;
}

}  // namespace

bool AppendAnyValue(ValueType type, std::string_view text, wire::Writer* out) {
  switch (type) {
    case ValueType::kString: out->Bytes(kString, text); return true;
    case ValueType::kBool: return WriteBool(text, out);
    case ValueType::kInt: return WriteInt(text, out);
    case ValueType::kDouble: return WriteDouble(text, out);
    case ValueType::kBytes: return WriteBytes(text, out);
    case ValueType::kArray:
    case ValueType::kMap: return WriteJsonText(text, type, out);
    case ValueType::kEmpty:
    case ValueType::kAbsent: return true;
  }
  return false;
}

}  // namespace otlp_arrow
