#include "storage/dense_text.h"

#include <cstring>
#include <limits>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

namespace otlp_arrow {
namespace {

using DataPtr = std::shared_ptr<arrow::ArrayData>;
using TypePtr = std::shared_ptr<arrow::DataType>;

bool IsTextDictionary(const arrow::DataType& type) {
  if (type.id() != arrow::Type::DICTIONARY) return false;
  const auto& dictionary = static_cast<const arrow::DictionaryType&>(type);
  return dictionary.index_type()->id() == arrow::Type::INT32 && dictionary.value_type()->id() == arrow::Type::STRING;
}

// A column of indices into texts.
struct TextColumn {
  explicit TextColumn(const arrow::ArrayData& data)
      : length(data.length),
        offset(data.offset),
        valid(data.GetNullCount() > 0 ? data.buffers[0]->data() : nullptr),
        indices(data.GetValues<int32_t>(1)),
        texts(data.dictionary->length),
        offsets(data.dictionary->GetValues<int32_t>(1)),
        bytes(data.dictionary->buffers[2] ? data.dictionary->buffers[2]->data() : nullptr) {}
  bool IsNull(int64_t row) const { return valid != nullptr && !arrow::bit_util::GetBit(valid, offset + row); }
  bool Has(int64_t row) const { return indices[row] >= 0 && indices[row] < texts; }
  int64_t Size(int64_t row) const { return offsets[indices[row] + 1] - offsets[indices[row]]; }

  int64_t length, offset;
  const uint8_t* valid;
  const int32_t* indices;
  int64_t texts;
  const int32_t* offsets;
  const uint8_t* bytes;
};

int64_t TextBytes(const TextColumn& column) {
  int64_t bytes = 0;
  for (int64_t row = 0; row < column.length; ++row) {
    if (!column.IsNull(row) && column.Has(row)) bytes += column.Size(row);
  }
  return bytes;
}

int64_t TextBytes(const arrow::ArrayData& data) {
  if (IsTextDictionary(*data.type)) return TextBytes(TextColumn(data));
  if (data.type->id() == arrow::Type::STRING && data.length > 0) {
    const auto* offsets = data.GetValues<int32_t>(1);
    return offsets[data.length] - offsets[0];
  }
  int64_t bytes = 0;
  for (const auto& child : data.child_data) bytes += TextBytes(*child);
  return bytes;
}

arrow::Result<DataPtr> DenseColumn(const arrow::ArrayData& data) {
  const TextColumn column(data);
  const int64_t total = TextBytes(column);
  if (total > std::numeric_limits<int32_t>::max()) return arrow::Status::CapacityError("a column of ", total, " bytes of text");
  ARROW_ASSIGN_OR_RAISE(auto offsets, arrow::AllocateBuffer((column.length + 1) * static_cast<int64_t>(sizeof(int32_t))));
  ARROW_ASSIGN_OR_RAISE(auto bytes, arrow::AllocateBuffer(total));
  auto* ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
  uint8_t* begin = bytes->mutable_data();
  uint8_t* to = begin;
  *ends++ = 0;
  for (int64_t row = 0; row < column.length; ++row) {
    if (!column.IsNull(row)) {
      if (!column.Has(row)) return arrow::Status::IndexError("index ", column.indices[row], " into a dictionary of ", column.texts);
      const auto size = static_cast<size_t>(column.Size(row));
      if (size > 0) std::memcpy(to, column.bytes + column.offsets[column.indices[row]], size);
      to += size;
    }
    *ends++ = static_cast<int32_t>(to - begin);
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (column.valid != nullptr) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::internal::CopyBitmap(arrow::default_memory_pool(), column.valid, column.offset, column.length));
  }
  return arrow::ArrayData::Make(arrow::utf8(), column.length, {std::move(validity), std::move(offsets), std::move(bytes)}, data.GetNullCount());
}

arrow::Result<DataPtr> Dense(const DataPtr& data) {
  if (IsTextDictionary(*data->type)) return DenseColumn(*data);
  auto type = DenseType(data->type);
  if (type == data->type) return data;
  auto copy = std::make_shared<arrow::ArrayData>(*data);
  copy->type = std::move(type);
  for (auto& child : copy->child_data) {
    ARROW_ASSIGN_OR_RAISE(child, Dense(child));
  }
  return copy;
}

}  // namespace

TypePtr DenseType(const TypePtr& type) {
  if (IsTextDictionary(*type)) return arrow::utf8();
  switch (type->id()) {
    case arrow::Type::LIST: {
      const auto& field = type->field(0);
      auto dense = DenseType(field->type());
      return dense == field->type() ? type : arrow::list(field->WithType(std::move(dense)));
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      auto key = DenseType(map.key_type()), item = DenseType(map.item_type());
      if (key == map.key_type() && item == map.item_type()) return type;
      return std::make_shared<arrow::MapType>(map.key_field()->WithType(std::move(key)), map.item_field()->WithType(std::move(item)), map.keys_sorted());
    }
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields = type->fields();
      bool changed = false;
      for (auto& field : fields) {
        auto dense = DenseType(field->type());
        if (dense == field->type()) continue;
        field = field->WithType(std::move(dense));
        changed = true;
      }
      return changed ? arrow::struct_(std::move(fields)) : type;
    }
    default: return type;
  }
}

std::shared_ptr<arrow::Schema> DenseSchema(const arrow::Schema& schema, bool keep_columns) {
  arrow::FieldVector fields = schema.fields();
  for (auto& field : fields) {
    if (!keep_columns || field->type()->id() != arrow::Type::DICTIONARY) field = field->WithType(DenseType(field->type()));
  }
  return arrow::schema(std::move(fields), schema.metadata());
}

int64_t DenseTextBytes(const arrow::RecordBatch& batch) {
  int64_t bytes = 0;
  for (const auto& column : batch.column_data()) bytes += TextBytes(*column);
  return bytes;
}

Result<std::shared_ptr<arrow::RecordBatch>> MakeDense(const arrow::RecordBatch& batch) {
  std::vector<DataPtr> columns;
  columns.reserve(static_cast<size_t>(batch.num_columns()));
  for (const auto& column : batch.column_data()) {
    auto dense = Dense(column);
    if (!dense.ok()) {
      const std::string why = "cannot take the text out of its dictionaries: " + dense.status().message();
      return dense.status().IsOutOfMemory() ? Status::Io(why, true) : Status::Export(why);
    }
    columns.push_back(*std::move(dense));
  }
  return arrow::RecordBatch::Make(DenseSchema(*batch.schema(), false), batch.num_rows(), std::move(columns));
}

}  // namespace otlp_arrow
