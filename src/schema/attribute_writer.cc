#include "schema/attribute_writer.h"

#include <algorithm>

#include "base/base64.h"
#include "otlp/wire.h"
#include "schema/any_value_text.h"
#include "schema/schemas.h"

namespace otlp_arrow {
namespace {

constexpr uint32_t kKeyField = 1;
constexpr uint32_t kValueField = 2;

std::string_view TypeName(ValueType type) {
  switch (type) {
    case ValueType::kString: return "text";
    case ValueType::kBool: return "true or false";
    case ValueType::kInt: return "a 64-bit integer";
    case ValueType::kDouble: return "a number";
    case ValueType::kBytes: return "base64";
    case ValueType::kArray: return "a JSON array at most 64 deep";
    case ValueType::kMap: return "a JSON object at most 64 deep";
    case ValueType::kEmpty:
    case ValueType::kAbsent: return "null";
  }
  return "one of the letters s b i d x a m n -";
}

bool WriteTypedAttribute(std::string_view key, ValueType type, std::string_view text, uint32_t field, wire::Writer* out) {
  const auto entry = out->Begin(field);
  out->NonEmpty(kKeyField, key);
  if (type != ValueType::kAbsent) {
    const auto value = out->Begin(kValueField);
    if (!AppendAnyValue(type, text, out)) return false;
    out->End(value);
  }
  out->End(entry);
  return true;
}

}  // namespace

Status UnreadableText(const std::string& column, std::string_view text, const std::string& wanted) {
  constexpr size_t kShown = 80;
  size_t end = std::min(text.size(), kShown);
  while (end > 0 && end < text.size() && (text[end] & 0xc0) == 0x80) --end;  // not within a character
  std::string shown(text.substr(0, end));
  if (end < text.size()) shown += "…";
  return Status::Export("column '" + column + "': '" + shown + "' is not " + wanted);
}

Status AttributeWriter::Bind(const Columns& columns, const std::string& name) {
  OTLP_RETURN_NOT_OK(columns.Bind(name, &map_));
  return columns.Bind(name + "_types", &types_);
}

Status AttributeWriter::Write(int64_t row, uint32_t field, wire::Writer* out) const {
  const RowRange entries = map_[row];
  const std::string_view types = types_[row];
  if (!types.empty()) {
    if (types.front() == kExactPrefix) return WriteExact(types.substr(1), field, out);
    return WriteTyped(entries, types, field, out);
  }
  for (int64_t i = entries.begin; i < entries.end; ++i) out->TextAttribute(field, map_.keys()[i], map_.values()[i]);
  return {};
}

Status AttributeWriter::WriteTyped(RowRange entries, std::string_view types, uint32_t field, wire::Writer* out) const {
  if (static_cast<int64_t>(types.size()) != entries.size()) {
    return UnreadableText(map_.path() + "_types", types, "one letter for each of " + std::to_string(entries.size()) + " attributes");
  }
  for (int64_t i = entries.begin; i < entries.end; ++i) {
    const auto type = static_cast<ValueType>(types[static_cast<size_t>(i - entries.begin)]);
    const std::string_view key = map_.keys()[i];
    const std::string_view text = map_.values()[i];
    if (type == ValueType::kString) {
      out->TextAttribute(field, key, text);
    } else if (!WriteTypedAttribute(key, type, text, field, out)) {
      return UnreadableText(map_.path() + "['" + std::string(key) + "']", text,
                            std::string(TypeName(type)) + ", as its type '" + static_cast<char>(type) + "' says");
    }
  }
  return {};
}

Status AttributeWriter::WriteExact(std::string_view base64, uint32_t field, wire::Writer* out) const {
  static thread_local std::string list;
  list.clear();
  bool ok = AppendFromBase64(base64, &list);
  wire::Cursor c(list);
  while (ok && !c.done()) {
    uint32_t tag = 0;
    wire::Cursor entry(nullptr, nullptr);
    ok = wire::ReadTag(&c, &tag) && tag == wire::Tag(1, wire::kLen) && wire::ReadLen(&c, &entry);
    if (ok) out->Bytes(field, entry.rest());
  }
  return ok ? Status() : UnreadableText(map_.path() + "_types", base64, "the base64 of a KeyValueList message");
}

}  // namespace otlp_arrow
