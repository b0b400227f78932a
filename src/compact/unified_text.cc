#include "compact/unified_text.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

namespace otlp_arrow {
namespace {

using DataPtr = std::shared_ptr<arrow::ArrayData>;

// Each text takes its bytes, and about so much in the tables around it.
constexpr int64_t kTextOverhead = 96;

size_t CountDictionaries(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DICTIONARY) return 1;
  size_t count = 0;
  for (const auto& field : type.fields()) count += CountDictionaries(*field->type());
  return count;
}

// What batches carry instead of a dictionary: their indices are all that is written.
const DataPtr& NoTexts() {
  static const DataPtr none = (*arrow::MakeEmptyArray(arrow::utf8()))->data();
  return none;
}

std::string_view TextAt(const arrow::ArrayData& texts, int64_t i) {
  const auto* offsets = texts.GetValues<int32_t>(1);
  const auto* bytes = texts.buffers[2] ? reinterpret_cast<const char*>(texts.buffers[2]->data()) : "";
  return {bytes + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
}

bool IsNull(const arrow::ArrayData& data, int64_t i) {
  return data.buffers[0] && !arrow::bit_util::GetBit(data.buffers[0]->data(), data.offset + i);
}

Status FromArrow(const arrow::Status& status) { return status.ok() ? Status::Ok() : Status::Io("cannot merge rows: " + status.message()); }

}  // namespace

// Goes through a column and its type side by side.
class UnifiedText::Walk {
 public:
  explicit Walk(UnifiedText* text) : text_(text) {}

  Result<DataPtr> Unify(const DataPtr& data, const std::shared_ptr<arrow::DataType>& type) {
    if (type->id() == arrow::Type::DICTIONARY) {
      Column* column = &text_->columns_[next_++];
      return data->type->id() == arrow::Type::DICTIONARY ? FromDictionary(column, *data, type) : FromPlain(column, *data, type);
    }
    auto copy = std::make_shared<arrow::ArrayData>(*data);
    copy->type = type;
    for (size_t i = 0; i < copy->child_data.size(); ++i) {
      OTLP_ASSIGN_OR_RETURN(copy->child_data[i], Unify(copy->child_data[i], type->field(static_cast<int>(i))->type()));
    }
    return copy;
  }

  // The same array, with the dictionaries as they are now.
  Result<DataPtr> Attach(const DataPtr& data, const std::shared_ptr<arrow::DataType>& type) {
    auto copy = std::make_shared<arrow::ArrayData>(*data);
    if (type->id() == arrow::Type::DICTIONARY) {
      arrow::StringBuilder builder;
      for (const auto& text : text_->columns_[next_++].texts) OTLP_RETURN_NOT_OK(FromArrow(builder.Append(text)));
      auto texts = builder.Finish();
      if (!texts.ok()) return FromArrow(texts.status());
      copy->dictionary = (*texts)->data();
      return copy;
    }
    for (size_t i = 0; i < copy->child_data.size(); ++i) {
      OTLP_ASSIGN_OR_RETURN(copy->child_data[i], Attach(copy->child_data[i], type->field(static_cast<int>(i))->type()));
    }
    return copy;
  }

 private:
  // `index_of(row)` is asked for the rows that are not null.
  template <class IndexOf>
  Result<DataPtr> Make(Column* column, const arrow::ArrayData& data, const std::shared_ptr<arrow::DataType>& type, const IndexOf& index_of) {
    auto indices = arrow::AllocateBuffer((data.offset + data.length) * static_cast<int64_t>(sizeof(int32_t)));
    if (!indices.ok()) return FromArrow(indices.status());
    auto* to = reinterpret_cast<int32_t*>((*indices)->mutable_data());
    std::fill(to, to + data.offset, 0);
    to += data.offset;
    for (int64_t i = 0; i < data.length; ++i) {
      if (IsNull(data, i)) {
        to[i] = 0;
        continue;
      }
      to[i] = index_of(i);
      if (to[i] < 0) return Status::Export("a text index is behind the end of its dictionary");
    }
    // Some readers check even the indices of null rows against the dictionary.
    if (column->texts.empty()) (void)text_->Intern(column, "");
    auto made = arrow::ArrayData::Make(type, data.length, {data.buffers[0], std::move(*indices)}, data.null_count, data.offset);
    made->dictionary = NoTexts();
    return made;
  }

  Result<DataPtr> FromDictionary(Column* column, const arrow::ArrayData& data, const std::shared_ptr<arrow::DataType>& type) {
    if (column->last != data.dictionary) text_->Fold(column, data.dictionary);
    const auto* from = data.GetValues<int32_t>(1);
    const auto& known = column->last_indices;
    return Make(column, data, type, [&](int64_t i) {
      return from[i] >= 0 && static_cast<size_t>(from[i]) < known.size() ? known[static_cast<size_t>(from[i])] : -1;
    });
  }

  Result<DataPtr> FromPlain(Column* column, const arrow::ArrayData& data, const std::shared_ptr<arrow::DataType>& type) {
    return Make(column, data, type, [&](int64_t i) { return text_->Intern(column, TextAt(data, i)); });
  }

  UnifiedText* text_;
  size_t next_ = 0;
};

UnifiedText::UnifiedText(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {
  size_t count = 0;
  for (const auto& field : schema_->fields()) count += CountDictionaries(*field->type());
  columns_.resize(count);
}

int32_t UnifiedText::Intern(Column* column, std::string_view text) {
  const auto known = column->indices.find(text);
  if (known != column->indices.end()) return known->second;
  const auto index = static_cast<int32_t>(column->texts.size());
  column->indices.emplace(column->texts.emplace_back(text), index);
  bytes_ += static_cast<int64_t>(text.size()) + kTextOverhead;
  return index;
}

void UnifiedText::Fold(Column* column, const DataPtr& dictionary) {
  column->last_indices.clear();
  for (int64_t i = 0; i < dictionary->length; ++i) column->last_indices.push_back(Intern(column, TextAt(*dictionary, i)));
  column->last = dictionary;
}

Result<std::shared_ptr<arrow::RecordBatch>> UnifiedText::Unify(const arrow::RecordBatch& batch) {
  Walk walk(this);
  std::vector<DataPtr> columns;
  for (int i = 0; i < schema_->num_fields(); ++i) {
    OTLP_ASSIGN_OR_RETURN(auto column, walk.Unify(batch.column_data(i), schema_->field(i)->type()));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns));
}

Result<std::shared_ptr<arrow::RecordBatch>> UnifiedText::Dictionaries() {
  Walk walk(this);
  std::vector<DataPtr> columns;
  for (const auto& field : schema_->fields()) {
    auto empty = arrow::MakeEmptyArray(field->type());
    if (!empty.ok()) return FromArrow(empty.status());
    OTLP_ASSIGN_OR_RETURN(auto column, walk.Attach((*empty)->data(), field->type()));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema_, 0, std::move(columns));
}

}  // namespace otlp_arrow
