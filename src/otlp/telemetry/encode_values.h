// What the encoders of all signals share: values, attributes, ids, and the messages around the items.
#pragma once

#include <cstdint>

#include "otlp_arrow/telemetry.h"
#include "otlp_arrow/wire_writer.h"

namespace otlp_arrow {

void EncodeValue(uint32_t field, const Value& value, wire::Writer* out);
void EncodeAttributes(uint32_t field, const Attributes& attributes, wire::Writer* out);
// Field 1 of Resource…, and field 1 of Scope….
void EncodeResource(const Resource& resource, wire::Writer* out);
void EncodeScope(const InstrumentationScope& scope, wire::Writer* out);

template <size_t N>
void EncodeId(uint32_t field, const Id<N>& id, wire::Writer* out) {
  if (!id.empty()) out->Bytes(field, id.view());
}

// A nested message; `size` is about what its content will take, so that the content need not be moved.
template <class WriteBody>
void EncodeMessage(uint32_t field, size_t size, wire::Writer* out, WriteBody write_body) {
  const auto message = out->Begin(field, wire::VarintSize(size));
  write_body();
  out->End(message);
}

// Guesses of sizes in bytes: a wrong one costs a move.
inline size_t SizeOf(const Attributes& attributes) { return 32 * attributes.size(); }

// Resource…{resource, Scope…{scope, items, schema_url}…, schema_url}, the whole being field 1 of a request. `scopes` are left
// out where they have no items; `write_scope` writes the items of one, `item_count` and `item_size` tell how much that is.
template <class Scopes, class ItemCount, class WriteItems>
void EncodeContainers(const Resource& resource, const Scopes& scopes, size_t item_size, wire::Writer* out, ItemCount item_count,
                      WriteItems write_items) {
  size_t items = 0;
  for (const auto& scope : scopes) items += item_count(scope);
  if (items == 0) return;
  EncodeMessage(1, item_size * items, out, [&] {
    EncodeResource(resource, out);
    for (const auto& scope : scopes) {
      if (item_count(scope) == 0) continue;
      EncodeMessage(2, item_size * item_count(scope), out, [&] {
        EncodeScope(scope.scope, out);
        write_items(scope);
        out->NonEmpty(3, scope.scope.schema_url);
      });
    }
    out->NonEmpty(3, resource.schema_url);
  });
}

}  // namespace otlp_arrow
