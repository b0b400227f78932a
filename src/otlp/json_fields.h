// The messages of OTLP as JSON shows them: which name stands for which field of which kind. From opentelemetry-proto 1.5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "otlp_arrow/signal.h"

namespace otlp_arrow {

enum class JsonKind : uint8_t {
  kText,
  kHexId,     // bytes, as hex digits
  kBytes,     // bytes, as base64
  kBool,
  kEnum,
  kUint32,    // varint
  kFixed32,
  kInt64,     // varint
  kUint64,    // varint
  kFixed64,
  kSfixed64,
  kSint32,    // zigzag
  kDouble,
  kMessage,
};

enum class JsonRule : uint8_t {
  kImplicit,  // the default value means absent, and is not written
  kExplicit,  // of a oneof or optional: written whatever the value
  kRepeated,  // numbers are packed
};

struct JsonMessage;
struct JsonEnumValue {
  std::string_view name;
  int32_t number;
};

struct JsonField {
  std::string_view name;  // lowerCamelCase
  uint32_t number;
  JsonKind kind;
  JsonRule rule = JsonRule::kImplicit;
  const JsonMessage* message = nullptr;      // of kMessage
  std::span<const JsonEnumValue> values{};   // of kEnum
};

struct JsonMessage {
  std::string_view name;  // as in the .proto files
  std::span<const JsonField> fields;
  uint32_t id;            // 0 to kJsonMessages - 1
};

inline constexpr size_t kJsonMessages = 34;
inline constexpr size_t kMostJsonFields = 16;

// The Export…ServiceRequest of a signal.
const JsonMessage& JsonRequestOf(Signal signal);
// Values nest in each other; their depth is bounded.
const JsonMessage& JsonAnyValue();

// Is `key` the field's name in the .proto files ("trace_id" for "traceId")?
bool IsProtoName(std::string_view name, std::string_view key);
// By either name; null where the message has no such field.
const JsonField* FindJsonField(const JsonMessage& message, std::string_view key);

}  // namespace otlp_arrow
