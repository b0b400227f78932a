#include "otlp/telemetry/encode_values.h"

namespace otlp_arrow {
namespace {

// Fields of AnyValue.
enum : uint32_t { kString = 1, kBool = 2, kInt = 3, kDouble = 4, kArray = 5, kMap = 6, kBytes = 7 };

constexpr std::string_view kTooDeep = "<nested too deep>";

void EncodeNested(uint32_t field, const Value& value, int depth, wire::Writer* out);
void EncodeEntry(uint32_t field, const KeyValue& entry, int depth, wire::Writer* out);

// The content of an AnyValue; `depth` is that of the containers around it.
struct ContentEncoder {
  wire::Writer* out;
  int depth;

  void operator()(std::monostate) const {}
  void operator()(bool value) const { out->Varint(kBool, value); }
  void operator()(int64_t value) const { out->Varint(kInt, static_cast<uint64_t>(value)); }
  void operator()(double value) const { out->Double(kDouble, value); }
  void operator()(const std::string& value) const { out->Bytes(kString, value); }
  void operator()(const Bytes& value) const { out->Bytes(kBytes, value.data); }
  void operator()(const Array& elements) const {
    if (depth >= kMaxValueNesting) return out->Bytes(kString, kTooDeep);
    EncodeMessage(kArray, 8 * elements.size(), out, [&] {
      for (const Value& element : elements) EncodeNested(1, element, depth + 1, out);
    });
  }
  void operator()(const Attributes& entries) const {
    if (depth >= kMaxValueNesting) return out->Bytes(kString, kTooDeep);
    EncodeMessage(kMap, SizeOf(entries), out, [&] {
      for (const KeyValue& entry : entries) EncodeEntry(1, entry, depth + 1, out);
    });
  }
};

void EncodeNested(uint32_t field, const Value& value, int depth, wire::Writer* out) {
  const std::string* text = value.As<std::string>();
  EncodeMessage(field, text ? text->size() + 2 : 1, out, [&] { std::visit(ContentEncoder{out, depth}, value.variant()); });
}

void EncodeEntry(uint32_t field, const KeyValue& entry, int depth, wire::Writer* out) {
  if (const std::string* text = entry.value.As<std::string>()) return out->TextAttribute(field, entry.key, *text);
  EncodeMessage(field, entry.key.size() + 16, out, [&] {
    out->NonEmpty(1, entry.key);
    EncodeNested(2, entry.value, depth, out);
  });
}

void EncodeEntityRef(const EntityRef& ref, wire::Writer* out) {
  EncodeMessage(3, 64, out, [&] {
    out->NonEmpty(1, ref.schema_url);
    out->NonEmpty(2, ref.type);
    for (const std::string& key : ref.id_keys) out->Bytes(3, key);
    for (const std::string& key : ref.description_keys) out->Bytes(4, key);
  });
}

}  // namespace

void EncodeValue(uint32_t field, const Value& value, wire::Writer* out) { EncodeNested(field, value, 0, out); }

void EncodeAttributes(uint32_t field, const Attributes& attributes, wire::Writer* out) {
  for (const KeyValue& attribute : attributes) EncodeEntry(field, attribute, 0, out);
}

void EncodeResource(const Resource& resource, wire::Writer* out) {
  EncodeMessage(1, SizeOf(resource.attributes), out, [&] {
    EncodeAttributes(1, resource.attributes, out);
    out->NonZeroVarint(2, resource.dropped_attributes_count);
    for (const EntityRef& ref : resource.entity_refs) EncodeEntityRef(ref, out);
  });
}

void EncodeScope(const InstrumentationScope& scope, wire::Writer* out) {
  EncodeMessage(1, 16 + SizeOf(scope.attributes), out, [&] {
    out->NonEmpty(1, scope.name);
    out->NonEmpty(2, scope.version);
    EncodeAttributes(3, scope.attributes, out);
    out->NonZeroVarint(4, scope.dropped_attributes_count);
  });
}

}  // namespace otlp_arrow
