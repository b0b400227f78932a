#include "odd_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include <google/protobuf/descriptor.h>

namespace otlp_arrow::testing {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsId(const FieldDescriptor& field) { return field.name().ends_with("trace_id") || field.name().ends_with("span_id"); }

std::string Base64Text(const std::string& bytes, bool url_safe, bool padded) {
  const std::string alphabet = std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") + (url_safe ? "-_" : "+/");
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i) bits = bits << 8 | (at + i < bytes.size() ? static_cast<uint8_t>(bytes[at + i]) : 0u);
    const size_t digits = std::min<size_t>(3, bytes.size() - at) + 1;
    for (size_t i = 0; i < digits; ++i) text += alphabet[bits >> (18 - 6 * i) & 63];
    if (padded) text.append(4 - digits, '=');
  }
  return text;
}

// Prints; with `random` oddly.
class Printer {
 public:
  explicit Printer(std::mt19937_64* random) : random_(random) {}

  std::string Object(const Message& message) {
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    std::vector<std::string> members;
    for (const FieldDescriptor* field : fields) members.push_back(Member(message, *field));
    if (random_) AddMembers(message, &members);
    std::string text = "{" + Blank();
    for (size_t i = 0; i < members.size(); ++i) text += (i ? "," + Blank() : "") + members[i] + Blank();
    return text + "}";
  }

 private:
  bool OneIn(uint64_t n) { return random_ && (*random_)() % n == 0; }

  std::string Blank() {
    constexpr const char* kBlanks[] = {" ", "\n", "\t", "\r\n  ", "", ""};
    return OneIn(8) ? kBlanks[(*random_)() % std::size(kBlanks)] : "";
  }

  // What means nothing, in any order with the others.
  void AddMembers(const Message& message, std::vector<std::string>* members) {
    if (OneIn(6)) members->push_back("\"unknown\":[{\"a\":[null,true,-0.5e3,\"\\u00e9\\\\\"],\"b\":{}},[[]],\"}\"]");
    if (OneIn(6)) members->push_back("\"x\\ty\" : {\"deep\":[[[[{\"\":false}]]]]}");
    const auto* descriptor = message.GetDescriptor();
    const FieldDescriptor& any = *descriptor->field(static_cast<int>((*random_)() % static_cast<uint64_t>(descriptor->field_count())));
    if (OneIn(6)) members->push_back("\"" + any.json_name() + "\":null");
    // The order of the elements of a oneof would matter, but only one of them is set.
    std::shuffle(members->begin(), members->end(), *random_);
  }

  std::string Member(const Message& message, const FieldDescriptor& field) {
    std::string name = OneIn(3) ? field.name() : field.json_name();
    if (OneIn(30)) name = "\\u00" + HexText(name.substr(0, 1)) + name.substr(1);
    std::string text = "\"" + name + "\"" + Blank() + ":" + Blank();
    if (!field.is_repeated()) return text + Value(message, field, -1);
    text += "[";
    for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) text += (i ? "," : "") + Blank() + Value(message, field, i);
    return text + Blank() + "]";
  }

  // The value of a field, or an element of a repeated one.
  std::string Value(const Message& m, const FieldDescriptor& f, int i) {
    const auto* r = m.GetReflection();
    const bool one = i < 0;
    std::string scratch;
    switch (f.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE: return Object(one ? r->GetMessage(m, &f) : r->GetRepeatedMessage(m, &f, i));
      case FieldDescriptor::CPPTYPE_STRING: return Text(f, one ? r->GetStringReference(m, &f, &scratch) : r->GetRepeatedStringReference(m, &f, i, &scratch));
      case FieldDescriptor::CPPTYPE_BOOL: return r->GetBool(m, &f) ? "true" : "false";
      case FieldDescriptor::CPPTYPE_ENUM: return Enum(f, r->GetEnumValue(m, &f));
      case FieldDescriptor::CPPTYPE_INT32: return Integer(std::to_string(r->GetInt32(m, &f)), false);
      case FieldDescriptor::CPPTYPE_UINT32: return Integer(std::to_string(r->GetUInt32(m, &f)), false);
      case FieldDescriptor::CPPTYPE_INT64: return Integer(std::to_string(one ? r->GetInt64(m, &f) : r->GetRepeatedInt64(m, &f, i)), true);
      case FieldDescriptor::CPPTYPE_UINT64: return Integer(std::to_string(one ? r->GetUInt64(m, &f) : r->GetRepeatedUInt64(m, &f, i)), true);
      case FieldDescriptor::CPPTYPE_DOUBLE: return Double(one ? r->GetDouble(m, &f) : r->GetRepeatedDouble(m, &f, i));
      default: return "null";
    }
  }

  std::string Text(const FieldDescriptor& field, const std::string& bytes) {
    if (field.type() == FieldDescriptor::TYPE_STRING) return "\"" + Escaped(bytes) + "\"";
    return "\"" + (IsId(field) ? HexText(bytes, OneIn(3)) : Base64Text(bytes, OneIn(2), !OneIn(2))) + "\"";
  }

  std::string Escaped(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
      const auto byte = static_cast<uint8_t>(c);
      if (c == '"' || c == '\\') {
        escaped += std::string("\\") + c;
      } else if (c == '\n' && OneIn(2)) {
        escaped += "\\n";
      } else if (c == '/' && OneIn(2)) {
        escaped += "\\/";
      } else if (byte < 0x20 || (byte < 0x80 && OneIn(40))) {
        escaped += "\\u00" + HexText(std::string(1, c));
      } else {
        escaped += c;
      }
    }
    return escaped;
  }

  std::string Enum(const FieldDescriptor& field, int number) {
    const auto* value = field.enum_type()->FindValueByNumber(number);
    if (value && OneIn(2)) return "\"" + value->name() + "\"";
    return Integer(std::to_string(number), false);
  }

  std::string Integer(std::string digits, bool quoted) {
    if (OneIn(20)) digits += ".0";
    if (OneIn(20)) digits += "e0";
    if (OneIn(3)) quoted = !quoted;
    return quoted ? "\"" + digits + "\"" : digits;
  }

  std::string Double(double value) {
    if (std::isnan(value)) return "\"NaN\"";
    if (std::isinf(value)) return value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
    char text[40];
    const std::string number(text, std::to_chars(text, text + sizeof(text), value).ptr);
    return OneIn(6) ? "\"" + number + "\"" : number;
  }

  std::mt19937_64* random_;
};

void NormalizeNansOf(Message* m, const FieldDescriptor& f) {
  const auto* r = m->GetReflection();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  if (f.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    if (!f.is_repeated()) return NormalizeNans(r->MutableMessage(m, &f));
    for (int i = 0; i < r->FieldSize(*m, &f); ++i) NormalizeNans(r->MutableRepeatedMessage(m, &f, i));
  } else if (f.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
    if (!f.is_repeated() && std::isnan(r->GetDouble(*m, &f))) r->SetDouble(m, &f, kNan);
    for (int i = 0; f.is_repeated() && i < r->FieldSize(*m, &f); ++i) {
      if (std::isnan(r->GetRepeatedDouble(*m, &f, i))) r->SetRepeatedDouble(m, &f, i, kNan);
    }
  }
}

}  // namespace

std::string PlainJson(const Message& message) { return Printer(nullptr).Object(message); }

std::string OddJson(const Message& message, std::mt19937_64* random) { return Printer(random).Object(message); }

void NormalizeNans(Message* message) {
  std::vector<const FieldDescriptor*> fields;
  message->GetReflection()->ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) NormalizeNansOf(message, *field);
}

std::string HexText(const std::string& bytes, bool upper) {
  const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<uint8_t>(c) >> 4];
    text += digits[static_cast<uint8_t>(c) & 15];
  }
  return text;
}

}  // namespace otlp_arrow::testing
