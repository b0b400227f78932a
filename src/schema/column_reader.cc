#include "schema/column_reader.h"

#include <cstring>

#include <arrow/type.h>
#include <arrow/type_traits.h>

namespace otlp_arrow {
namespace {

Status WrongType(const std::string& path, const arrow::DataType& type, std::string_view allowed) {
  return Status::Export("column '" + path + "' has the type " + type.ToString() + "; allowed is " + std::string(allowed));
}

constexpr std::string_view kTextTypes = "utf8, large_utf8, utf8_view or a dictionary of them";

// A column that is not there, or that a tool wrote as all nulls without a type.
bool IsMissing(const std::shared_ptr<arrow::Array>& array) { return !array || array->type_id() == arrow::Type::NA; }

template <class ArrayType>
void Widen(const arrow::Array& indices, std::vector<int32_t>* out) {
  const auto& typed = static_cast<const ArrayType&>(indices);
  out->resize(static_cast<size_t>(typed.length()));
  for (int64_t i = 0; i < typed.length(); ++i) (*out)[static_cast<size_t>(i)] = static_cast<int32_t>(typed.Value(i));
}

// Indices of another width as int32; false for a type that no dictionary has.
bool ConvertIndices(const arrow::Array& indices, std::vector<int32_t>* out) {
  switch (indices.type_id()) {
    case arrow::Type::INT8: Widen<arrow::Int8Array>(indices, out); return true;
    case arrow::Type::UINT8: Widen<arrow::UInt8Array>(indices, out); return true;
    case arrow::Type::INT16: Widen<arrow::Int16Array>(indices, out); return true;
    case arrow::Type::UINT16: Widen<arrow::UInt16Array>(indices, out); return true;
    case arrow::Type::UINT32: Widen<arrow::UInt32Array>(indices, out); return true;
    case arrow::Type::INT64: Widen<arrow::Int64Array>(indices, out); return true;
    case arrow::Type::UINT64: Widen<arrow::UInt64Array>(indices, out); return true;
    default: return false;
  }
}

}  // namespace

Validity::Validity(const arrow::Array& array)
    : bits_(array.null_count() ? array.null_bitmap_data() : nullptr), offset_(array.offset()), all_null_(false) {}

Status TextReader::Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array) {
  *this = TextReader();
  if (IsMissing(array)) return {};
  owner_ = array;
  validity_ = Validity(*array);
  if (array->type_id() == arrow::Type::DICTIONARY) {
    return BindDictionary(path, static_cast<const arrow::DictionaryArray&>(*array));
  }
  return BindPlain(path, *array);
}

Status TextReader::BindPlain(const std::string& path, const arrow::Array& array) {
  switch (array.type_id()) {
    case arrow::Type::STRING: {
      const auto& text = static_cast<const arrow::StringArray&>(array);
      layout_ = Layout::kOffsets32;
      values_ = text.raw_value_offsets();
      bytes_ = reinterpret_cast<const char*>(text.raw_data());
      return {};
    }
    case arrow::Type::LARGE_STRING: {
      const auto& text = static_cast<const arrow::LargeStringArray&>(array);
      layout_ = Layout::kOffsets64;
      values_ = text.raw_value_offsets();
      bytes_ = reinterpret_cast<const char*>(text.raw_data());
      return {};
    }
    case arrow::Type::STRING_VIEW:
      layout_ = Layout::kView;
      values_ = static_cast<const arrow::StringViewArray*>(&array);
      return {};
    default: return WrongType(path, *owner_->type(), kTextTypes);
  }
}

Status TextReader::BindDictionary(const std::string& path, const arrow::DictionaryArray& array) {
  dictionary_ = array.dictionary();
  dictionary_validity_ = Validity(*dictionary_);
  const arrow::Array& indices = *array.indices();
  if (indices.type_id() == arrow::Type::INT32) {
    indices_ = static_cast<const arrow::Int32Array&>(indices).raw_values();
  } else {
    auto converted = std::make_shared<std::vector<int32_t>>();
    if (!ConvertIndices(indices, converted.get())) return WrongType(path, *array.type(), kTextTypes);
    indices_ = converted->data();
    converted_ = std::move(converted);
  }
  if (dictionary_->type_id() == arrow::Type::NA) {
    validity_ = Validity();
    indices_ = nullptr;
    return {};
  }
  return BindPlain(path, *dictionary_);
}

bool TextReader::SameRange(int64_t a, int64_t b, int64_t n) const {
  if (indices_ && validity_.none_null()) {
    return std::memcmp(indices_ + a, indices_ + b, static_cast<size_t>(n) * sizeof(int32_t)) == 0;
  }
  for (int64_t i = 0; i < n; ++i) {
    const bool null = validity_.IsNull(a + i);
    if (null != validity_.IsNull(b + i)) return false;
    if (null) continue;
    if (indices_ ? indices_[a + i] != indices_[b + i] : Plain(a + i) != Plain(b + i)) return false;
  }
  return true;
}

template <class ArrowType>
Status NumberReader<ArrowType>::Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array) {
  *this = NumberReader();
  if (IsMissing(array)) return {};
  if (array->type_id() != ArrowType::type_id) return WrongType(path, *array->type(), ArrowType::type_name());
  owner_ = array;
  validity_ = Validity(*array);
  values_ = static_cast<const arrow::NumericArray<ArrowType>&>(*array).raw_values();
  return {};
}

template class NumberReader<arrow::Int32Type>;
template class NumberReader<arrow::Int64Type>;
template class NumberReader<arrow::UInt32Type>;
template class NumberReader<arrow::UInt64Type>;
template class NumberReader<arrow::DoubleType>;

Status TimeReader::Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array) {
  *this = TimeReader();
  if (IsMissing(array)) return {};
  if (array->type_id() != arrow::Type::TIMESTAMP ||
      static_cast<const arrow::TimestampType&>(*array->type()).unit() != arrow::TimeUnit::NANO) {
    return WrongType(path, *array->type(), "timestamp[ns]");
  }
  owner_ = array;
  validity_ = Validity(*array);
  values_ = static_cast<const arrow::TimestampArray&>(*array).raw_values();
  return {};
}

Status BoolReader::Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array) {
  *this = BoolReader();
  if (IsMissing(array)) return {};
  if (array->type_id() != arrow::Type::BOOL) return WrongType(path, *array->type(), "bool");
  owner_ = array;
  validity_ = Validity(*array);
  bits_ = static_cast<const arrow::BooleanArray&>(*array).values()->data();
  offset_ = array->offset();
  return {};
}

Status ListReader::Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array) {
  *this = ListReader();
  path_ = path;
  if (IsMissing(array)) return {};
  switch (array->type_id()) {
    case arrow::Type::LIST:
    case arrow::Type::MAP: {
      const auto& list = static_cast<const arrow::ListArray&>(*array);
      narrow_ = list.raw_value_offsets();
      elements_ = list.values();
      break;
    }
    case arrow::Type::LARGE_LIST: {
      const auto& list = static_cast<const arrow::LargeListArray&>(*array);
      wide_ = list.raw_value_offsets();
      elements_ = list.values();
      break;
    }
    default: return WrongType(path, *array->type(), "list, large_list or map");
  }
  owner_ = array;
  validity_ = Validity(*array);
  return {};
}

Status MapReader::Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array) {
  OTLP_RETURN_NOT_OK(lists_.Bind(path, array));
  std::shared_ptr<arrow::Array> keys;
  std::shared_ptr<arrow::Array> values;
  if (const auto& elements = lists_.elements()) {
    if (elements->type_id() != arrow::Type::STRUCT || elements->type()->num_fields() != 2) {
      return WrongType(path, *array->type(), "map, or a list of structs of a key and a value");
    }
    keys = static_cast<const arrow::StructArray&>(*elements).field(0);
    values = static_cast<const arrow::StructArray&>(*elements).field(1);
  }
  OTLP_RETURN_NOT_OK(keys_.Bind(path + ".key", keys));
  return values_.Bind(path + ".value", values);
}

bool MapReader::Same(int64_t a, int64_t b) const {
  if (lists_.IsNull(a) != lists_.IsNull(b)) return false;
  const RowRange left = lists_[a];
  const RowRange right = lists_[b];
  return left.size() == right.size() && keys_.SameRange(left.begin, right.begin, left.size()) &&
         values_.SameRange(left.begin, right.begin, left.size());
}

Result<Columns> Columns::OfStruct(const std::string& path, const std::shared_ptr<arrow::Array>& array) {
  Columns columns;
  columns.path_ = path;
  if (IsMissing(array)) return columns;
  if (array->type_id() != arrow::Type::STRUCT) return WrongType(path, *array->type(), "struct");
  columns.struct_ = std::static_pointer_cast<const arrow::StructArray>(array);
  columns.validity_ = Validity(*array);
  return columns;
}

Result<std::shared_ptr<arrow::Array>> Columns::Find(const std::string& name) const {
  if (batch_) return batch_->GetColumnByName(name);
  if (!struct_) return std::shared_ptr<arrow::Array>();
  const int i = struct_->struct_type()->GetFieldIndex(name);
  if (i < 0) return std::shared_ptr<arrow::Array>();
  if (validity_.none_null()) return struct_->field(i);
  auto field = struct_->GetFlattenedField(i);
  if (!field.ok()) return Status::Export("column '" + path_ + "." + name + "': " + field.status().ToString());
  return *std::move(field);
}

}  // namespace otlp_arrow
