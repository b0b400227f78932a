// Reading the JSON objects that clients describe their wishes with. Every error (kConfig) names the member and what is allowed.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

using JsonValue = simdjson::dom::element;
using JsonObject = simdjson::dom::object;

// A whole text; keeps what `object` refers to.
class CommandJson {
 public:
  static constexpr size_t kMaxBytes = 64 << 10;

  static Result<CommandJson> Parse(std::string_view text);
  const JsonObject& object() const { return object_; }

 private:
  std::unique_ptr<simdjson::dom::parser> parser_;
  JsonObject object_;
};

// An error for the first member that is none of `known`, or stands there twice.
Status CheckMembers(const JsonObject& object, std::string_view what, std::initializer_list<std::string_view> known);

// Null where it is not there.
const JsonValue* FindMember(const JsonObject& object, std::string_view name, JsonValue* found);

Result<std::string> ReadText(const JsonValue& value, const std::string& name);
Result<bool> ReadBool(const JsonValue& value, const std::string& name);
Result<std::vector<std::string>> ReadTexts(const JsonValue& value, const std::string& name);
Result<Signal> ReadSignal(const JsonObject& object);

// A message that shows `value`, cut where it is long.
Status Refused(const std::string& name, const JsonValue& value, const std::string& allowed);

}  // namespace otlp_arrow
