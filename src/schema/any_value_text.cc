#include "schema/any_value_text.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/base64.h"
#include "otlp/scan.h"
#include "otlp/wire.h"
#include "schema/double_text.h"

namespace otlp_arrow {
namespace {

using wire::Cursor;
using wire::Tag;

// Field numbers of AnyValue's oneof.
enum MemberField : uint32_t { kNoField = 0, kStringField, kBoolField, kIntField, kDoubleField, kArrayField, kMapField, kBytesField };

// The member of an AnyValue that is set: the last one on the wire.
struct Member {
  uint32_t field = kNoField;
  uint64_t number = 0;            // bool, int and double, as on the wire
  Cursor body{nullptr, nullptr};  // the others
};

// False at damaged framing, or if more than one member is set; what could be read is in `member`.
bool ReadMember(Cursor c, Member* member) {
  bool alone = true;
  while (!c.done()) {
    uint32_t tag;
    if (!wire::ReadTag(&c, &tag)) return false;
    Member read;
    read.field = tag >> 3;
    switch (tag) {
      case Tag(kStringField, wire::kLen):
      case Tag(kArrayField, wire::kLen):
      case Tag(kMapField, wire::kLen):
      case Tag(kBytesField, wire::kLen):
        if (!wire::ReadLen(&c, &read.body)) return false;
        break;
      case Tag(kBoolField, wire::kVarint):
      case Tag(kIntField, wire::kVarint):
        if (!wire::ReadVarint(&c, &read.number)) return false;
        break;
      case Tag(kDoubleField, wire::kFixed64):
        if (!wire::ReadFixed64(&c, &read.number)) return false;
        break;
      default:
        if (!wire::SkipValue(&c, tag)) return false;
        continue;
    }
    alone = alone && member->field == kNoField;
    *member = read;
  }
  return alone;
}

// Calls on_element(body) for each field 1 of an ArrayValue or KeyValueList.
template <class OnElement>
bool ForEachElement(Cursor c, OnElement on_element) {
  while (!c.done()) {
    uint32_t tag;
    if (!wire::ReadTag(&c, &tag)) return false;
    if (tag != Tag(1, wire::kLen)) {
      if (!wire::SkipValue(&c, tag)) return false;
      continue;
    }
    Cursor body(nullptr, nullptr);
    if (!wire::ReadLen(&c, &body)) return false;
    on_element(body);
  }
  return true;
}

struct Entry {
  Cursor key{nullptr, nullptr};
  Cursor value{nullptr, nullptr};
  bool has_value = false;
};

// False at damaged framing, or if the key or value stands there twice.
bool ReadEntry(Cursor c, Entry* entry) {
  int keys = 0;
  int values = 0;
  while (!c.done()) {
    uint32_t tag;
    if (!wire::ReadTag(&c, &tag)) return false;
    if (tag == Tag(1, wire::kLen)) {
      ++keys;
      if (!wire::ReadLen(&c, &entry->key)) return false;
    } else if (tag == Tag(2, wire::kLen)) {
      ++values;
      entry->has_value = true;
      if (!wire::ReadLen(&c, &entry->value)) return false;
    } else if (!wire::SkipValue(&c, tag)) {
      return false;
    }
  }
  return keys <= 1 && values <= 1;
}

void AppendInt(int64_t value, std::string* text) {
  const fmt::format_int digits(value);
  text->append(digits.data(), digits.size());
}

bool IsUtf8(std::string_view s) {
  return wire::IsAscii(reinterpret_cast<const uint8_t*>(s.data()), s.size()) || simdjson::validate_utf8(s.data(), s.size());
}

// Length of the UTF-8 character at the start of `s`, or 0 where there is none.
size_t CharacterSize(std::string_view s) {
  for (size_t n = 1; n <= 4 && n <= s.size(); ++n) {
    if (simdjson::validate_utf8(s.data(), n)) return n;
  }
  return 0;
}

// Appends `s` with each byte that is no UTF-8 replaced by U+FFFD. False if there was one.
bool AppendUtf8(std::string_view s, std::string* text) {
  if (IsUtf8(s)) [[likely]] {
    text->append(s);
    return true;
  }
  while (!s.empty()) {
    const size_t n = CharacterSize(s);
    if (n == 0) {
      text->append("\xEF\xBF\xBD");
    } else {
      text->append(s.substr(0, n));
    }
    s.remove_prefix(n == 0 ? 1 : n);
  }
  return false;
}

void AppendEscape(char c, std::string* text) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"': text->append("\\\""); break;
    case '\\': text->append("\\\\"); break;
    case '\n': text->append("\\n"); break;
    case '\r': text->append("\\r"); break;
    case '\t': text->append("\\t"); break;
    default:
      text->append("\\u00");
      text->push_back(kHex[c >> 4]);
      text->push_back(kHex[c & 15]);
  }
}

bool NeedsEscape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

void AppendQuoted(std::string_view utf8, std::string* text) {
  text->push_back('"');
  size_t copied = 0;
  for (size_t i = 0; i < utf8.size(); ++i) {
    if (!NeedsEscape(utf8[i])) continue;
    text->append(utf8.substr(copied, i - copied));
    AppendEscape(utf8[i], text);
    copied = i + 1;
  }
  text->append(utf8.substr(copied));
  text->push_back('"');
}

// The keys of one map, to find those that come twice.
class KeySet {
 public:
  // False if the key is there already.
  bool Insert(std::string_view key) {
    if (many_.empty() && few_.size() < kFew) {
      for (std::string_view k : few_) {
        if (k == key) return false;
      }
      few_.push_back(key);
      return true;
    }
    if (many_.empty()) many_.insert(few_.begin(), few_.end());
    return many_.insert(key).second;
  }

 private:
  static constexpr size_t kFew = 16;  // up to here comparing each with each is quicker than hashing
  std::vector<std::string_view> few_;
  std::unordered_set<std::string_view> many_;
};

// Writes the JSON of array and map values.
class JsonWriter {
 public:
  explicit JsonWriter(std::string* out) : out_(out) {}
  // Whether everything written so far reads back as the same value.
  bool exact() const { return exact_; }

  void Array(Cursor array, int depth) {
    out_->push_back('[');
    bool first = true;
    Require(ForEachElement(array, [&](Cursor element) {
      Comma(&first);
      Value(element, depth + 1);
    }));
    out_->push_back(']');
  }

  void Map(Cursor map, int depth) {
    out_->push_back('{');
    bool first = true;
    KeySet keys;
    Require(ForEachElement(map, [&](Cursor body) {
      Entry entry;
      Require(ReadEntry(body, &entry) && entry.has_value);
      if (!keys.Insert(entry.key.rest())) return Require(false);
      Comma(&first);
      Text(entry.key.rest());
      out_->push_back(':');
      Value(entry.value, depth + 1);
    }));
    out_->push_back('}');
  }

 private:
  void Require(bool exact) { exact_ = exact_ && exact; }

  void Comma(bool* first) {
    if (!*first) out_->push_back(',');
    *first = false;
  }

  void Text(std::string_view s) {
    if (IsUtf8(s)) return AppendQuoted(s, out_);
    std::string repaired;
    Require(AppendUtf8(s, &repaired));
    AppendQuoted(repaired, out_);
  }

  void Double(double value) {
    if (std::isfinite(value)) {
      AppendDoubleText(value, out_);
      return;
    }
    Require(false);
    out_->push_back('"');
    AppendDoubleText(value, out_);
    out_->push_back('"');
  }

  void Bytes(std::string_view bytes) {
    Require(false);
    out_->push_back('"');
    AppendBase64(bytes, out_);
    out_->push_back('"');
  }

  void Value(Cursor value, int depth) {
    Member m;
    if (depth > kMaxValueDepth) {
      Require(false);
    } else {
      Require(ReadMember(value, &m));
    }
    switch (m.field) {
      case kStringField: return Text(m.body.rest());
      case kBoolField: out_->append(m.number ? "true" : "false"); return;
      case kIntField: return AppendInt(static_cast<int64_t>(m.number), out_);
      case kDoubleField: return Double(wire::ToDouble(m.number));
      case kArrayField: return Array(m.body, depth);
      case kMapField: return Map(m.body, depth);
      case kBytesField: return Bytes(m.body.rest());
      default: out_->append("null");
    }
  }

  std::string* out_;
  bool exact_ = true;
};

}  // namespace

bool AppendDoubleText(double value, std::string* text) {
  if (std::isnan(value)) {
    text->append("NaN");
    return std::bit_cast<uint64_t>(value) == std::bit_cast<uint64_t>(std::numeric_limits<double>::quiet_NaN());
  }
  if (std::isinf(value)) {
    text->append(value < 0 ? "-Infinity" : "Infinity");
    return true;
  }
  char digits[kLongestDouble];
  text->append(digits, WriteDoubleText(value, digits));
  return true;
}

bool AppendValueText(std::string_view any_value, std::string* text, ValueType* type) {
  Member m;
  const bool exact = ReadMember(Cursor(any_value), &m);
  JsonWriter json(text);
  switch (m.field) {
    case kStringField: *type = ValueType::kString; return AppendUtf8(m.body.rest(), text) && exact;
    case kBoolField:
      *type = ValueType::kBool;
      text->append(m.number ? "true" : "false");
      return exact;
    case kIntField:
      *type = ValueType::kInt;
      AppendInt(static_cast<int64_t>(m.number), text);
      return exact;
    case kDoubleField: *type = ValueType::kDouble; return AppendDoubleText(wire::ToDouble(m.number), text) && exact;
    case kArrayField:
      *type = ValueType::kArray;
      json.Array(m.body, 0);
      return json.exact() && exact;
    case kMapField:
      *type = ValueType::kMap;
      json.Map(m.body, 0);
      return json.exact() && exact;
    case kBytesField:
      *type = ValueType::kBytes;
      AppendBase64(m.body.rest(), text);
      return exact;
    default: *type = ValueType::kEmpty; return exact;
  }
}

}  // namespace otlp_arrow
