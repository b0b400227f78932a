#include "base/json_writer.h"

#include <cstdio>

namespace otlp_arrow {

JsonWriter& JsonWriter::Key(std::string_view key) {
  if (comma_) json_ += ',';
  Quote(key);
  json_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Text(std::string_view text) {
  if (comma_) json_ += ',';
  Quote(text);
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  if (comma_) json_ += ',';
  json_ += json;
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Open(char bracket) {
  if (comma_) json_ += ',';
  json_ += bracket;
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  json_ += bracket;
  comma_ = true;
  return *this;
}

void JsonWriter::Quote(std::string_view text) {
  json_ += '"';
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json_ += '\\';
      json_ += c;
    } else if (byte < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\u%04x", byte);
      json_ += escaped;
    } else {
      json_ += c;
    }
  }
  json_ += '"';
}

}  // namespace otlp_arrow
