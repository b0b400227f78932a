#include "schema/field_reader.h"

#include <array>

#include "schema/attribute_writer.h"

namespace otlp_arrow {
namespace {

constexpr uint8_t kNoDigit = 0xff;

constexpr std::array<uint8_t, 256> MakeHexDigits() {
  std::array<uint8_t, 256> digits{};
  for (auto& d : digits) d = kNoDigit;
  for (uint8_t i = 0; i < 10; ++i) digits[static_cast<size_t>('0' + i)] = i;
  for (uint8_t i = 0; i < 6; ++i) {
    digits[static_cast<size_t>('a' + i)] = digits[static_cast<size_t>('A' + i)] = static_cast<uint8_t>(10 + i);
  }
  return digits;
}
constexpr std::array<uint8_t, 256> kHexDigits = MakeHexDigits();

bool ReadHex(std::string_view hex, char* out) {
  uint8_t seen = 0;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    const uint8_t high = kHexDigits[static_cast<uint8_t>(hex[i])];
    const uint8_t low = kHexDigits[static_cast<uint8_t>(hex[i + 1])];
    seen |= high | low;
    *out++ = static_cast<char>(high << 4 | (low & 15));
  }
  return seen < 16;
}

}  // namespace

template <size_t kBytes>
Status IdReader<kBytes>::Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array) {
  path_ = path;
  return ids_.Bind(path, array);
}

template <size_t kBytes>
Status IdReader<kBytes>::Write(int64_t row, uint32_t field, wire::Writer* out) const {
  const std::string_view hex = ids_[row];
  if (hex.empty()) return {};
  if (hex.size() != 2 * kBytes || !ReadHex(hex, out->BytesRoom(field, kBytes))) {
    return UnreadableText(path_, hex, std::to_string(2 * kBytes) + " hex digits");
  }
  return {};
}

template class IdReader<16>;
template class IdReader<8>;

Status EnumReader::Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array) {
  path_ = path;
  last_name_ = {};
  last_value_ = 0;
  return names_.Bind(path, array);
}

Status EnumReader::Read(int64_t row, int32_t* value) {
  const std::string_view name = names_[row];
  if (name.data() != last_name_.data() || name.size() != last_name_.size()) OTLP_RETURN_NOT_OK(Parse(name));
  *value = last_value_;
  return {};
}

Status EnumReader::Parse(std::string_view name) {
  const auto value = name.data() ? from_name_(name) : 0;
  if (!value) return UnreadableText(path_, name, "a name of the OTLP enumeration or a number");
  last_name_ = name;
  last_value_ = *value;
  return {};
}

}  // namespace otlp_arrow
