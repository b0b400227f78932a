#include "converted_attributes.h"

namespace otlp_arrow::bridge {
namespace {

Value Owned(const ring::Value& value) {
  using Type = ring::Value::Type;
  switch (value.type) {
    case Type::kString: return Value(value.bytes());
    case Type::kBool: return Value(value.boolean);
    case Type::kInt: return Value(value.integer);
    case Type::kDouble: return Value(value.number);
    case Type::kArray: {
      Array elements;
      for (size_t i = 0; i < value.size; ++i) elements.push_back(Owned(value.array[i]));
      return Value(std::move(elements));
    }
    default: return Value();  // the API has no others
  }
}

}  // namespace

Attributes OwnedAttributes(const opentelemetry::common::KeyValueIterable& attributes) {
  Attributes owned;
  const ConvertedAttributes converted(attributes);
  for (const sdk::AttributeView& attribute : converted.view()) owned.push_back({std::string(attribute.key), Owned(attribute.value.view())});
  return owned;
}

}  // namespace otlp_arrow::bridge
