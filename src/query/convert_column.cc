#include "query/convert_column.h"

#include <string_view>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "base/base64.h"
#include "schema/any_value_text.h"

namespace otlp_arrow {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using TypePtr = std::shared_ptr<arrow::DataType>;

Status CannotBe(const std::string& source, const arrow::Array& column, const std::string& what, const std::string& why) {
  return Status::Export("column '" + source + "' (" + column.type()->ToString() + ") cannot be " + what + ": " + why);
}

arrow::Result<ArrayPtr> Cast(const ArrayPtr& column, const TypePtr& type) {
  ARROW_ASSIGN_OR_RAISE(arrow::Datum cast, arrow::compute::Cast(column, arrow::compute::CastOptions::Safe(type)));
  return cast.make_array();
}

TypePtr Nanoseconds() { return arrow::timestamp(arrow::TimeUnit::NANO); }

// The bytes of each value, whatever kind of binary column it is.
template <class Append>
arrow::Status EachBinary(const arrow::Array& column, arrow::StringBuilder* out, const Append& append) {
  std::string text;
  for (int64_t row = 0; row < column.length(); ++row) {
    if (column.IsNull(row)) {
      ARROW_RETURN_NOT_OK(out->AppendNull());
      continue;
    }
    std::string_view bytes;
    switch (column.type_id()) {
      case arrow::Type::BINARY: bytes = static_cast<const arrow::BinaryArray&>(column).GetView(row); break;
      case arrow::Type::LARGE_BINARY: bytes = static_cast<const arrow::LargeBinaryArray&>(column).GetView(row); break;
      case arrow::Type::BINARY_VIEW: bytes = static_cast<const arrow::BinaryViewArray&>(column).GetView(row); break;
      default: bytes = static_cast<const arrow::FixedSizeBinaryArray&>(column).GetView(row); break;
    }
    text.clear();
    append(bytes, &text);
    ARROW_RETURN_NOT_OK(out->Append(text));
  }
  return arrow::Status::OK();
}

bool IsBinary(const arrow::DataType& type) {
  return type.id() == arrow::Type::BINARY || type.id() == arrow::Type::LARGE_BINARY || type.id() == arrow::Type::BINARY_VIEW ||
         type.id() == arrow::Type::FIXED_SIZE_BINARY;
}

bool IsText(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING || type.id() == arrow::Type::STRING_VIEW;
}

template <class Append>
arrow::Result<ArrayPtr> BinaryToText(const arrow::Array& column, const Append& append) {
  arrow::StringBuilder builder;
  ARROW_RETURN_NOT_OK(EachBinary(column, &builder, append));
  return builder.Finish();
}

void AppendHex(std::string_view bytes, std::string* text) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : bytes) {
    *text += kDigits[static_cast<unsigned char>(c) >> 4];
    *text += kDigits[static_cast<unsigned char>(c) & 15];
  }
}

bool IsId(const std::string& name) { return name.ends_with("_id"); }

arrow::Result<ArrayPtr> ToText(const ArrayPtr& column, const arrow::Field& target) {
  if (!IsBinary(*column->type())) return Cast(column, arrow::utf8());
  if (IsId(target.name())) return BinaryToText(*column, AppendHex);
  return arrow::Status::TypeError("bytes are no text; name it under attributes, or send text");
}

arrow::Result<ArrayPtr> NumbersToTime(const ArrayPtr& column, std::optional<arrow::TimeUnit::type> unit) {
  if (!unit) return arrow::Status::TypeError(R"(say the unit of its numbers: {"column":"…","unit":"s"}, or "ms", "us", "ns")");
  if (arrow::is_integer(column->type_id())) {
    ARROW_ASSIGN_OR_RAISE(const auto numbers, Cast(column, arrow::int64()));
    ARROW_ASSIGN_OR_RAISE(const auto times, Cast(numbers, arrow::timestamp(*unit)));
    return Cast(times, Nanoseconds());
  }
  ARROW_ASSIGN_OR_RAISE(const auto cast, Cast(column, arrow::float64()));
  const auto& numbers = static_cast<const arrow::DoubleArray&>(*cast);
  constexpr double kScales[] = {1e9, 1e6, 1e3, 1};
  const double scale = kScales[static_cast<int>(*unit)];
  arrow::TimestampBuilder builder(Nanoseconds(), arrow::default_memory_pool());
  for (int64_t row = 0; row < numbers.length(); ++row) {
    if (numbers.IsNull(row)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    const double time = numbers.Value(row) * scale;
    if (!(time > -9.2e18 && time < 9.2e18)) return arrow::Status::Invalid("row ", row, " is no time between 1677 and 2262");
    ARROW_RETURN_NOT_OK(builder.Append(static_cast<int64_t>(time)));
  }
  return builder.Finish();
}

arrow::Result<ArrayPtr> ToTime(const ArrayPtr& column, std::optional<arrow::TimeUnit::type> unit) {
  const auto& type = *column->type();
  if (type.id() == arrow::Type::TIMESTAMP) {
    // The instant, whatever the zone: its 64 bits are in UTC.
    const auto plain = arrow::timestamp(static_cast<const arrow::TimestampType&>(type).unit());
    ARROW_ASSIGN_OR_RAISE(const auto instants, column->View(plain));
    return Cast(instants, Nanoseconds());
  }
  if (arrow::is_integer(type.id()) || arrow::is_floating(type.id())) return NumbersToTime(column, unit);
  if (IsText(type)) {
    auto local = Cast(column, Nanoseconds());
    if (local.ok()) return local;
    auto zoned = Cast(column, arrow::timestamp(arrow::TimeUnit::NANO, "UTC"));
    return zoned.ok() ? (*zoned)->View(Nanoseconds()) : local;
  }
  return Cast(column, Nanoseconds());
}

arrow::Result<ArrayPtr> ToNumber(const ArrayPtr& column, const TypePtr& type) {
  if (column->type_id() == arrow::Type::DURATION) {
    ARROW_ASSIGN_OR_RAISE(const auto nanoseconds, Cast(column, arrow::duration(arrow::TimeUnit::NANO)));
    ARROW_ASSIGN_OR_RAISE(const auto numbers, nanoseconds->View(arrow::int64()));
    return Cast(numbers, type);
  }
  return Cast(column, type);
}

arrow::Result<ArrayPtr> Plain(const ArrayPtr& column) {
  if (column->type_id() != arrow::Type::DICTIONARY) return column;
  return Cast(column, static_cast<const arrow::DictionaryType&>(*column->type()).value_type());
}

arrow::Result<ArrayPtr> Convert(const ArrayPtr& given, const arrow::Field& target, std::optional<arrow::TimeUnit::type> unit) {
  switch (target.type()->id()) {
    case arrow::Type::MAP:
    case arrow::Type::STRUCT: return given;
    case arrow::Type::LIST: {
      const auto& element = *static_cast<const arrow::ListType&>(*target.type()).value_type();
      return arrow::is_nested(element.id()) || given->type()->Equals(*target.type()) ? given : Cast(given, target.type());
    }
    default: break;
  }
  ARROW_ASSIGN_OR_RAISE(const auto column, Plain(given));
  switch (target.type()->id()) {
    case arrow::Type::STRING:
    case arrow::Type::DICTIONARY: return ToText(column, target);
    case arrow::Type::TIMESTAMP: return ToTime(column, unit);
    default: return ToNumber(column, target.type());
  }
}

arrow::Result<ArrayPtr> DoublesToText(const ArrayPtr& column) {
  ARROW_ASSIGN_OR_RAISE(const auto cast, Cast(column, arrow::float64()));
  const auto& numbers = static_cast<const arrow::DoubleArray&>(*cast);
  arrow::StringBuilder builder;
  std::string text;
  for (int64_t row = 0; row < numbers.length(); ++row) {
    if (numbers.IsNull(row)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    text.clear();
    (void)AppendDoubleText(numbers.Value(row), &text);
    ARROW_RETURN_NOT_OK(builder.Append(text));
  }
  return builder.Finish();
}

arrow::Result<AttributeTexts> ToAttribute(const ArrayPtr& given) {
  ARROW_ASSIGN_OR_RAISE(const auto column, Plain(given));
  AttributeTexts made;
  const auto id = column->type_id();
  if (arrow::is_nested(id)) return arrow::Status::TypeError("lists, structs and maps are no attribute; send them as JSON text");
  if (id == arrow::Type::BOOL) {
    made.type = ValueType::kBool;
    ARROW_ASSIGN_OR_RAISE(made.texts, Cast(column, arrow::utf8()));
  } else if (arrow::is_integer(id)) {
    made.type = ValueType::kInt;
    ARROW_ASSIGN_OR_RAISE(const auto numbers, Cast(column, arrow::int64()));
    ARROW_ASSIGN_OR_RAISE(made.texts, Cast(numbers, arrow::utf8()));
  } else if (arrow::is_floating(id)) {
    made.type = ValueType::kDouble;
    ARROW_ASSIGN_OR_RAISE(made.texts, DoublesToText(column));
  } else if (IsBinary(*column->type())) {
    made.type = ValueType::kBytes;
    ARROW_ASSIGN_OR_RAISE(made.texts, BinaryToText(*column, [](std::string_view bytes, std::string* text) { AppendBase64(bytes, text); }));
  } else {
    ARROW_ASSIGN_OR_RAISE(made.texts, Cast(column, arrow::utf8()));
  }
  return made;
}

}  // namespace

Result<ArrayPtr> ConvertColumn(const std::string& source, const ArrayPtr& column, const arrow::Field& target,
                               std::optional<arrow::TimeUnit::type> unit) {
  auto converted = Convert(column, target, unit);
  if (!converted.ok()) return CannotBe(source, *column, "'" + target.name() + "' (" + target.type()->ToString() + ")", converted.status().message());
  return *converted;
}

Result<AttributeTexts> ConvertToAttribute(const std::string& source, const ArrayPtr& column) {
  auto converted = ToAttribute(column);
  if (!converted.ok()) return CannotBe(source, *column, "an attribute", converted.status().message());
  return *std::move(converted);
}

}  // namespace otlp_arrow
