#include "otlp/json_request.h"

#include <algorithm>
#include <array>
#include <utility>

#include "otlp/json_fields.h"
#include "otlp/json_scalars.h"
#include "otlp/json_tokens.h"
#include "otlp/wire.h"
#include "otlp_arrow/wire_writer.h"

namespace otlp_arrow {
namespace {

// Values nested deeper are cut there: the scan takes 64 levels at most and rejects the item.
constexpr int kMostValueDepth = 65;
// Of arrays and objects in fields that OTLP does not know.
constexpr size_t kMostUnknownDepth = 1024;
constexpr size_t kFirstWireBytes = 1 << 20;
constexpr size_t kMostKeptScratch = 1 << 20;
constexpr size_t kMostQuotedBytes = 40;
constexpr size_t kMostPathBytes = 400;

// Writes into the caller's string.
class BorrowedString {
 public:
  void Borrow(std::string* bytes) { bytes_ = bytes; }
  char* data() { return bytes_->data(); }
  const char* data() const { return bytes_->data(); }
  size_t room() const { return bytes_->size(); }
  void Grow(size_t used, size_t wanted) { bytes_->resize(std::max(2 * bytes_->size(), used + wanted + 512)); }

 private:
  std::string* bytes_ = nullptr;
};

class JsonWire final : public wire::BasicWriter<BorrowedString> {
 public:
  void Begin(std::string* bytes) {
    size_ = 0;
    buffer_.Borrow(bytes);
  }
  using BasicWriter::Begin;
};

// The start of a text, for a message: never cut within a character.
std::string Quoted(std::string_view text) {
  if (text.size() <= kMostQuotedBytes) return std::string(text);
  size_t end = kMostQuotedBytes;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

// The path of the request that holds this field, for those who send to the wrong one; empty for fields of no request.
std::string_view OtherRequestOf(std::string_view key) {
  for (const Signal signal : kAllSignals) {
    if (FindJsonField(JsonRequestOf(signal), key)) return SignalName(signal);
  }
  return {};
}

}  // namespace

// Walks the tokens and writes as it goes. Functions that return bool: false where message_ says what is wrong.
class JsonRequestReader::Impl {
 public:
  explicit Impl(size_t window_bytes) : tokens_(window_bytes) {}

  Status ToWire(Signal signal, std::string_view json, std::string* wire) {
    // Wire bytes are mostly less than half of their JSON; growth is by doubling. Of long texts there may be nothing to keep.
    wire->resize(std::max(wire->size(), std::min(json.size() / 2, kFirstWireBytes) + 64));
    tokens_.Begin(json);
    out_.Begin(wire);
    value_depth_ = 0;
    request_ = &JsonRequestOf(signal);
    message_.clear();
    path_.clear();
    const bool ok = Request();
    wire->resize(ok ? out_.size() : 0);
    if (scratch_.capacity() > kMostKeptScratch) scratch_ = std::string();
    return ok ? Status::Ok() : Status::Export(ErrorText(signal));
  }

 private:
  bool Request() {
    const char* token = tokens_.Take();
    if (*token != '{') return Expected(token, "an object, such as {\"" + std::string(request_->fields[0].name) + "\":[...]}");
    if (!Object(*request_)) return false;
    token = tokens_.Take();
    return (JsonTokens::IsEnd(token) && tokens_.error().empty()) || Expected(token, "nothing more behind the request");
  }

  // The fields of an object whose brace was taken.
  bool Object(const JsonMessage& message) {
    const char* token = tokens_.Take();
    if (*token == '}') return true;
    uint8_t* guess = guesses_[message.id].data();
    for (;;) {
      std::string_view key;
      if (!Key(token, &key)) return false;
      const JsonField* field = &message.fields[*guess];
      if (field->name.size() != key.size() || !wire::SameBytes(field->name.data(), key.data(), key.size())) {
        field = FindField(message, key);
        if (field) *guess = static_cast<uint8_t>(field - message.fields.data());
      }
      token = tokens_.Take();
      if (field) {
        guess = &guesses_[message.id][static_cast<size_t>(field - message.fields.data()) + 1];
        if (!Field(*field, token)) return Within(field->name);
      } else if (!UnknownField(message, key, token)) {
        return Within(Quoted(key));
      }
      token = tokens_.Take();
      if (*token == '}') return true;
      if (*token != ',') return Expected(token, "a comma or the end of the object");
      token = tokens_.Take();
    }
  }

  // A key, with the colon behind it; as it is written.
  bool Key(const char* token, std::string_view* key) {
    if (*token != '"') return Expected(token, "a name in double quotes");
    const char* colon = tokens_.Take();
    if (*colon != ':') return Expected(colon, "a colon behind a name");
    const char* end = colon;
    while (end > token + 2 && IsJsonSpace(end[-1])) --end;
    if (end < token + 2 || end[-1] != '"') return Expected(colon, "a colon behind a name");
    *key = {token + 1, static_cast<size_t>(end - 1 - (token + 1))};
    return true;
  }

  const JsonField* FindField(const JsonMessage& message, std::string_view key) {
    if (key.find('\\') == std::string_view::npos) return FindJsonField(message, key);
    return UnescapeJson(key, &scratch_) ? FindJsonField(message, scratch_) : nullptr;
  }

  bool UnknownField(const JsonMessage& message, std::string_view key, const char* token) {
    if (&message == request_) {
      const std::string_view other = OtherRequestOf(key);
      if (!other.empty()) return Fail(token, "belongs to a request of " + std::string(other) + ", which goes to /v1/" + std::string(other));
    }
    return CheckEscapes(key, token) && Skip(token);
  }

  bool Field(const JsonField& field, const char* token) {
    if (*token == 'n') return Null(token);
    if (field.rule != JsonRule::kRepeated) return Value(field, token);
    if (*token != '[') return Expected(token, "an array");
    if (field.kind == JsonKind::kMessage || field.kind == JsonKind::kText) {
      return Array([&](const char* element) { return Element(field, element); });
    }
    uint8_t& length_bytes = packed_length_bytes_;
    const size_t before = out_.size();
    const auto packed = out_.Begin(field.number, length_bytes);
    if (!Array([&](const char* element) { return PackedNumber(field.kind, element); })) return false;
    if (out_.size() == packed.body) {
      out_.Truncate(before);
    } else {
      length_bytes = static_cast<uint8_t>(wire::VarintSize(out_.size() - packed.body));
      out_.End(packed);
    }
    return true;
  }

  template <class ReadElement>
  bool Array(ReadElement read_element) {
    const char* token = tokens_.Take();
    if (*token == ']') return true;
    for (uint64_t i = 0;; ++i) {
      if (!read_element(token)) return WithinElement(i);
      token = tokens_.Take();
      if (*token == ']') return true;
      if (*token != ',') return Expected(token, "a comma or the end of the array");
      token = tokens_.Take();
    }
  }

  // Of a list of texts or messages. A null in a list of values is an empty value; elsewhere it is nothing.
  bool Element(const JsonField& field, const char* token) {
    if (*token == 'n') {
      if (field.message == &JsonAnyValue()) out_.Bytes(field.number, {});
      return Null(token);
    }
    return field.kind == JsonKind::kMessage ? Message(field, token) : Text(field, token);
  }

  bool Value(const JsonField& field, const char* token) {
    const uint32_t number = field.number;
    const bool always = field.rule == JsonRule::kExplicit;
    uint64_t value = 0;
    switch (field.kind) {
      case JsonKind::kMessage: return Message(field, token);
      case JsonKind::kText: return Text(field, token);
      case JsonKind::kHexId: return HexId(number, token);
      case JsonKind::kBytes: return Bytes(number, token);
      case JsonKind::kEnum:
        if (!EnumNumber(field, token, &value)) return false;
        break;
      case JsonKind::kBool:
        if (!Bool(token, &value)) return false;
        break;
      default:
        if (!Number(field.kind, token, &value)) return false;
    }
    if (value == 0 && !always) return true;
    switch (field.kind) {
      case JsonKind::kFixed64:
      case JsonKind::kSfixed64:
      case JsonKind::kDouble: out_.Fixed64(number, value); break;
      case JsonKind::kFixed32: out_.Fixed32(number, static_cast<uint32_t>(value)); break;
      default: out_.Varint(number, value);
    }
    return true;
  }

  bool Message(const JsonField& field, const char* token) {
    if (*token != '{') return Expected(token, "an object");
    const JsonMessage& message = *field.message;
    if (&message == &JsonAnyValue()) {
      if (value_depth_ == kMostValueDepth) {
        out_.Bytes(field.number, {});
        return Skip(token);
      }
      ++value_depth_;
    }
    uint8_t& length_bytes = length_bytes_[message.id];
    const auto open = out_.Begin(field.number, length_bytes);
    if (!Object(message)) return false;
    length_bytes = static_cast<uint8_t>(wire::VarintSize(out_.size() - open.body));
    out_.End(open);
    if (&message == &JsonAnyValue()) --value_depth_;
    return true;
  }

  // The content of a string token, not unescaped.
  bool String(const char* token, std::string_view* content) {
    if (*token != '"') return Expected(token, "a text in double quotes");
    const std::string_view whole = tokens_.Token(token);
    if (whole.size() < 2 || whole.back() != '"') return Expected(token, "a text in double quotes");
    *content = whole.substr(1, whole.size() - 2);
    return true;
  }

  bool Text(const JsonField& field, const char* token) {
    std::string_view content;
    if (!String(token, &content)) return false;
    if (content.empty() && field.rule == JsonRule::kImplicit) return true;
    const size_t before = out_.size();
    if (CopyPlain(content.data(), content.size(), out_.BytesRoom(field.number, content.size()))) return true;
    out_.Truncate(before);
    if (!UnescapeJson(content, &scratch_)) return BadEscape(token);
    out_.Bytes(field.number, scratch_);
    return true;
  }

  bool HexId(uint32_t number, const char* token) {
    std::string_view digits;
    if (!String(token, &digits)) return false;
    if (digits.empty()) return true;
    if (ReadHex(digits, out_.BytesRoom(number, digits.size() / 2))) return true;
    return Expected(token, "hexadecimal digits, 32 of a trace id and 16 of a span id");
  }

  bool Bytes(uint32_t number, const char* token) {
    std::string_view text;
    if (!String(token, &text)) return false;
    std::string unescaped;  // of those that escape the slash
    if (text.find('\\') != std::string_view::npos) {
      if (!UnescapeJson(text, &unescaped)) return BadEscape(token);
      text = unescaped;
    }
    if (!ReadLenientBase64(text, &scratch_)) return Expected(token, "base64");
    out_.Bytes(number, scratch_);
    return true;
  }

  bool Bool(const char* token, uint64_t* value) {
    const std::string_view word = Unquoted(token);
    *value = word == "true";
    return *value != 0 || word == "false" || Expected(token, "true or false");
  }

  bool EnumNumber(const JsonField& field, const char* token, uint64_t* value) {
    if (*token == '"') {
      const std::string_view name = Unquoted(token);
      for (const JsonEnumValue& known : field.values) {
        if (known.name != name) continue;
        *value = static_cast<uint64_t>(int64_t{known.number});
        return true;
      }
    }
    JsonInteger integer;
    if (ReadJsonInteger(Unquoted(token), &integer) && integer.magnitude <= INT32_MAX + uint64_t{integer.negative}) {
      *value = Signed(integer);
      return true;
    }
    return Expected(token, "a number of the enumeration, or a name such as \"" + std::string(field.values[1].name) + "\"");
  }

  // The bits of a number as the wire has them.
  bool Number(JsonKind kind, const char* token, uint64_t* value) {
    if (kind == JsonKind::kDouble) return Double(token, value);
    JsonInteger integer;
    if (!ReadJsonInteger(Unquoted(token), &integer)) return Expected(token, IntegerKind(kind));
    const uint64_t magnitude = integer.magnitude;
    bool fits = false;
    switch (kind) {
      case JsonKind::kUint32:
      case JsonKind::kFixed32: fits = magnitude <= UINT32_MAX && (!integer.negative || magnitude == 0); break;
      case JsonKind::kSint32: fits = magnitude <= INT32_MAX + uint64_t{integer.negative}; break;
      case JsonKind::kInt64:
      case JsonKind::kSfixed64: fits = magnitude <= INT64_MAX + uint64_t{integer.negative}; break;
      default: fits = !integer.negative || magnitude == 0;
    }
    if (!fits) return Expected(token, IntegerKind(kind));
    *value = Signed(integer);
    if (kind == JsonKind::kSint32) *value = static_cast<uint32_t>(*value << 1) ^ static_cast<uint32_t>(static_cast<int64_t>(*value) >> 63);
    return true;
  }

  bool Double(const char* token, uint64_t* bits) {
    const std::string_view text = Unquoted(token);
    double value = 0;
    if (!ReadJsonDouble(text, &value) && (*token != '"' || !ReadDoubleWord(text, &value))) {
      return Expected(token, "a number, or \"NaN\", \"Infinity\", \"-Infinity\"");
    }
    *bits = std::bit_cast<uint64_t>(value);
    return true;
  }

  bool PackedNumber(JsonKind kind, const char* token) {
    uint64_t value = 0;
    if (!Number(kind, token, &value)) return false;
    if (kind == JsonKind::kUint64) {
      out_.PackedVarint(value);
    } else {
      out_.Raw({reinterpret_cast<const char*>(&value), sizeof(value)});
    }
    return true;
  }

  static uint64_t Signed(JsonInteger integer) { return integer.negative ? ~integer.magnitude + 1 : integer.magnitude; }

  static std::string IntegerKind(JsonKind kind) {
    switch (kind) {
      case JsonKind::kUint32:
      case JsonKind::kFixed32: return "an integer from 0 to 4294967295";
      case JsonKind::kSint32: return "an integer of 32 bits";
      case JsonKind::kInt64:
      case JsonKind::kSfixed64: return "an integer of 64 bits, as a number or in quotes";
      default: return "an integer of 64 bits without sign, as a number or in quotes";
    }
  }

  // A token without its quotes, if it has any.
  std::string_view Unquoted(const char* token) const {
    const std::string_view whole = tokens_.Token(token);
    if (*token != '"') return *token ? whole : std::string_view();
    return whole.size() < 2 ? std::string_view() : whole.substr(1, whole.size() - 2);
  }

  bool Null(const char* token) { return tokens_.Token(token) == "null" || Expected(token, "a value"); }

  // Steps over a value of any kind, checking that it is JSON. Depth costs a bit a level.
  bool Skip(const char* token) {
    std::array<bool, kMostUnknownDepth> is_object;
    size_t depth = 0;
    for (;;) {
      bool opened = false;
      if (*token == '{' || *token == '[') {
        if (depth == kMostUnknownDepth) return Fail(token, "nests deeper than " + std::to_string(kMostUnknownDepth) + " levels");
        is_object[depth++] = *token == '{';
        opened = true;
      } else if (!Scalar(token)) {
        return false;
      }
      if (depth == 0) return true;
      token = tokens_.Take();
      while (*token == (is_object[depth - 1] ? '}' : ']')) {
        if (--depth == 0) return true;
        opened = false;
        token = tokens_.Take();
      }
      if (!opened) {
        if (*token != ',') return Expected(token, is_object[depth - 1] ? "a comma or the end of the object" : "a comma or the end of the array");
        token = tokens_.Take();
      }
      if (!is_object[depth - 1]) continue;
      std::string_view key;
      if (!Key(token, &key) || !CheckEscapes(key, token)) return false;
      token = tokens_.Take();
    }
  }

  bool Scalar(const char* token) {
    if (*token == '"') {
      std::string_view content;
      return String(token, &content) && CheckEscapes(content, token);
    }
    const std::string_view word = Unquoted(token);
    return word == "null" || word == "true" || word == "false" || IsJsonNumber(word) || Expected(token, "a value");
  }

  bool CheckEscapes(std::string_view content, const char* token) {
    return content.find('\\') == std::string_view::npos || UnescapeJson(content, &scratch_) || BadEscape(token);
  }

  // Errors. The path to the place is put together on the way out.

  bool Fail(const char* token, std::string what) {
    message_ = std::move(what) + " (byte " + std::to_string(tokens_.PositionOf(token)) + ")";
    return false;
  }
  bool BadEscape(const char* token) { return Fail(token, "has an escape that JSON does not know: " + Quoted(tokens_.Token(token))); }
  bool Expected(const char* token, const std::string& what) {
    if (!tokens_.error().empty()) {
      message_ = tokens_.error();
      return false;
    }
    if (JsonTokens::IsEnd(token)) return Fail(token, "the text ends where " + what + " is expected");
    return Fail(token, Quoted(tokens_.Token(token)) + " where " + what + " is expected");
  }
  bool Within(std::string_view name) {
    const bool joins = !path_.empty() && path_[0] != '[';
    Prepend(std::string(name) + (joins ? "." : ""));
    return false;
  }
  bool WithinElement(uint64_t index) {
    const bool joins = !path_.empty() && path_[0] != '[';
    Prepend("[" + std::to_string(index) + "]" + (joins ? "." : ""));
    return false;
  }
  // Of very long paths the outer part is kept.
  void Prepend(const std::string& step) {
    path_.insert(0, step);
    if (path_.size() > kMostPathBytes) path_.replace(kMostPathBytes - 3, std::string::npos, "...");
  }

  std::string ErrorText(Signal signal) const {
    std::string text = "not an OTLP/JSON request of " + std::string(SignalName(signal)) + ": ";
    if (!path_.empty()) text += path_ + ": ";
    return text + message_;
  }

  JsonTokens tokens_;
  JsonWire out_;
  const JsonMessage* request_ = nullptr;
  int value_depth_ = 0;
  std::string scratch_;
  std::string message_, path_;  // of the first error

  // What came last time, by message: senders repeat themselves. The field that follows each field (0: the first one), the bytes
  // that a length took.
  std::array<std::array<uint8_t, kMostJsonFields + 1>, kJsonMessages> guesses_{};
  std::array<uint8_t, kJsonMessages> length_bytes_ = Ones();
  uint8_t packed_length_bytes_ = 1;
  static constexpr std::array<uint8_t, kJsonMessages> Ones() {
    std::array<uint8_t, kJsonMessages> ones{};
    ones.fill(1);
    return ones;
  }
};

JsonRequestReader::JsonRequestReader(size_t window_bytes) : impl_(std::make_unique<Impl>(window_bytes)) {}
JsonRequestReader::~JsonRequestReader() = default;
JsonRequestReader::JsonRequestReader(JsonRequestReader&&) noexcept = default;
JsonRequestReader& JsonRequestReader::operator=(JsonRequestReader&&) noexcept = default;

Status JsonRequestReader::ToWire(Signal signal, std::string_view json, std::string* wire) { return impl_->ToWire(signal, json, wire); }

}  // namespace otlp_arrow
