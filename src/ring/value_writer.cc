#include "ring/messages.h"
#include "ring/value_writer.h"

namespace otlp_arrow::ring {
namespace {

// Content of the ArrayValue or KeyValueList.
size_t ListBytes(const Value& value, size_t most_text) {
  size_t bytes = 0;
  for (size_t i = 0; i < value.size; ++i) {
    const size_t element = value.type == Value::Type::kArray ? AnyBytes(value.array[i], most_text) : PairBytes(value.map[i], most_text);
    bytes += LenBytes(field::kListValues, element);
  }
  return bytes;
}

uint32_t FieldOf(const Value& value) { return value.type == Value::Type::kArray ? field::kAnyArray : field::kAnyKvlist; }

const Value& ElementOf(const Value& value, size_t i) { return value.type == Value::Type::kArray ? value.array[i] : value.map[i].value; }

}  // namespace

size_t NestedBytes(const Value& value, size_t most_text) { return LenBytes(FieldOf(value), ListBytes(value, most_text)); }

void PutNested(SlotWriter* out, const Value& value, size_t most_text) {
  out->Len(FieldOf(value), ListBytes(value, most_text));
  for (size_t i = 0; i < value.size; ++i) {
    if (value.type == Value::Type::kArray) {
      out->Len(field::kListValues, AnyBytes(value.array[i], most_text));
      PutAny(out, value.array[i], most_text);
    } else {
      PutPair(out, field::kListValues, value.map[i], most_text);
    }
  }
}

uint32_t CountCut(const Value& value, size_t most_text) {
  switch (value.type) {
    case Value::Type::kString:
    case Value::Type::kBytes: return value.size > most_text;
    case Value::Type::kArray:
    case Value::Type::kMap: {
      uint32_t cut = 0;
      for (size_t i = 0; i < value.size; ++i) cut += CountCut(ElementOf(value, i), most_text);
      return cut;
    }
    default: return 0;
  }
}

bool IsNestedValid(const Value& value, const RefRange& refs, int depth) {
  if (value.type == Value::Type::kRef) return refs.Holds(value.integer);
  if (value.type != Value::Type::kArray && value.type != Value::Type::kMap) return true;
  if (depth > kMaxValueDepth) return false;
  for (size_t i = 0; i < value.size; ++i) {
    if (value.type == Value::Type::kMap && !refs.Holds(value.map[i].key)) return false;
    if (!IsNestedValid(ElementOf(value, i), refs, depth + 1)) return false;
  }
  return true;
}

}  // namespace otlp_arrow::ring
