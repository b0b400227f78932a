// Writing JSON, member by member.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace otlp_arrow {

// Commas come by themselves; the caller sees to it that what was begun is ended, and that members have keys.
class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view key);
  JsonWriter& Text(std::string_view text);
  JsonWriter& Number(int64_t number) { return Raw(std::to_string(number)); }
  JsonWriter& Bool(bool value) { return Raw(value ? "true" : "false"); }
  JsonWriter& Null() { return Raw("null"); }
  // A value that is JSON already.
  JsonWriter& Raw(std::string_view json);

  const std::string& json() const { return json_; }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Quote(std::string_view text);

  std::string json_;
  bool comma_ = false;  // the next key or value needs one before it
};

}  // namespace otlp_arrow
