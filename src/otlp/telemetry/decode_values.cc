#include "otlp/telemetry/decode_values.h"

namespace otlp_arrow {

using wire::Tag;

bool ReadFieldValue(wire::Cursor* c, uint32_t tag, FieldValue* value) {
  *value = {};
  switch (tag & 7) {
    case wire::kVarint: return wire::ReadVarint(c, &value->number);
    case wire::kFixed64: return wire::ReadFixed64(c, &value->number);
    case wire::kFixed32: {
      uint32_t number = 0;
      if (!wire::ReadFixed32(c, &number)) return false;
      value->number = number;
      return true;
    }
    case wire::kLen: {
      wire::Cursor body(nullptr, nullptr);
      if (!wire::ReadLen(c, &body)) return false;
      value->bytes = body.rest();
      return true;
    }
    default: return wire::SkipValue(c, tag);
  }
}

namespace {

Array DecodeArray(std::string_view message) {
  Array elements;
  ForEachField(message, [&](uint32_t tag, const FieldValue& value) {
    if (tag == Tag(1, wire::kLen)) DecodeValue(value.bytes, &elements.emplace_back());
  });
  return elements;
}

Attributes DecodeMap(std::string_view message) {
  Attributes entries;
  ForEachField(message, [&](uint32_t tag, const FieldValue& value) {
    if (tag == Tag(1, wire::kLen)) DecodeAttribute(value.bytes, &entries);
  });
  return entries;
}

void DecodeEntityRef(std::string_view message, EntityRef* ref) {
  ForEachField(message, [&](uint32_t tag, const FieldValue& value) {
    if (tag == Tag(1, wire::kLen)) ref->schema_url = value.AsText();
    if (tag == Tag(2, wire::kLen)) ref->type = value.AsText();
    if (tag == Tag(3, wire::kLen)) ref->id_keys.push_back(value.AsText());
    if (tag == Tag(4, wire::kLen)) ref->description_keys.push_back(value.AsText());
  });
}

}  // namespace

void DecodeValue(std::string_view any_value, Value* value) {
  ForEachField(any_value, [value](uint32_t tag, const FieldValue& field) {
    switch (tag) {
      case Tag(1, wire::kLen): *value = field.AsText(); break;
      case Tag(2, wire::kVarint): *value = field.number != 0; break;
      case Tag(3, wire::kVarint): *value = static_cast<int64_t>(field.number); break;
      case Tag(4, wire::kFixed64): *value = field.AsDouble(); break;
      case Tag(5, wire::kLen): *value = DecodeArray(field.bytes); break;
      case Tag(6, wire::kLen): *value = DecodeMap(field.bytes); break;
      case Tag(7, wire::kLen): *value = Bytes{field.AsText()}; break;
      default: break;
    }
  });
}

void DecodeAttribute(std::string_view key_value, Attributes* attributes) {
  KeyValue& attribute = attributes->emplace_back();
  ForEachField(key_value, [&](uint32_t tag, const FieldValue& value) {
    if (tag == Tag(1, wire::kLen)) attribute.key = value.AsText();
    if (tag == Tag(2, wire::kLen)) DecodeValue(value.bytes, &attribute.value);
  });
}

void DecodeResource(std::string_view message, Resource* resource) {
  ForEachField(message, [resource](uint32_t tag, const FieldValue& value) {
    if (tag == Tag(1, wire::kLen)) DecodeAttribute(value.bytes, &resource->attributes);
    if (tag == Tag(2, wire::kVarint)) resource->dropped_attributes_count = value.AsUint32();
    if (tag == Tag(3, wire::kLen)) DecodeEntityRef(value.bytes, &resource->entity_refs.emplace_back());
  });
}

void DecodeScope(std::string_view message, InstrumentationScope* scope) {
  ForEachField(message, [scope](uint32_t tag, const FieldValue& value) {
    if (tag == Tag(1, wire::kLen)) scope->name = value.AsText();
    if (tag == Tag(2, wire::kLen)) scope->version = value.AsText();
    if (tag == Tag(3, wire::kLen)) DecodeAttribute(value.bytes, &scope->attributes);
    if (tag == Tag(4, wire::kVarint)) scope->dropped_attributes_count = value.AsUint32();
  });
}

Result<bool> ScanForDecoding(Signal signal, std::string_view request) {
  const ScanResult scan = ScanOtlp(signal, request);
  if (!scan.ok) return Status::Export("malformed request of " + std::string(SignalName(signal)) + ": " + scan.error);
  return scan.rejected_items > 0;
}

}  // namespace otlp_arrow
