#include "otlp/json_scalars.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <system_error>

namespace otlp_arrow {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

constexpr uint8_t kNoDigit = 0xff;
constexpr std::array<uint8_t, 256> MakeHexDigits() {
  std::array<uint8_t, 256> digits{};
  for (auto& digit : digits) digit = kNoDigit;
  for (uint8_t i = 0; i < 10; ++i) digits['0' + i] = i;
  for (uint8_t i = 0; i < 6; ++i) digits['a' + i] = digits['A' + i] = 10 + i;
  return digits;
}
constexpr std::array<uint8_t, 256> kHexDigits = MakeHexDigits();

constexpr std::array<uint8_t, 256> MakeBase64Digits() {
  std::array<uint8_t, 256> digits{};
  for (auto& digit : digits) digit = kNoDigit;
  for (uint8_t i = 0; i < 26; ++i) {
    digits['A' + i] = i;
    digits['a' + i] = 26 + i;
  }
  for (uint8_t i = 0; i < 10; ++i) digits['0' + i] = 52 + i;
  digits['+'] = digits['-'] = 62;
  digits['/'] = digits['_'] = 63;
  return digits;
}
constexpr std::array<uint8_t, 256> kBase64Digits = MakeBase64Digits();

uint8_t DigitOf(const std::array<uint8_t, 256>& digits, char c) { return digits[static_cast<uint8_t>(c)]; }

void AppendUtf8(uint32_t c, std::string* text) {
  const auto put = [&](uint32_t byte) { text->push_back(static_cast<char>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xe0 | c >> 12);
    } else {
      put(0xf0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3f));
    }
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

// The four digits at `at`.
bool ReadCodeUnit(std::string_view content, size_t at, uint32_t* unit) {
  if (content.size() - at < 4) return false;
  char bytes[2];
  if (!ReadHex(content.substr(at, 4), bytes)) return false;
  *unit = static_cast<uint32_t>(static_cast<uint8_t>(bytes[0]) << 8 | static_cast<uint8_t>(bytes[1]));
  return true;
}

// The code point whose digits begin at `*at`, which moves behind them.
bool ReadCodePoint(std::string_view content, size_t* at, uint32_t* point) {
  constexpr uint32_t kReplacement = 0xfffd;
  uint32_t unit = 0;
  if (!ReadCodeUnit(content, *at, &unit)) return false;
  *at += 4;
  *point = unit;
  if (unit < 0xd800 || unit > 0xdfff) return true;
  *point = kReplacement;
  uint32_t low = 0;
  if (unit > 0xdbff || !content.substr(*at).starts_with("\\u") || !ReadCodeUnit(content, *at + 2, &low)) return true;
  if (low < 0xdc00 || low > 0xdfff) return true;
  *at += 6;
  *point = 0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00));
  return true;
}

// Eight digits at once; false where there are others among them.
bool ReadEightDigits(const char* p, uint64_t* value) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  const uint64_t low = v - 0x3030303030303030ull;
  if (((low | (v + 0x4646464646464646ull)) & 0x8080808080808080ull) != 0) return false;
  uint64_t pairs = low * 10 + (low >> 8);
  pairs = ((pairs & 0x000000ff000000ffull) * (100 + (1000000ull << 32)) + ((pairs >> 16) & 0x000000ff000000ffull) * (1 + (10000ull << 32))) >> 32;
  *value = pairs & 0xffffffffu;
  return true;
}

// Digits alone; false for others and for more than 64 bits hold.
bool ReadDigits(const char* p, const char* end, uint64_t* value) {
  uint64_t read = 0;
  uint64_t eight = 0;
  const bool is_short = end - p <= 19;
  while (is_short && end - p >= 8 && ReadEightDigits(p, &eight)) {
    read = read * 100'000'000 + eight;
    p += 8;
  }
  for (; p < end; ++p) {
    if (!IsDigit(*p)) return false;
    if (!is_short && (__builtin_mul_overflow(read, uint64_t{10}, &read) || __builtin_add_overflow(read, static_cast<uint64_t>(*p - '0'), &read))) return false;
    if (is_short) read = read * 10 + static_cast<uint64_t>(*p - '0');
  }
  *value = read;
  return true;
}

// What stands behind the e; beyond all that numbers can have it is just very large, or very small.
int64_t ReadExponent(std::string_view text) {
  constexpr int64_t kBeyond = 100'000'000'000;
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t exponent = 0;
  const bool fits = std::from_chars(text.data(), text.data() + text.size(), exponent).ec == std::errc();
  if (fits) return std::clamp(exponent, -kBeyond, kBeyond);
  return text.starts_with('-') ? -kBeyond : kBeyond;
}

// The exponent of a number in scientific notation, roughly: for telling what is too large from what is too small.
int64_t TensOf(std::string_view number) {
  const size_t mantissa_end = std::min(number.find_first_of("eE"), number.size());
  int64_t exponent = mantissa_end < number.size() ? ReadExponent(number.substr(mantissa_end + 1)) : 0;
  const auto point = static_cast<int64_t>(std::min(number.find('.'), mantissa_end));
  const auto first = static_cast<int64_t>(std::min(number.find_first_of("123456789"), mantissa_end));
  return exponent + point - first;
}

// A JSON number with a fraction or an exponent that is an integer all the same.
bool ReadScaledInteger(std::string_view number, uint64_t* magnitude) {
  const size_t mantissa_end = std::min(number.find_first_of("eE"), number.size());
  const std::string_view mantissa = number.substr(0, mantissa_end);
  int64_t exponent = mantissa_end < number.size() ? ReadExponent(number.substr(mantissa_end + 1)) : 0;
  const size_t point = mantissa.find('.');
  std::string digits(mantissa.substr(0, std::min(point, mantissa.size())));
  if (point < mantissa.size()) {
    digits += mantissa.substr(point + 1);
    exponent -= static_cast<int64_t>(mantissa.size() - point - 1);
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  *magnitude = 0;
  if (digits.empty()) return true;
  constexpr int64_t kMostDigits = 20;
  if (exponent < 0 || exponent > kMostDigits) return false;
  digits.append(static_cast<size_t>(exponent), '0');
  return ReadDigits(digits.data(), digits.data() + digits.size(), magnitude);
}

}  // namespace

bool UnescapeJson(std::string_view content, std::string* text) {
  text->clear();
  for (size_t at = 0; at < content.size();) {
    const size_t backslash = std::min(content.find('\\', at), content.size());
    text->append(content, at, backslash - at);
    at = backslash + 1;
    if (backslash == content.size()) break;
    if (at == content.size()) return false;
    const char c = content[at++];
    switch (c) {
      case '"': case '\\': case '/': text->push_back(c); break;
      case 'b': text->push_back('\b'); break;
      case 'f': text->push_back('\f'); break;
      case 'n': text->push_back('\n'); break;
      case 'r': text->push_back('\r'); break;
      case 't': text->push_back('\t'); break;
      case 'u': {
        uint32_t point = 0;
        if (!ReadCodePoint(content, &at, &point)) return false;
        AppendUtf8(point, text);
        break;
      }
      default: return false;
    }
  }
  return true;
}

bool IsJsonNumber(std::string_view token) {
  size_t at = token.starts_with('-') ? 1 : 0;
  const auto skip_digits = [&] {
    const size_t first = at;
    while (at < token.size() && IsDigit(token[at])) ++at;
    return at > first;
  };
  const size_t first = at;
  if (!skip_digits() || (token[first] == '0' && at > first + 1)) return false;
  if (at < token.size() && token[at] == '.') {
    ++at;
    if (!skip_digits()) return false;
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    if (at < token.size() && (token[at] == '+' || token[at] == '-')) ++at;
    if (!skip_digits()) return false;
  }
  return at == token.size();
}

bool ReadJsonInteger(std::string_view token, JsonInteger* integer) {
  const bool negative = token.starts_with('-');
  const std::string_view number = token.substr(negative ? 1 : 0);
  if (number.empty()) return false;
  integer->negative = negative;
  if ((number[0] != '0' || number.size() == 1) && ReadDigits(number.data(), number.data() + number.size(), &integer->magnitude)) return true;
  return IsJsonNumber(token) && number.find_first_of(".eE") != std::string_view::npos && ReadScaledInteger(number, &integer->magnitude);
}

bool ReadJsonDouble(std::string_view token, double* value) {
  if (!IsJsonNumber(token)) return false;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), *value);
  if (error != std::errc::result_out_of_range) return true;
  *value = token[0] == '-' ? -0.0 : 0.0;
  return TensOf(token) < 0;
}

bool ReadDoubleWord(std::string_view word, double* value) {
  if (word == "NaN") *value = std::numeric_limits<double>::quiet_NaN();
  else if (word == "Infinity") *value = std::numeric_limits<double>::infinity();
  else if (word == "-Infinity") *value = -std::numeric_limits<double>::infinity();
  else return false;
  return true;
}

bool ReadHex(std::string_view digits, char* bytes) {
  if (digits.size() % 2 != 0) return false;
  uint8_t bad = 0;
  for (size_t i = 0; i < digits.size(); i += 2) {
    const uint8_t high = DigitOf(kHexDigits, digits[i]);
    const uint8_t low = DigitOf(kHexDigits, digits[i + 1]);
    bad |= high | low;
    bytes[i / 2] = static_cast<char>(high << 4 | low);
  }
  return bad < 0x10;
}

bool ReadLenientBase64(std::string_view text, std::string* bytes) {
  bytes->clear();
  size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  if (text.size() % 4 == 1 || (padding > 0 && (text.size() + padding) % 4 != 0)) return false;
  bytes->reserve(text.size() / 4 * 3 + 3);
  uint32_t bits = 0;
  unsigned have = 0;
  for (const char c : text) {
    const uint8_t digit = DigitOf(kBase64Digits, c);
    if (digit == kNoDigit) return false;
    bits = bits << 6 | digit;
    have += 6;
    if (have < 8) continue;
    have -= 8;
    bytes->push_back(static_cast<char>(bits >> have));
  }
  return true;
}

}  // namespace otlp_arrow
