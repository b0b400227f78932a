// AnyValue and KeyValueRef messages from plain values: their sizes, then their bytes. `most_text` is the attribute-limit
// rule of OpenTelemetry: text and bytes, also those inside of arrays and maps, are cut to this many bytes, text between
// two characters.
#pragma once

#include <cstdint>
#include <string_view>

#include "ring/messages.h"
#include "ring/slot_writer.h"
#include "otlp_arrow/ring/values.h"

namespace otlp_arrow::ring {

constexpr size_t kWholeText = SIZE_MAX;

// The longest beginning of at most `most` bytes that ends between two characters.
inline std::string_view CutText(std::string_view text, size_t most) {
  if (text.size() <= most) [[likely]] return text;
  while (most > 0 && (static_cast<uint8_t>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

size_t NestedBytes(const Value& value, size_t most_text);
void PutNested(SlotWriter* out, const Value& value, size_t most_text);

// Of the message's content; values nest at most kMaxValueDepth deep.
inline size_t AnyBytes(const Value& value, size_t most_text = kWholeText) {
  switch (value.type) {
    case Value::Type::kEmpty: return 0;
    case Value::Type::kString: return LenBytes(field::kAnyString, CutText(value.bytes(), most_text).size());
    case Value::Type::kBool: return 2;
    case Value::Type::kInt: return VarintFieldBytes(field::kAnyInt, static_cast<uint64_t>(value.integer));
    case Value::Type::kDouble: return 9;
    case Value::Type::kBytes: return LenBytes(field::kAnyBytes, value.size < most_text ? value.size : most_text);
    case Value::Type::kRef: return VarintFieldBytes(field::kAnyRef, static_cast<uint64_t>(value.integer));
    case Value::Type::kArray:
    case Value::Type::kMap: break;
  }
  return NestedBytes(value, most_text);
}

inline void PutAny(SlotWriter* out, const Value& value, size_t most_text = kWholeText) {
  switch (value.type) {
    case Value::Type::kEmpty: return;
    case Value::Type::kString: {
      const std::string_view text = CutText(value.bytes(), most_text);
      return out->Bytes(field::kAnyString, text.data(), text.size());
    }
    case Value::Type::kBool: return out->VarintField(field::kAnyBool, value.boolean);
    case Value::Type::kInt: return out->VarintField(field::kAnyInt, static_cast<uint64_t>(value.integer));
    case Value::Type::kDouble: return out->Fixed64(field::kAnyDouble, std::bit_cast<uint64_t>(value.number));
    case Value::Type::kBytes: return out->Bytes(field::kAnyBytes, value.text, value.size < most_text ? value.size : most_text);
    case Value::Type::kRef: return out->VarintField(field::kAnyRef, static_cast<uint64_t>(value.integer));
    case Value::Type::kArray:
    case Value::Type::kMap: return PutNested(out, value, most_text);
  }
}

// Content of a KeyValueRef.
inline size_t PairBytes(const Attribute& attribute, size_t most_text = kWholeText) {
  return VarintFieldBytes(field::kPairKeyRef, static_cast<uint64_t>(attribute.key)) +
         LenBytes(field::kPairValue, AnyBytes(attribute.value, most_text));
}

inline void PutPair(SlotWriter* out, uint32_t field, const Attribute& attribute, size_t most_text = kWholeText) {
  const size_t any = AnyBytes(attribute.value, most_text);
  out->Len(field, VarintFieldBytes(field::kPairKeyRef, static_cast<uint64_t>(attribute.key)) + LenBytes(field::kPairValue, any));
  out->VarintField(field::kPairKeyRef, static_cast<uint64_t>(attribute.key));
  out->Len(field::kPairValue, any);
  PutAny(out, attribute.value, most_text);
}

// With their tags.
inline size_t PairsBytes(uint32_t field, Attributes attributes, size_t most_text = kWholeText) {
  size_t bytes = 0;
  for (const Attribute& attribute : attributes) bytes += LenBytes(field, PairBytes(attribute, most_text));
  return bytes;
}
inline void PutPairs(SlotWriter* out, uint32_t field, Attributes attributes, size_t most_text = kWholeText) {
  for (const Attribute& attribute : attributes) PutPair(out, field, attribute, most_text);
}

// How many texts of a value are longer than that.
uint32_t CountCut(const Value& value, size_t most_text);

// References within [first, end), or 0, also those inside of maps, and not too deep.
struct RefRange {
  Ref first;
  Ref end;
  bool Holds(Ref ref) const { return ref == 0 || (ref >= first && ref < end); }
};
bool IsNestedValid(const Value& value, const RefRange& refs, int depth);
inline bool IsValid(const Value& value, const RefRange& refs) {
  if (value.type == Value::Type::kRef) return refs.Holds(value.integer);
  const bool nested = value.type == Value::Type::kArray || value.type == Value::Type::kMap;
  return !nested || IsNestedValid(value, refs, 1);
}
inline bool AreValid(Attributes attributes, const RefRange& refs) {
  for (const Attribute& attribute : attributes) {
    if (!refs.Holds(attribute.key) || !IsValid(attribute.value, refs)) return false;
  }
  return true;
}

}  // namespace otlp_arrow::ring
