#include "plain_batch.h"

#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/device.h>

namespace otlp_arrow::testing {
namespace {

using arrow::Array;
using arrow::Type;
using Text = PlainOptions::Text;

void Check(const arrow::Status& status) {
  if (!status.ok()) status.Abort();
}

std::shared_ptr<Array> Plain(const Array& array, const PlainOptions& options);

template <class Builder>
std::shared_ptr<Array> TextWith(const Array& array, const Array& values, const arrow::Array* indices) {
  Builder builder;
  for (int64_t i = 0; i < array.length(); ++i) {
    int64_t at = i;
    bool null = array.IsNull(i);
    if (indices && !null) {
      at = static_cast<const arrow::Int32Array&>(*indices).Value(i);
      null = values.IsNull(at);
    }
    if (null) {
      Check(builder.AppendNull());
    } else {
      Check(builder.Append(static_cast<const arrow::StringArray&>(values).GetView(at)));
    }
  }
  return *builder.Finish();
}

std::shared_ptr<Array> PlainText(const Array& array, const PlainOptions& options) {
  const Array* values = &array;
  const Array* indices = nullptr;
  if (array.type_id() == Type::DICTIONARY) {
    const auto& dictionary = static_cast<const arrow::DictionaryArray&>(array);
    values = dictionary.dictionary().get();
    indices = dictionary.indices().get();
  }
  switch (options.text) {
    case Text::kUtf8: return TextWith<arrow::StringBuilder>(array, *values, indices);
    case Text::kLargeUtf8: return TextWith<arrow::LargeStringBuilder>(array, *values, indices);
    case Text::kUtf8View: return TextWith<arrow::StringViewBuilder>(array, *values, indices);
  }
  return nullptr;
}

std::shared_ptr<arrow::Buffer> Nulls(const Array& array) {
  arrow::TypedBufferBuilder<bool> bits;
  for (int64_t i = 0; i < array.length(); ++i) Check(bits.Append(array.IsValid(i)));
  return array.null_count() ? *bits.Finish() : nullptr;
}

std::shared_ptr<Array> PlainStruct(const Array& array, const PlainOptions& options) {
  const auto& from = static_cast<const arrow::StructArray&>(array);
  std::vector<std::shared_ptr<Array>> children;
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (int i = 0; i < from.num_fields(); ++i) {
    children.push_back(Plain(*from.field(i), options));
    fields.push_back(arrow::field(from.struct_type()->field(i)->name(), children.back()->type()));
  }
  return std::make_shared<arrow::StructArray>(arrow::struct_(fields), array.length(), std::move(children), Nulls(array), array.null_count());
}

template <class Offset>
std::shared_ptr<arrow::Buffer> RebasedOffsets(const arrow::ListArray& list) {
  arrow::TypedBufferBuilder<Offset> offsets;
  for (int64_t i = 0; i <= list.length(); ++i) {
    Check(offsets.Append(static_cast<Offset>(list.value_offset(i) - list.value_offset(0))));
  }
  return *offsets.Finish();
}

std::shared_ptr<Array> PlainList(const Array& array, const PlainOptions& options) {
  const auto& from = static_cast<const arrow::ListArray&>(array);
  const int64_t first = from.value_offset(0);
  auto child = Plain(*from.values()->Slice(first, from.value_offset(from.length()) - first), options);
  const bool is_map = array.type_id() == Type::MAP;
  std::shared_ptr<arrow::DataType> type;
  std::shared_ptr<arrow::Buffer> offsets;
  if (options.large_lists) {
    type = arrow::large_list(child->type());
    offsets = RebasedOffsets<int64_t>(from);
  } else {
    type = is_map ? arrow::map(child->type()->field(0)->type(), child->type()->field(1)->type()) : arrow::list(child->type());
    offsets = RebasedOffsets<int32_t>(from);
  }
  auto data = arrow::ArrayData::Make(type, array.length(), {Nulls(array), offsets}, {child->data()}, array.null_count());
  return arrow::MakeArray(data);
}

std::shared_ptr<Array> Plain(const Array& array, const PlainOptions& options) {
  switch (array.type_id()) {
    case Type::DICTIONARY:
    case Type::STRING: return PlainText(array, options);
    case Type::STRUCT: return PlainStruct(array, options);
    case Type::LIST:
    case Type::MAP: return PlainList(array, options);
    default: return arrow::MakeArray(*array.data()->CopyTo(arrow::default_cpu_memory_manager()));
  }
}

}  // namespace

std::shared_ptr<arrow::RecordBatch> PlainBatch(const arrow::RecordBatch& batch, const PlainOptions& options) {
  std::vector<std::shared_ptr<Array>> columns;
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (int i = 0; i < batch.num_columns(); ++i) {
    columns.push_back(Plain(*batch.column(i), options));
    fields.push_back(arrow::field(batch.column_name(i), columns.back()->type()));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), batch.num_rows(), std::move(columns));
}

}  // namespace otlp_arrow::testing
