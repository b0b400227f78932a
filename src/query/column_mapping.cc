#include "query/column_mapping.h"

#include <algorithm>
#include <set>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "query/convert_column.h"
#include "schema/column_reader.h"

namespace otlp_arrow {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using Entries = std::vector<ColumnMapping::Entry>;

constexpr std::string_view kServiceNameColumn = "service_name";
constexpr std::string_view kServiceNameKey = "service.name";

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

Status OutOfMemory(const arrow::Status& status) { return Status::Export("cannot map its columns: " + status.message()); }

// Where a column of ours is made from one of theirs: for the check and for the table.
std::set<std::string> NamedColumns(const ColumnMapping& mapping) {
  std::set<std::string> named;
  for (const Entries* entries : {&mapping.columns, &mapping.attributes, &mapping.resource_attributes, &mapping.scope_attributes}) {
    for (const auto& entry : *entries) named.insert(entry.source.column);
  }
  return named;
}

Status CheckOurs(Signal signal, const Entries& columns) {
  const auto table = TableSchema(signal, {});
  for (const auto& entry : columns) {
    if (table->GetFieldIndex(entry.name) >= 0) continue;
    return Status::Config("'columns' names '" + entry.name + "', which " + std::string(SignalName(signal)) + " do not have; its columns are " +
                          Joined(table->field_names()));
  }
  return Status::Ok();
}

Status CheckTheirs(const ColumnMapping& mapping, const arrow::Schema& schema) {
  for (const auto& name : NamedColumns(mapping)) {
    if (name.empty()) continue;  // a constant
    const auto found = schema.GetAllFieldIndices(name).size();
    if (found == 1) continue;
    return Status::Config("the mapping names the column '" + name + "', which the data has " + (found ? "more than once" : "not") +
                          "; its columns are " + Joined(schema.field_names()));
  }
  return Status::Ok();
}

// The attributes of one level (item, resource or scope), row by row.
class AttributeRows {
 public:
  Status Add(const ColumnMapping::Entry& entry, const arrow::RecordBatch& batch) {
    Source source{entry.name, entry.source.text, entry.source.type, {}};
    if (!entry.source.column.empty()) {
      OTLP_ASSIGN_OR_RETURN(AttributeTexts texts, ConvertToAttribute(entry.source.column, batch.GetColumnByName(entry.source.column)));
      source.type = texts.type;
      source.values = std::move(texts.texts);
    }
    sources_.push_back(std::move(source));
    return Status::Ok();
  }

  // A map from text to text whose entries come first in each row.
  Status AddMap(const std::string& name, const ArrayPtr& map) {
    OTLP_RETURN_NOT_OK(map_.Bind(name, map));
    has_map_ = true;
    return Status::Ok();
  }

  bool empty() const { return sources_.empty(); }

  // The map and its column of types.
  arrow::Result<std::pair<ArrayPtr, ArrayPtr>> Finish(int64_t rows) {
    for (int64_t row = 0; row < rows; ++row) ARROW_RETURN_NOT_OK(AppendRow(row));
    ARROW_ASSIGN_OR_RAISE(auto map, maps_.Finish());
    ARROW_ASSIGN_OR_RAISE(auto types, types_.Finish());
    return std::pair(std::move(map), std::move(types));
  }

 private:
  struct Source {
    std::string key;
    std::string text;
    ValueType type;
    ArrayPtr values;  // null: `text`
  };

  arrow::Status AppendRow(int64_t row) {
    ARROW_RETURN_NOT_OK(maps_.Append());
    letters_.clear();
    if (has_map_) {
      const RowRange entries = map_[row];
      for (int64_t i = entries.begin; i < entries.end; ++i) {
        ARROW_RETURN_NOT_OK(AppendEntry(map_.keys()[i], map_.values()[i], map_.values().IsNull(i) ? ValueType::kEmpty : ValueType::kString));
      }
    }
    for (const Source& source : sources_) {
      if (!source.values) {
        ARROW_RETURN_NOT_OK(AppendEntry(source.key, source.text, source.type));
      } else if (!source.values->IsNull(row)) {
        ARROW_RETURN_NOT_OK(AppendEntry(source.key, static_cast<const arrow::StringArray&>(*source.values).GetView(row), source.type));
      }
    }
    const bool all_text = letters_.find_first_not_of(static_cast<char>(ValueType::kString)) == letters_.npos;
    return all_text ? types_.AppendNull() : types_.Append(letters_);
  }

  arrow::Status AppendEntry(std::string_view key, std::string_view text, ValueType type) {
    letters_ += static_cast<char>(type);
    ARROW_RETURN_NOT_OK(keys_->Append(key));
    return type == ValueType::kEmpty ? values_->AppendNull() : values_->Append(text);
  }

  std::vector<Source> sources_;
  MapReader map_;
  bool has_map_ = false;
  std::string letters_;
  std::shared_ptr<arrow::StringBuilder> keys_ = std::make_shared<arrow::StringBuilder>();
  std::shared_ptr<arrow::StringBuilder> values_ = std::make_shared<arrow::StringBuilder>();
  arrow::MapBuilder maps_{arrow::default_memory_pool(), keys_, values_};
  arrow::StringBuilder types_;
};

// Our table, column by column.
class TableBuilder {
 public:
  TableBuilder(Signal signal, const ColumnMapping& mapping, const arrow::RecordBatch& batch)
      : signal_(signal), mapping_(mapping), batch_(batch), table_(TableSchema(signal, {})) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Build() {
    for (const auto& entry : mapping_.columns) OTLP_RETURN_NOT_OK(AddColumn(entry));
    OTLP_RETURN_NOT_OK(AddAttributes("attributes", ItemAttributes()));
    OTLP_RETURN_NOT_OK(AddAttributes("resource_attributes", ResourceAttributes()));
    OTLP_RETURN_NOT_OK(AddAttributes("scope_attributes", mapping_.scope_attributes));
    if (Has("start_time") && Has("duration_ns") && !Has("end_time")) OTLP_RETURN_NOT_OK(AddEndTime());
    return arrow::RecordBatch::Make(arrow::schema(fields_, table_->metadata()), batch_.num_rows(), columns_);
  }

 private:
  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  ArrayPtr Find(std::string_view name) const {
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i]->name() == name) return columns_[i];
    }
    return nullptr;
  }
  void Put(const std::string& name, ArrayPtr column) {
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i]->name() != name) continue;
      fields_[i] = arrow::field(name, column->type());
      columns_[i] = std::move(column);
      return;
    }
    fields_.push_back(arrow::field(name, column->type()));
    columns_.push_back(std::move(column));
  }

  Status AddColumn(const ColumnMapping::Entry& entry) {
    if (entry.name == kServiceNameColumn) return Status::Ok();  // an attribute of the resource
    const auto target = table_->GetFieldByName(entry.name);
    ArrayPtr given;
    if (entry.source.column.empty()) {
      auto made = arrow::MakeArrayFromScalar(arrow::StringScalar(entry.source.text), batch_.num_rows());
      if (!made.ok()) return OutOfMemory(made.status());
      given = *made;
    } else {
      given = batch_.GetColumnByName(entry.source.column);
    }
    const std::string source = entry.source.column.empty() ? "\"" + entry.source.text + "\"" : entry.source.column;
    OTLP_ASSIGN_OR_RETURN(auto column, ConvertColumn(source, given, *target, entry.source.unit));
    Put(entry.name, std::move(column));
    return Status::Ok();
  }

  Entries ItemAttributes() const {
    Entries entries = mapping_.attributes;
    if (mapping_.others != ColumnMapping::Others::kAttributes) return entries;
    const auto named = NamedColumns(mapping_);
    for (const auto& name : batch_.schema()->field_names()) {
      if (!named.contains(name)) entries.push_back({name, {name, std::nullopt, {}, ValueType::kString}});
    }
    return entries;
  }

  Entries ResourceAttributes() const {
    Entries entries = mapping_.resource_attributes;
    if (Has("resource_attributes")) return entries;  // which hold it already
    for (const auto& entry : mapping_.columns) {
      if (entry.name == kServiceNameColumn) entries.push_back({std::string(kServiceNameKey), entry.source});
    }
    return entries;
  }

  Status AddAttributes(const std::string& name, const Entries& entries) {
    AttributeRows rows;
    for (const auto& entry : entries) OTLP_RETURN_NOT_OK(rows.Add(entry, batch_));
    if (rows.empty()) return Status::Ok();
    if (const auto map = Find(name)) {
      if (Has(name + "_types")) return Status::Config("'" + name + "' cannot be mapped with its types and be added to as well; leave out one");
      OTLP_RETURN_NOT_OK(rows.AddMap(name, map));
    }
    auto made = rows.Finish(batch_.num_rows());
    if (!made.ok()) return OutOfMemory(made.status());
    Put(name, made->first);
    Put(name + "_types", made->second);
    return Status::Ok();
  }

  Status AddEndTime() {
    auto made = EndTimes(static_cast<const arrow::TimestampArray&>(*Find("start_time")), static_cast<const arrow::Int64Array&>(*Find("duration_ns")));
    if (!made.ok()) return OutOfMemory(made.status());
    Put("end_time", *made);
    return Status::Ok();
  }

  static arrow::Result<ArrayPtr> EndTimes(const arrow::TimestampArray& start, const arrow::Int64Array& duration) {
    arrow::TimestampBuilder builder(start.type(), arrow::default_memory_pool());
    for (int64_t row = 0; row < start.length(); ++row) {
      int64_t end = 0;
      const bool known = !start.IsNull(row) && !duration.IsNull(row) && !__builtin_add_overflow(start.Value(row), duration.Value(row), &end);
      ARROW_RETURN_NOT_OK(known ? builder.Append(end) : builder.AppendNull());
    }
    return builder.Finish();
  }

  Signal signal_;
  const ColumnMapping& mapping_;
  const arrow::RecordBatch& batch_;
  std::shared_ptr<arrow::Schema> table_;
  arrow::FieldVector fields_;
  arrow::ArrayVector columns_;
};

}  // namespace

Status CheckMapping(Signal signal, const ColumnMapping& mapping, const arrow::Schema& schema) {
  OTLP_RETURN_NOT_OK(CheckOurs(signal, mapping.columns));
  OTLP_RETURN_NOT_OK(CheckTheirs(mapping, schema));
  const auto named = NamedColumns(mapping);
  if (mapping.others == ColumnMapping::Others::kIgnore) return Status::Ok();
  for (const auto& name : schema.field_names()) {
    if (named.contains(name)) continue;
    if (mapping.others == ColumnMapping::Others::kRefuse) {
      return Status::Config("the data has the column '" + name + "', which the mapping does not name (\"other_columns\":\"refuse\")");
    }
    if (schema.GetAllFieldIndices(name).size() > 1) {
      return Status::Config("the data has the column '" + name + "' more than once, so it cannot become an attribute");
    }
  }
  return Status::Ok();
}

Result<std::shared_ptr<arrow::RecordBatch>> MapColumns(Signal signal, const ColumnMapping& mapping, const arrow::RecordBatch& batch) {
  return TableBuilder(signal, mapping, batch).Build();
}

}  // namespace otlp_arrow
