#include "sdk/environment.h"

#include <charconv>
#include <cstdlib>

#include "sdk/text.h"

namespace otlp_arrow::sdk {
namespace {

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

template <class T>
Status ReadNumber(const char* name, T most, T* value) {
  const std::string_view text = Environment(name);
  if (text.empty()) return Status::Ok();
  T read{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (error != std::errc() || end != text.data() + text.size() || read < 0 || read > most) {
    return Status::Config(std::string(name) + ": '" + std::string(text) + "' is not allowed; use a whole number from 0 to " + std::to_string(most));
  }
  *value = read;
  return Status::Ok();
}

}  // namespace

std::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? Trim(value) : std::string_view();
}

Status ReadCount(const char* name, uint32_t* value) {
  int64_t read = *value;
  OTLP_RETURN_NOT_OK(ReadNumber<int64_t>(name, UINT32_MAX, &read));
  *value = static_cast<uint32_t>(read);
  return Status::Ok();
}

Status ReadMilliseconds(const char* name, int64_t* value) { return ReadNumber<int64_t>(name, int64_t{1} << 40, value); }

std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? Digit(text[i + 1]) : -1;
    const int low = high >= 0 ? Digit(text[i + 2]) : -1;
    if (low < 0) {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace otlp_arrow::sdk
