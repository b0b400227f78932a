#include "odd_wire.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>

namespace otlp_arrow::testing {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::UnknownField;

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLen = 2, kStartGroup = 3, kEndGroup = 4, kFixed32 = 5 };

class OddSerializer {
 public:
  explicit OddSerializer(std::mt19937_64* random) : random_(random) {}

  std::string Message(const google::protobuf::Message& message) { return Join(FieldsOf(message)); }

 private:
  using Fields = std::vector<std::string>;  // each a tag and its value

  bool OneIn(uint64_t n) { return (*random_)() % n == 0; }

  // At most `longest` bytes, some of them for nothing.
  void Varint(uint64_t value, size_t longest, std::string* out) {
    std::string bytes;
    for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
    bytes.push_back(static_cast<char>(value));
    while (bytes.size() < longest && OneIn(20)) {
      bytes.back() = static_cast<char>(bytes.back() | 0x80);
      bytes.push_back('\0');
    }
    out->append(bytes);
  }
  std::string Tagged(int number, WireType type) {
    std::string out;
    Varint(static_cast<uint64_t>(number) << 3 | type, 5, &out);
    return out;
  }
  std::string LenField(int number, const std::string& body) {
    std::string out = Tagged(number, kLen);
    Varint(body.size(), 5, &out);
    return out + body;
  }

  // The value of a scalar field as it stands behind its tag; `index` is -1 for a singular field.
  std::string Scalar(const google::protobuf::Message& m, const FieldDescriptor* f, int index, WireType* type) {
    const auto* r = m.GetReflection();
    std::string out;
    auto fixed = [&](const auto& value, WireType t) {
      *type = t;
      out.assign(reinterpret_cast<const char*>(&value), sizeof(value));
    };
    auto varint = [&](uint64_t value) {
      *type = kVarint;
      Varint(value, 10, &out);
    };
    const bool one = index < 0;
    switch (f->type()) {
      case FieldDescriptor::TYPE_DOUBLE: fixed(one ? r->GetDouble(m, f) : r->GetRepeatedDouble(m, f, index), kFixed64); break;
      case FieldDescriptor::TYPE_FIXED64: fixed(one ? r->GetUInt64(m, f) : r->GetRepeatedUInt64(m, f, index), kFixed64); break;
      case FieldDescriptor::TYPE_SFIXED64: fixed(one ? r->GetInt64(m, f) : r->GetRepeatedInt64(m, f, index), kFixed64); break;
      case FieldDescriptor::TYPE_FIXED32: fixed(one ? r->GetUInt32(m, f) : r->GetRepeatedUInt32(m, f, index), kFixed32); break;
      case FieldDescriptor::TYPE_INT64: varint(static_cast<uint64_t>(r->GetInt64(m, f))); break;
      case FieldDescriptor::TYPE_UINT64: varint(one ? r->GetUInt64(m, f) : r->GetRepeatedUInt64(m, f, index)); break;
      case FieldDescriptor::TYPE_UINT32: varint(r->GetUInt32(m, f)); break;
      case FieldDescriptor::TYPE_INT32: varint(static_cast<uint64_t>(int64_t{r->GetInt32(m, f)})); break;
      case FieldDescriptor::TYPE_ENUM: varint(static_cast<uint64_t>(int64_t{r->GetEnumValue(m, f)})); break;
      case FieldDescriptor::TYPE_BOOL: varint(r->GetBool(m, f)); break;
      case FieldDescriptor::TYPE_SINT32: {
        const int32_t v = r->GetInt32(m, f);
        varint(static_cast<uint32_t>(v) << 1 ^ static_cast<uint32_t>(v >> 31));
        break;
      }
      default: GOOGLE_LOG(FATAL) << "no OTLP field has the type of " << f->full_name();
    }
    return out;
  }

  void AddList(const google::protobuf::Message& m, const FieldDescriptor* f, Fields* fields) {
    const int n = m.GetReflection()->FieldSize(m, f);
    WireType type = kVarint;
    if (OneIn(3)) {
      for (int i = 0; i < n; ++i) {
        const std::string value = Scalar(m, f, i, &type);
        fields->push_back(Tagged(f->number(), type) + value);
      }
      return;
    }
    std::string packed;
    for (int i = 0; i < n; ++i) {
      packed += Scalar(m, f, i, &type);
      if (OneIn(10)) fields->push_back(LenField(f->number(), std::exchange(packed, {})));
    }
    fields->push_back(LenField(f->number(), packed));
  }

  // One message, or two that merge into it.
  void AddMessage(const google::protobuf::Message& sub, const FieldDescriptor* f, Fields* fields) {
    Fields parts = FieldsOf(sub);
    if (!f->is_repeated() && OneIn(6)) {
      const auto cut = static_cast<std::ptrdiff_t>((*random_)() % (parts.size() + 1));
      fields->push_back(LenField(f->number(), Join(Fields(parts.begin(), parts.begin() + cut))));
      parts.erase(parts.begin(), parts.begin() + cut);
    }
    fields->push_back(LenField(f->number(), Join(parts)));
  }

  // A value that a later one replaces.
  std::string Overwritten(const FieldDescriptor* f) {
    WireType type = kVarint;
    std::string value("\x05");
    switch (f->type()) {
      case FieldDescriptor::TYPE_STRING: return LenField(f->number(), "overwritten");
      case FieldDescriptor::TYPE_BYTES: return LenField(f->number(), std::string(f->name() == "trace_id" ? 16 : 8, '\x11'));
      case FieldDescriptor::TYPE_DOUBLE:
      case FieldDescriptor::TYPE_FIXED64:
      case FieldDescriptor::TYPE_SFIXED64:
        type = kFixed64;
        value.assign(8, '\x22');
        break;
      case FieldDescriptor::TYPE_FIXED32:
        type = kFixed32;
        value.assign(4, '\x33');
        break;
      default: break;
    }
    return Tagged(f->number(), type) + value;
  }

  void AddSingle(const google::protobuf::Message& m, const FieldDescriptor* f, Fields* fields) {
    if (f->type() == FieldDescriptor::TYPE_MESSAGE) return AddMessage(m.GetReflection()->GetMessage(m, f), f, fields);
    if (OneIn(15)) fields->push_back(Overwritten(f));
    if (f->type() == FieldDescriptor::TYPE_STRING || f->type() == FieldDescriptor::TYPE_BYTES) {
      fields->push_back(LenField(f->number(), m.GetReflection()->GetString(m, f)));
      return;
    }
    WireType type = kVarint;
    const std::string value = Scalar(m, f, -1, &type);
    fields->push_back(Tagged(f->number(), type) + value);
  }

  void AddField(const google::protobuf::Message& m, const FieldDescriptor* f, Fields* fields) {
    const auto* r = m.GetReflection();
    if (f->is_repeated() && f->type() == FieldDescriptor::TYPE_MESSAGE) {
      for (int i = 0; i < r->FieldSize(m, f); ++i) AddMessage(r->GetRepeatedMessage(m, f, i), f, fields);
    } else if (f->is_repeated()) {
      if (r->FieldSize(m, f) > 0) AddList(m, f, fields);
    } else if (f->has_presence() ? r->HasField(m, f) : (r->HasField(m, f) || OneIn(20))) {
      AddSingle(m, f, fields);
    }
  }

  std::string Unknown(int depth) {
    const int number = kFirstUnknownField + static_cast<int>((*random_)() % 5000);
    switch ((*random_)() % 5) {
      case 0: return Tagged(number, kVarint) + "\x07";
      case 1: return Tagged(number, kFixed64) + "12345678";
      case 2: return Tagged(number, kFixed32) + "1234";
      case 3:
        if (depth < 3) return Tagged(number, kStartGroup) + Unknown(depth + 1) + Unknown(depth + 1) + Tagged(number, kEndGroup);
        [[fallthrough]];
      default: return LenField(number, "\xff\x01 not known");
    }
  }

  // The fields of a message in an order that keeps only what counts: that within a field and within a oneof.
  Fields FieldsOf(const google::protobuf::Message& m) {
    std::map<int, Fields> groups;
    for (int i = 0; i < m.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* f = m.GetDescriptor()->field(i);
      const auto* oneof = f->real_containing_oneof();
      const int group = oneof ? -1 - oneof->index() : f->number();
      // Before the member that is set another scalar member may stand.
      if (oneof && m.GetReflection()->HasField(m, f) && OneIn(15)) AddOtherMember(oneof, &groups[group]);
      AddField(m, f, &groups[group]);
    }
    const auto& unknown = m.GetReflection()->GetUnknownFields(m);
    for (int i = 0; i < unknown.field_count(); ++i) {
      const UnknownField& u = unknown.field(i);
      if (u.type() == UnknownField::TYPE_LENGTH_DELIMITED) groups[u.number()].push_back(LenField(u.number(), u.length_delimited()));
    }
    if (OneIn(10)) groups[0].push_back(Unknown(0));
    std::vector<int> order;
    for (const auto& [group, fields] : groups) order.insert(order.end(), fields.size(), group);
    if (OneIn(2)) std::shuffle(order.begin(), order.end(), *random_);
    Fields shuffled;
    std::map<int, size_t> next;
    for (int group : order) shuffled.push_back(groups[group][next[group]++]);
    return shuffled;
  }

  void AddOtherMember(const google::protobuf::OneofDescriptor* oneof, Fields* fields) {
    const FieldDescriptor* other = oneof->field(static_cast<int>((*random_)() % static_cast<uint64_t>(oneof->field_count())));
    if (other->type() != FieldDescriptor::TYPE_MESSAGE) fields->push_back(Overwritten(other));
  }

  static std::string Join(const Fields& fields) {
    std::string out;
    for (const auto& f : fields) out += f;
    return out;
  }

  std::mt19937_64* random_;
};

}  // namespace

std::string SerializeOddly(const Message& message, std::mt19937_64* random) { return OddSerializer(random).Message(message); }

void StripUnknownFields(Message* message, int first) {
  const auto* r = message->GetReflection();
  auto* unknown = r->MutableUnknownFields(message);
  for (int i = unknown->field_count() - 1; i >= 0; --i) {
    if (unknown->field(i).number() >= first) unknown->DeleteSubrange(i, 1);
  }
  std::vector<const FieldDescriptor*> fields;
  r->ListFields(*message, &fields);
  for (const FieldDescriptor* f : fields) {
    if (f->type() != FieldDescriptor::TYPE_MESSAGE) continue;
    if (!f->is_repeated()) {
      StripUnknownFields(r->MutableMessage(message, f), first);
      continue;
    }
    for (int i = 0; i < r->FieldSize(*message, f); ++i) StripUnknownFields(r->MutableRepeatedMessage(message, f, i), first);
  }
}

}  // namespace otlp_arrow::testing
