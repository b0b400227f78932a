#include "collector/dictionary_converter.h"

#include <unordered_map>

namespace otlp_arrow {
namespace {

using wire::Cursor;
using wire::Tag;

constexpr int kMostDepth = 64;  // as the OTLP decoder's

enum AnyField : uint32_t { kString = 1, kBool = 2, kInt = 3, kDouble = 4, kArray = 5, kMap = 6, kBytes = 7, kReference = 8 };
enum PairField : uint32_t { kKey = 1, kValue = 2 };
constexpr uint32_t kElements = 1;  // of ArrayValue and KeyValueList

}  // namespace

std::optional<std::string_view> DictionaryConverter::Text(int64_t reference) const {
  if (reference == 0) return std::string_view();
  return entries_->Find(reference);
}

size_t DictionaryConverter::Attributes(const ring::Repeated& key_value_refs, uint32_t field, wire::Writer* out) const {
  size_t left_out = 0;
  for (std::string_view pair : key_value_refs) {
    const size_t before = out->size();
    if (Attribute(Cursor(pair), field, out)) continue;
    out->Truncate(before);
    ++left_out;
  }
  return left_out;
}

bool DictionaryConverter::Attribute(Cursor key_value_ref, uint32_t field, wire::Writer* out) const {
  return KeyValueAt(key_value_ref, field, 0, out);
}

bool DictionaryConverter::View(const ring::AnyView& value, uint32_t field, wire::Writer* out) const {
  using Type = ring::Value::Type;
  if (value.type == Type::kRef) return ReferenceAt(value.integer, field, out);
  bool whole = true;
  const auto message = out->Begin(field);
  switch (value.type) {
    case Type::kString: out->Bytes(kString, value.bytes); break;
    case Type::kBool: out->Varint(kBool, value.boolean); break;
    case Type::kInt: out->Varint(kInt, static_cast<uint64_t>(value.integer)); break;
    case Type::kDouble: out->Double(kDouble, value.number); break;
    case Type::kBytes: out->Bytes(kBytes, value.bytes); break;
    case Type::kArray:
    case Type::kMap: {
      const auto list = out->Begin(value.type == Type::kMap ? kMap : kArray);
      for (std::string_view element : value.elements) {
        whole &= value.type == Type::kMap ? KeyValueAt(Cursor(element), kElements, 1, out) : ValueAt(Cursor(element), kElements, 1, out);
      }
      out->End(list);
      break;
    }
    default: break;
  }
  out->End(message);
  return whole;
}

bool DictionaryConverter::KeyValueAt(Cursor pair, uint32_t field, int depth, wire::Writer* out) const {
  uint64_t key = 0;
  Cursor value{std::string_view()};
  uint32_t tag = 0;
  while (!pair.done()) {
    if (!wire::ReadTag(&pair, &tag)) return false;
    if (tag == Tag(kKey, wire::kVarint)) {
      if (!wire::ReadVarint(&pair, &key)) return false;
    } else if (tag == Tag(kValue, wire::kLen)) {
      if (!wire::ReadLen(&pair, &value)) return false;
    } else if (!wire::SkipValue(&pair, tag)) {
      return false;
    }
  }
  const auto text = Text(static_cast<int64_t>(key));
  if (!text) return false;
  const auto message = out->Begin(field);
  out->Bytes(kKey, *text);
  const bool whole = ValueAt(value, kValue, depth, out);
  out->End(message);
  return whole;
}

bool DictionaryConverter::ValueAt(Cursor any, uint32_t field, int depth, wire::Writer* out) const {
  if (any.done()) {
    out->Bytes(field, {});
    return true;
  }
  Cursor probe = any;
  uint32_t tag = 0;
  if (!wire::ReadTag(&probe, &tag)) return false;
  const uint32_t kind = tag >> 3;
  if (kind != kArray && kind != kMap && kind != kReference) {
    out->Bytes(field, any.rest());
    return true;
  }
  if (depth >= kMostDepth) return false;
  if (tag == Tag(kReference, wire::kVarint)) {
    uint64_t reference = 0;
    if (!wire::ReadVarint(&probe, &reference)) return false;
    return ReferenceAt(static_cast<int64_t>(reference), field, out);
  }
  Cursor list{std::string_view()};
  if ((tag & 7) != wire::kLen || !wire::ReadLen(&probe, &list)) return false;
  const auto message = out->Begin(field);
  const bool whole = ElementsAt(list, kind == kMap, kind, depth + 1, out);
  out->End(message);
  return whole;
}

// An interned value is a string of the dictionary.
bool DictionaryConverter::ReferenceAt(int64_t reference, uint32_t field, wire::Writer* out) const {
  const auto text = Text(reference);
  if (!text) return false;
  const auto message = out->Begin(field);
  out->Bytes(kString, *text);
  out->End(message);
  return true;
}

bool DictionaryConverter::ElementsAt(Cursor list, bool of_pairs, uint32_t field, int depth, wire::Writer* out) const {
  const auto message = out->Begin(field);
  bool whole = true;
  uint32_t tag = 0;
  while (whole && !list.done()) {
    Cursor element{std::string_view()};
    if (!wire::ReadTag(&list, &tag)) {
      whole = false;
    } else if (tag != Tag(kElements, wire::kLen)) {
      whole = wire::SkipValue(&list, tag);
    } else {
      whole = wire::ReadLen(&list, &element) &&
              (of_pairs ? KeyValueAt(element, kElements, depth, out) : ValueAt(element, kElements, depth, out));
    }
  }
  out->End(message);
  return whole;
}

namespace {

void Split(std::string_view fields, std::vector<EncodedAttribute>* attributes) {
  attributes->clear();
  Cursor all(fields);
  while (!all.done()) {
    const auto* begin = all.p;
    uint32_t tag = 0;
    Cursor pair{std::string_view()};
    if (!wire::ReadTag(&all, &tag) || !wire::ReadLen(&all, &pair)) break;
    Cursor key{std::string_view()};
    while (!pair.done()) {
      if (!wire::ReadTag(&pair, &tag)) break;
      const bool read = tag == Tag(kKey, wire::kLen) ? wire::ReadLen(&pair, &key) : wire::SkipValue(&pair, tag);
      if (!read) break;
    }
    attributes->push_back({key.rest(), {reinterpret_cast<const char*>(begin), static_cast<size_t>(all.p - begin)}});
  }
}

// Each key's last value in the place of its first one.
void KeepLast(std::vector<EncodedAttribute>* attributes) {
  constexpr size_t kFew = 24;  // compared with each other
  size_t kept = 0;
  std::unordered_map<std::string_view, size_t> places;
  const bool few = attributes->size() <= kFew;
  for (const EncodedAttribute& attribute : *attributes) {
    size_t place = kept;
    if (few) {
      for (place = 0; place < kept && (*attributes)[place].key != attribute.key;) ++place;
    } else {
      place = places.try_emplace(attribute.key, kept).first->second;
    }
    (*attributes)[place] = attribute;
    kept += place == kept;
  }
  attributes->resize(kept);
}

}  // namespace

std::vector<EncodedAttribute> SplitAttributes(std::string_view fields) {
  std::vector<EncodedAttribute> attributes;
  Split(fields, &attributes);
  return attributes;
}

void WriteLastOfEachKey(std::string_view fields, wire::Writer* out) {
  thread_local std::vector<EncodedAttribute> attributes;
  Split(fields, &attributes);
  KeepLast(&attributes);
  for (const EncodedAttribute& attribute : attributes) out->Raw(attribute.field);
}

std::string LastOfEachKey(std::string_view fields) {
  wire::Writer all;
  WriteLastOfEachKey(fields, &all);
  return all.Take();
}

}  // namespace otlp_arrow
