#include "query/put_rows.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/align_util.h>
#include <arrow/util/byte_size.h>

#include "base/byte_size.h"
#include "schema/schemas.h"

namespace otlp_arrow {
namespace {

constexpr const char* kSayMapping =
    R"(; say which of its columns make up a row, for example {"signal":"logs","columns":{"body":"NAME"}} as the descriptor's command)";

bool IsOurs(const arrow::Schema& schema, Signal signal) { return SignalOfSchema(schema) == signal; }

// A promoted attribute stands among the attributes too.
bool IsPromoted(const std::string& name, const std::vector<PromotedAttribute>& promoted) {
  return std::any_of(promoted.begin(), promoted.end(), [&](const auto& p) { return p.key == name; });
}

Status CheckOwnSchema(Signal signal, const arrow::Schema& schema, const std::vector<PromotedAttribute>& promoted) {
  const auto table = TableSchema(signal, {});
  const std::string name(SignalName(signal));
  if (const auto other = SignalOfSchema(schema); other && *other != signal) {
    return Status::Config("the data is a table of " + std::string(SignalName(*other)) + ", not of " + name + "; put it there");
  }
  int known = 0;
  for (const auto& field : schema.fields()) {
    if (table->GetFieldIndex(field->name()) >= 0) {
      if (schema.GetAllFieldIndices(field->name()).size() > 1) return Status::Config("the data has the column '" + field->name() + "' more than once");
      ++known;
    } else if (!IsOurs(schema, signal) && !IsPromoted(field->name(), promoted)) {
      return Status::Config("the column '" + field->name() + "' is none of the table " + name + kSayMapping);
    }
  }
  if (known == 0) return Status::Config("the data has no column of the table " + name + kSayMapping);
  return Status::Ok();
}

// Tables that name the service and leave out the resource that it stands in.
ColumnMapping WithService(Signal signal, const arrow::Schema& schema) {
  ColumnMapping mapping;
  const auto table = TableSchema(signal, {});
  for (const auto& field : schema.fields()) {
    if (table->GetFieldIndex(field->name()) >= 0) mapping.columns.push_back({field->name(), {field->name(), std::nullopt, {}, ValueType::kString}});
  }
  return mapping;
}

bool NeedsService(const arrow::Schema& schema) {
  return schema.GetFieldIndex("service_name") >= 0 && schema.GetFieldIndex("resource_attributes") < 0;
}

int64_t TextSize(const arrow::Array& dictionary, int64_t index) {
  switch (dictionary.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY: return static_cast<const arrow::BinaryArray&>(dictionary).value_length(index);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY: return static_cast<const arrow::LargeBinaryArray&>(dictionary).value_length(index);
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW: return static_cast<int64_t>(static_cast<const arrow::BinaryViewArray&>(dictionary).GetView(index).size());
    default: return 0;
  }
}

// Texts of a column as if each row had its own, up to a little more than `limit`.
int64_t ExpandedBytes(const arrow::Array& array, int64_t limit) {
  int64_t bytes = 0;
  if (array.type_id() == arrow::Type::DICTIONARY) {
    const auto& column = static_cast<const arrow::DictionaryArray&>(array);
    const arrow::Array& dictionary = *column.dictionary();
    for (int64_t row = 0; row < column.length() && bytes <= limit; ++row) {
      if (!column.IsNull(row)) bytes += TextSize(dictionary, column.GetValueIndex(row));
    }
    return bytes;
  }
  for (const auto& child : array.data()->child_data) {
    if (bytes > limit) break;
    bytes += ExpandedBytes(*arrow::MakeArray(child), limit - bytes);
  }
  return bytes;
}

// Views of one buffer can overlap; a list's elements cannot, but a view's can.
int64_t ViewBytes(const arrow::Array& array) {
  int64_t bytes = 0;
  if (array.type_id() == arrow::Type::STRING_VIEW || array.type_id() == arrow::Type::BINARY_VIEW) {
    for (int64_t row = 0; row < array.length(); ++row) {
      if (!array.IsNull(row)) bytes += TextSize(array, row);
    }
  }
  return bytes;
}

// Columns of nulls take no bytes, whatever their length.
constexpr int64_t kMaxRows = 4 << 20;

Status CheckSize(const arrow::RecordBatch& batch, const PutLimits& limits) {
  if (batch.num_rows() > kMaxRows) {
    return Status::Export("a batch of " + std::to_string(batch.num_rows()) + " rows is too long; send at most " + std::to_string(kMaxRows) + " at a time");
  }
  const int64_t bytes = arrow::util::TotalBufferSize(batch);
  if (bytes > limits.max_batch_bytes) {
    return Status::Export("a batch of " + FormatByteSize(static_cast<uint64_t>(bytes)) + " is larger than flight.max_batch_bytes (" +
                          FormatByteSize(static_cast<uint64_t>(limits.max_batch_bytes)) + "); send fewer rows at a time");
  }
  return Status::Ok();
}

// Of each row.
int64_t ConstantBytes(const ColumnMapping& mapping) {
  size_t bytes = 0;
  for (const auto* entries : {&mapping.columns, &mapping.attributes, &mapping.resource_attributes, &mapping.scope_attributes}) {
    for (const auto& entry : *entries) bytes += entry.name.size() + entry.source.text.size();
  }
  return static_cast<int64_t>(bytes);
}

Status CheckExpanded(const arrow::RecordBatch& batch, const std::optional<ColumnMapping>& mapping, const PutLimits& limits) {
  int64_t bytes = mapping ? ConstantBytes(*mapping) * batch.num_rows() : 0;
  for (const auto& column : batch.columns()) {
    bytes += ExpandedBytes(*column, limits.max_expanded_bytes() - bytes) + ViewBytes(*column);
    if (bytes <= limits.max_expanded_bytes()) continue;
    return Status::Export("the batch's dictionaries and the mapping's constants stand for more than " + FormatByteSize(static_cast<uint64_t>(limits.max_expanded_bytes())) +
                          " of text; send fewer rows at a time");
  }
  return Status::Ok();
}

// A batch lies as it came in its message, which need not be where numbers may be read.
Result<std::shared_ptr<arrow::RecordBatch>> Aligned(const arrow::RecordBatch& batch) {
  auto aligned = arrow::util::EnsureAlignment(arrow::RecordBatch::Make(batch.schema(), batch.num_rows(), batch.columns()),
                                              arrow::util::kValueAlignment, arrow::default_memory_pool());
  if (!aligned.ok()) return Status::Export("the batch cannot be aligned: " + aligned.status().message());
  return *std::move(aligned);
}

}  // namespace

Result<PutRows> PutRows::Make(PutCommand command, std::shared_ptr<arrow::Schema> schema, const std::vector<PromotedAttribute>& promoted,
                              PutLimits limits) {
  if (!command.mapping) {
    OTLP_RETURN_NOT_OK(CheckOwnSchema(command.signal, *schema, promoted));
    if (NeedsService(*schema)) command.mapping = WithService(command.signal, *schema);
  }
  if (command.mapping) OTLP_RETURN_NOT_OK(CheckMapping(command.signal, *command.mapping, *schema));
  PutRows rows(std::move(command), limits);
  // Columns of a wrong type are told before the first row.
  auto empty = arrow::RecordBatch::MakeEmpty(schema);
  if (!empty.ok()) return Status::Export("the schema has a type that is not supported: " + empty.status().message());
  OTLP_RETURN_NOT_OK(rows.Encode(**empty).status());
  return rows;
}

Result<std::vector<EncodedRequest>> PutRows::Encode(const arrow::RecordBatch& batch) const {
  OTLP_RETURN_NOT_OK(CheckSize(batch, limits_));
  const arrow::Status valid = batch.ValidateFull();
  if (!valid.ok()) return Status::Export("the batch is damaged: " + valid.message());
  OTLP_ASSIGN_OR_RETURN(const auto aligned, Aligned(batch));
  OTLP_RETURN_NOT_OK(CheckExpanded(*aligned, command_.mapping, limits_));
  const EncodeOptions options{std::numeric_limits<int64_t>::max(), limits_.max_request_bytes};
  if (!command_.mapping) return EncodeOtlp(command_.signal, *aligned, options);
  OTLP_ASSIGN_OR_RETURN(const auto mapped, MapColumns(command_.signal, *command_.mapping, *aligned));
  return EncodeOtlp(command_.signal, *mapped, options);
}

}  // namespace otlp_arrow
