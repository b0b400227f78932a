#include "sdk/attribute_buffer.h"

namespace otlp_arrow::sdk {

ring::Value CleanNested(const ring::Value& value, size_t most, ValueStorage* storage, int depth) {
  using Type = ring::Value::Type;
  if (value.type == Type::kBytes) return ring::Value::Bytes(value.bytes().substr(0, most));
  if (depth > ring::kMaxValueDepth) return ring::Value("<nested too deep>");
  if (value.type == Type::kArray) {
    std::vector<ring::Value>* elements = storage->NewArray();
    elements->reserve(value.size);
    for (size_t i = 0; i < value.size; ++i) {
      const ring::Value& element = value.array[i];
      elements->push_back(element.type < Type::kArray ? Clean(element, most, storage) : CleanNested(element, most, storage, depth + 1));
    }
    return ring::Value(std::span<const ring::Value>(*elements));
  }
  if (value.type == Type::kMap) {
    std::vector<ring::Attribute>* entries = storage->NewMap();
    entries->reserve(value.size);
    for (size_t i = 0; i < value.size; ++i) {
      const ring::Attribute& entry = value.map[i];
      const bool nested = entry.value.type >= Type::kArray;
      entries->push_back({entry.key, nested ? CleanNested(entry.value, most, storage, depth + 1) : Clean(entry.value, most, storage)});
    }
    return ring::Value::Map(*entries);
  }
  return value;
}

thread_local constinit CachedKey cached_keys[kCachedKeys] = {};

ring::Ref InternKey(const Dictionary& dictionary, std::string_view text, CachedKey* cached) noexcept {
  try {
    std::string storage;
    const auto ref = dictionary.writer->InternString(ValidText(text, &storage));
    if (!ref.ok()) return 0;
    if (text.size() <= CachedKey::kMostBytes && *ref != 0) {
      cached->owner = dictionary.owner;
      cached->ref = *ref;
      cached->size = text.size();
      std::memcpy(cached->text, text.data(), text.size());
    }
    return *ref;
  } catch (...) {  // no memory
    return 0;
  }
}

}  // namespace otlp_arrow::sdk
