// The Arrow tables that hold OTLP: one row per span, data point or log record. docs/formats/tables.md describes every
// column; this is where they are defined.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Written to the metadata of every file under kSchemaVersionKey.
inline constexpr std::string_view kSchemaVersion = "1";
inline constexpr std::string_view kSchemaVersionKey = "otlp_arrow.schema_version";
inline constexpr std::string_view kSignalKey = "otlp_arrow.signal";

// How the value of an attribute was typed in OTLP: one letter per entry of a map in the companion `*_types` column,
// which is null when every entry is a string. A `*_types` text that starts with kExactPrefix instead holds, in
// base64, the attributes as an OTLP KeyValueList message: the map alone could not carry them exactly (a key twice, or
// nested values that JSON has no form for: bytes, NaN, infinities, a key twice, an entry without value). The map
// then holds the first entry of each key, for readers.
enum class ValueType : char {
  kString = 's',
  kBool = 'b',    // true, false
  kInt = 'i',     // decimal
  kDouble = 'd',  // shortest decimal that reads back the same; NaN, Infinity, -Infinity
  kBytes = 'x',   // base64, standard alphabet, padded
  kArray = 'a',   // JSON; integers have no '.', 'e' or 'E', doubles have one
  kMap = 'm',     // JSON object, members in order
  kEmpty = 'n',   // an AnyValue in which nothing is set; the map's value is null
  kAbsent = '-',  // a KeyValue without AnyValue; the map's value is null
};
inline constexpr char kExactPrefix = '=';

// One promoted attribute: a top-level column named as its key.
struct PromotedAttribute {
  enum class Type { kString, kInt64, kDouble, kBool };
  std::string key;
  Type type = Type::kString;
};
// Parses "key", "key:string", "key:int64", "key:double", "key:bool"; refuses empty keys, keys named twice and keys
// that are the name of a column of any table.
Result<std::vector<PromotedAttribute>> ParsePromotedAttributes(const std::vector<std::string>& specs);

// The schema of a signal's table, promoted columns last, with the schema metadata.
std::shared_ptr<arrow::Schema> TableSchema(Signal signal, const std::vector<PromotedAttribute>& promoted);

// The signal that a schema's metadata names, if it is one of ours.
std::optional<Signal> SignalOfSchema(const arrow::Schema& schema);

// "SPAN_KIND_SERVER" is stored as "SERVER", and so on; a number that the enumeration lacks as its decimal text.
std::string SpanKindName(int32_t value);
std::string StatusCodeName(int32_t value);
std::string TemporalityName(int32_t value);
// The way back; nullopt for text that is neither a name nor a number.
std::optional<int32_t> SpanKindFromName(std::string_view name);
std::optional<int32_t> StatusCodeFromName(std::string_view name);
std::optional<int32_t> TemporalityFromName(std::string_view name);

}  // namespace otlp_arrow
