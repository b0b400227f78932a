// Any bytes as an AnyValue message into text and back, and any text into a value and back; the first byte selects.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "otlp_arrow/wire_writer.h"
#include "schema/any_value_text.h"

namespace otlp_arrow {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

std::string ToWire(ValueType type, std::string_view text) {
  wire::Writer out;
  Require(AppendAnyValue(type, text, &out));
  return out.Take();
}

// Text that is said to be exact makes bytes that make the same text; any text is valid UTF-8, and JSON where it says so.
void BytesToText(std::string_view bytes) {
  std::string text;
  auto type = ValueType::kString;
  const bool exact = AppendValueText(bytes, &text, &type);
  Require(simdjson::validate_utf8(text));
  if (type == ValueType::kArray || type == ValueType::kMap) {
    simdjson::dom::parser parser;
    Require(parser.parse(text).error() == simdjson::SUCCESS);
  }
  if (!exact) return;
  std::string again;
  auto type_again = ValueType::kAbsent;
  Require(AppendValueText(ToWire(type, text), &again, &type_again));
  Require(type == type_again && text == again);
}

void TextToBytes(ValueType type, std::string_view text) {
  wire::Writer out;
  if (!AppendAnyValue(type, text, &out)) return;
  std::string again;
  ValueType type_again = ValueType::kAbsent;
  (void)AppendValueText(out.Take(), &again, &type_again);
  Require(type_again == (type == ValueType::kAbsent ? ValueType::kEmpty : type));
}

}  // namespace
}  // namespace otlp_arrow

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace otlp_arrow;  // NOLINT
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 0) {
    BytesToText(rest);
  } else {
    TextToBytes(static_cast<ValueType>(data[0]), rest);
  }
  return 0;
}
