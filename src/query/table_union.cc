#include "query/table_union.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

namespace otlp_arrow {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

TypePtr DictionaryText() { return arrow::dictionary(arrow::int32(), arrow::utf8()); }

bool IsNumber(const arrow::DataType& type) { return type.id() == arrow::Type::INT64 || type.id() == arrow::Type::DOUBLE; }

TypePtr CommonType(const TypePtr& a, const TypePtr& b) {
  if (a->Equals(*b)) return a;
  if (IsNumber(*a) && IsNumber(*b)) return arrow::float64();
  return DictionaryText();
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

bool IsNested(const arrow::DataType& type) { return type.num_fields() > 0; }

arrow::Result<std::shared_ptr<arrow::Array>> Convert(const std::shared_ptr<arrow::Array>& column, const TypePtr& type);

// The same lists, maps or structs with other children: what is a dictionary with us is plain text inside of a Parquet file's columns.
arrow::Result<std::shared_ptr<arrow::Array>> ConvertNested(const std::shared_ptr<arrow::Array>& column, const TypePtr& type) {
  auto data = std::make_shared<arrow::ArrayData>(*column->data());
  if (column->type_id() != type->id() || data->child_data.size() != static_cast<size_t>(type->num_fields())) {
    return arrow::Status::TypeError("it is ", column->type()->ToString());
  }
  for (size_t i = 0; i < data->child_data.size(); ++i) {
    if (data->child_data[i]->type->Equals(*type->field(static_cast<int>(i))->type())) continue;
    const auto child = arrow::MakeArray(data->child_data[i]);
    ARROW_ASSIGN_OR_RAISE(const auto converted, Convert(child, type->field(static_cast<int>(i))->type()));
    data->child_data[i] = converted->data();
  }
  data->type = type;
  return arrow::MakeArray(data);
}

arrow::Result<std::shared_ptr<arrow::Array>> Convert(const std::shared_ptr<arrow::Array>& column, const TypePtr& type) {
  if (column->type()->Equals(*type)) return column;
  if (IsNested(*type)) return ConvertNested(column, type);
  if (type->id() != arrow::Type::DICTIONARY) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum cast, arrow::compute::Cast(column, arrow::compute::CastOptions::Unsafe(type)));
    return cast.make_array();
  }
  ARROW_ASSIGN_OR_RAISE(arrow::Datum text, arrow::compute::Cast(column, arrow::compute::CastOptions::Safe(arrow::utf8())));
  ARROW_ASSIGN_OR_RAISE(arrow::Datum encoded, arrow::compute::DictionaryEncode(text));
  return encoded.make_array();
}

Result<std::shared_ptr<arrow::Array>> ColumnOf(const arrow::RecordBatch& batch, const arrow::Field& field) {
  const auto column = batch.GetColumnByName(field.name());
  if (column != nullptr && column->type()->Equals(*field.type())) return column;
  auto made = column == nullptr ? arrow::MakeArrayOfNull(field.type(), batch.num_rows()) : Convert(column, field.type());
  if (!made.ok()) {
    return Status::Export("its column '" + field.name() + "' cannot be read as " + field.type()->ToString() + ": " + made.status().message());
  }
  return *made;
}

std::optional<PromotedAttribute> PromotedOf(const arrow::Field& field) {
  using Type = PromotedAttribute::Type;
  switch (field.type()->id()) {
    case arrow::Type::DICTIONARY: return PromotedAttribute{field.name(), Type::kString};
    case arrow::Type::INT64: return PromotedAttribute{field.name(), Type::kInt64};
    case arrow::Type::DOUBLE: return PromotedAttribute{field.name(), Type::kDouble};
    case arrow::Type::BOOL: return PromotedAttribute{field.name(), Type::kBool};
    default: return std::nullopt;
  }
}

}  // namespace

TableUnion::TableUnion(Signal signal) : schema_(TableSchema(signal, {})) { own_columns_ = schema_->num_fields(); }

void TableUnion::Add(const arrow::Schema& file) {
  arrow::FieldVector fields = schema_->fields();
  bool changed = false;
  for (const auto& field : file.fields()) {
    const auto known = std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f->name() == field->name(); });
    if (known == fields.end()) {
      fields.push_back(field);
      changed = true;
    } else if (known - fields.begin() >= own_columns_ && !(*known)->type()->Equals(*field->type())) {
      *known = (*known)->WithType(CommonType((*known)->type(), field->type()));
      changed = true;
    }
  }
  if (changed) schema_ = arrow::schema(std::move(fields), schema_->metadata());
}

std::vector<PromotedAttribute> TableUnion::Promoted() const {
  std::vector<PromotedAttribute> promoted;
  for (int i = own_columns_; i < schema_->num_fields(); ++i) {
    if (const auto attribute = PromotedOf(*schema_->field(i))) promoted.push_back(*attribute);
  }
  return promoted;
}

Result<std::shared_ptr<arrow::Schema>> SelectColumns(const std::shared_ptr<arrow::Schema>& schema, const std::vector<std::string>& columns,
                                                     Signal signal) {
  if (columns.empty()) return schema;
  arrow::FieldVector fields;
  for (const auto& name : columns) {
    const auto field = schema->GetFieldByName(name);
    if (!field) {
      return Status::Config("there is no column '" + name + "' in " + std::string(SignalName(signal)) + "; its columns are " +
                            Joined(schema->field_names()));
    }
    if (std::find(fields.begin(), fields.end(), field) != fields.end()) {
      return Status::Config("the column '" + name + "' is asked for twice; name each column once");
    }
    fields.push_back(field);
  }
  return arrow::schema(std::move(fields), schema->metadata());
}

Result<std::shared_ptr<arrow::RecordBatch>> Conform(const arrow::RecordBatch& batch, const std::shared_ptr<arrow::Schema>& schema) {
  arrow::ArrayVector columns;
  columns.reserve(static_cast<size_t>(schema->num_fields()));
  for (const auto& field : schema->fields()) {
    OTLP_ASSIGN_OR_RETURN(auto column, ColumnOf(batch, *field));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema, batch.num_rows(), std::move(columns));
}

}  // namespace otlp_arrow
