// What the recordables of spans and of log records have in common: OTLP's bytes of the item, which grow as its parts are
// set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <opentelemetry/common/attribute_value.h>
#include <opentelemetry/common/key_value_iterable.h>
#include <opentelemetry/sdk/instrumentationscope/instrumentation_scope.h>
#include <opentelemetry/sdk/resource/resource.h>

#include "attribute_writer.h"
#include "inline_buffer.h"
#include "otlp_arrow/wire_writer.h"
#include "recycled_memory.h"

namespace otlp_arrow::exporters {

using Resource = opentelemetry::sdk::resource::Resource;
using InstrumentationScope = opentelemetry::sdk::instrumentationscope::InstrumentationScope;
using opentelemetry::common::AttributeValue;
using opentelemetry::common::KeyValueIterable;
namespace nostd = opentelemetry::nostd;

// A part that does not fit into this is left out and counted as dropped, so that one item cannot take all memory.
inline constexpr size_t kMaxRecordBytes = 16 << 20;

// Writes into the recordable itself. A part is written whole or not at all, and what is set again replaces what was there.
class RecordWriter : public wire::BasicWriter<InlineBuffer<kBlockSize - 200>> {
 public:
  enum Slot { kFirst, kSecond, kThird };

  // False where there was no room or memory: then nothing is written.
  template <class Write>
  bool TryWrite(Write write) noexcept {
    const size_t before = size();
    try {
      write();
      if (size() <= kMaxRecordBytes) return true;
    } catch (...) {
    }
    Truncate(before);
    return false;
  }

  // The same for one of the parts that may be set again.
  template <class Write>
  bool TryReplace(Slot slot, Write write) noexcept {
    Erase(slot);
    const size_t begin = size();
    if (!TryWrite(write)) return false;
    parts_[slot] = {static_cast<uint32_t>(begin), static_cast<uint32_t>(size() - begin)};
    return true;
  }

  // Changes the last byte of such a part; false where it is not set.
  bool TrySetLastByte(Slot slot, uint8_t byte) noexcept;

  // Within TryWrite.
  void WriteKeyValues(uint32_t field, const KeyValueIterable& attributes);

 private:
  struct Part {
    uint32_t begin = 0, size = 0;
  };
  void Erase(Slot slot) noexcept;

  Part parts_[3];
};

// The base of both recordables. Their memory is recycled.
struct EncodedRecord {
  const Resource* resource = nullptr;
  const InstrumentationScope* scope = nullptr;
  EncodedRecord* next = nullptr;  // in the batch that is being exported
  RecordWriter fields;

  static void* operator new(size_t) noexcept { return TakeBlock(); }
  static void operator delete(void* block) noexcept { ReturnBlock(block); }
};

}  // namespace otlp_arrow::exporters
