// An AnyValue as text, and back: the forms that ValueType (schema/schemas.h) lists.
#pragma once

#include <string>
#include <string_view>

#include "schema/schemas.h"

namespace otlp_arrow {

namespace wire {
class Writer;
}

// Appends the text form of an AnyValue message's bytes and says its type. False where the text would not read back as
// the same value (nested bytes, NaN, infinities, a key twice in a map, an entry without value, more than one member
// set, deeper than kMaxValueDepth, bad UTF-8, damaged bytes): what was appended is then the best form for readers,
// still valid UTF-8 and, for arrays and maps, valid JSON.
bool AppendValueText(std::string_view any_value, std::string* text, ValueType* type);

// Appends the shortest decimal that reads back as the same double; it has a '.' or an 'e', or is NaN, Infinity or
// -Infinity. False for a NaN that has a sign or a payload, which the text does not carry.
bool AppendDoubleText(double value, std::string* text);

// Appends the member of the AnyValue message that `text` and `type` describe (nothing for kEmpty and kAbsent). False
// where the text is none of that type; something may have been appended even so. Reuses memory of the calling thread.
bool AppendAnyValue(ValueType type, std::string_view text, wire::Writer* out);

}  // namespace otlp_arrow
