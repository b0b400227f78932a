// What the decoders of all signals share. They read requests that the scan has accepted, so that framing is sound and known
// fields have their wire types; where they meet something else they stop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "otlp/scan.h"
#include "otlp/wire.h"
#include "otlp_arrow/telemetry.h"

namespace otlp_arrow {

// The value of one field: a number (varint or fixed), or bytes.
struct FieldValue {
  uint64_t number = 0;
  std::string_view bytes;

  double AsDouble() const { return wire::ToDouble(number); }
  int32_t AsInt32() const { return static_cast<int32_t>(number); }
  uint32_t AsUint32() const { return static_cast<uint32_t>(number); }
  int32_t AsZigZag32() const { return wire::ZigZag32(AsUint32()); }
  std::string AsText() const { return std::string(bytes); }
};

// Reads the value after a tag; groups are stepped over. False where the bytes end within.
bool ReadFieldValue(wire::Cursor* c, uint32_t tag, FieldValue* value);

// Calls `on_field(tag, value)` for each field of a message.
template <class OnField>
void ForEachField(std::string_view message, OnField on_field) {
  wire::Cursor c(message);
  uint32_t tag = 0;
  FieldValue value;
  while (!c.done() && wire::ReadTag(&c, &tag) && ReadFieldValue(&c, tag, &value)) on_field(tag, value);
}

void DecodeValue(std::string_view any_value, Value* value);
// Appends the attribute in one KeyValue.
void DecodeAttribute(std::string_view key_value, Attributes* attributes);
void DecodeResource(std::string_view message, Resource* resource);
void DecodeScope(std::string_view message, InstrumentationScope* scope);

template <size_t N>
void DecodeId(std::string_view bytes, Id<N>* id) {
  *id = {};
  if (bytes.size() == N) std::copy(bytes.begin(), bytes.end(), id->bytes.begin());
}

// Walks a request: `add_resource()` makes a new Resource… and returns it, `add_scope(resource)` a new Scope… in it,
// `add_item(bytes, scope)` reads an item (a span, a metric, a log record). With `check`, containers with a fault are left out.
template <class AddResource, class AddScope, class AddItem>
void DecodeContainers(std::string_view request, bool check, AddResource add_resource, AddScope add_scope, AddItem add_item) {
  const auto is_bad = [check](Container kind, std::string_view bytes) { return check && CheckContainer(kind, bytes) != ItemFault::kNone; };
  const auto read_scope = [&](std::string_view scope_bytes, auto* resource_items) {
    if (is_bad(Container::kScope, scope_bytes)) return;
    auto* scope_items = add_scope(resource_items);
    ForEachField(scope_bytes, [&](uint32_t tag, const FieldValue& value) {
      if (tag == wire::Tag(1, wire::kLen)) DecodeScope(value.bytes, &scope_items->scope);
      if (tag == wire::Tag(2, wire::kLen)) add_item(value.bytes, scope_items);
      if (tag == wire::Tag(3, wire::kLen)) scope_items->scope.schema_url = value.AsText();
    });
  };
  ForEachField(request, [&](uint32_t request_tag, const FieldValue& container) {
    if (request_tag != wire::Tag(1, wire::kLen) || is_bad(Container::kResource, container.bytes)) return;
    auto* resource_items = add_resource();
    ForEachField(container.bytes, [&](uint32_t tag, const FieldValue& value) {
      if (tag == wire::Tag(1, wire::kLen)) DecodeResource(value.bytes, &resource_items->resource);
      if (tag == wire::Tag(2, wire::kLen)) read_scope(value.bytes, resource_items);
      if (tag == wire::Tag(3, wire::kLen)) resource_items->resource.schema_url = value.AsText();
    });
  });
}

// The scan's verdict on a request: OK with whether its items are to be checked one by one.
Result<bool> ScanForDecoding(Signal signal, std::string_view request);

}  // namespace otlp_arrow
