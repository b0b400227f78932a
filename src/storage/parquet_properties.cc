#include "storage/parquet_properties.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>

#include <arrow/buffer.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>

#include "base/base64.h"
#include "storage/dense_text.h"

namespace otlp_arrow {
namespace {

constexpr std::string_view kArrowSchemaKey = "ARROW:schema";  // where Arrow's readers look for it
constexpr std::string_view kIds[] = {"trace_id", "span_id", "parent_span_id"};

parquet::Compression::type CodecOf(Compression compression) {
  switch (compression) {
    case Compression::kNone: return parquet::Compression::UNCOMPRESSED;
    case Compression::kLz4: return parquet::Compression::LZ4;  // LZ4_RAW in the file
    case Compression::kZstd: return parquet::Compression::ZSTD;
  }
  return parquet::Compression::UNCOMPRESSED;
}

bool IsId(const parquet::ColumnDescriptor& leaf) {
  return leaf.physical_type() == parquet::Type::BYTE_ARRAY && std::find(std::begin(kIds), std::end(kIds), leaf.name()) != std::end(kIds);
}

// Times and durations: hardly one repeats, neighbours are near each other.
bool IsTime(const parquet::ColumnDescriptor& leaf) {
  return leaf.physical_type() == parquet::Type::INT64 && (leaf.logical_type()->is_timestamp() || leaf.name() == "duration_ns");
}

// Others: Parquet's own dictionary, given up where it grows too large.
void ChooseEncoding(const parquet::ColumnDescriptor& leaf, parquet::WriterProperties::Builder* builder) {
  const auto path = leaf.path();
  if (IsId(leaf)) {
    builder->disable_dictionary(path)->encoding(path, parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY);
  } else if (IsTime(leaf)) {
    builder->disable_dictionary(path)->encoding(path, parquet::Encoding::DELTA_BINARY_PACKED);
  }
  // Nobody prunes by what is inside lists and maps.
  if (path->ToDotVector().size() > 1) builder->disable_statistics(path)->disable_write_page_index(path);
}

arrow::Result<std::shared_ptr<const arrow::KeyValueMetadata>> Metadata(const arrow::Schema& schema) {
  auto metadata = schema.metadata() ? schema.metadata()->Copy() : std::make_shared<arrow::KeyValueMetadata>();
  ARROW_ASSIGN_OR_RAISE(const auto message, arrow::ipc::SerializeSchema(*DenseSchema(schema, true)));
  std::string text;
  AppendBase64({reinterpret_cast<const char*>(message->data()), static_cast<size_t>(message->size())}, &text);
  metadata->Append(std::string(kArrowSchemaKey), std::move(text));
  return metadata;
}

}  // namespace

arrow::Result<ParquetLayout> MakeParquetLayout(const arrow::Schema& schema, const TableFileOptions& options) {
  ParquetLayout layout;
  layout.arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->set_use_threads(false)->build();
  std::shared_ptr<parquet::SchemaDescriptor> descriptor;
  const auto dense = DenseSchema(schema, false);
  ARROW_RETURN_NOT_OK(parquet::arrow::ToParquetSchema(dense.get(), *parquet::default_writer_properties(), *layout.arrow_properties, &descriptor));
  layout.schema = std::static_pointer_cast<parquet::schema::GroupNode>(descriptor->schema_root());

  parquet::WriterProperties::Builder builder;
  builder.compression(CodecOf(options.compression))->enable_write_page_index()->enable_page_checksum();
  builder.set_size_statistics_level(parquet::SizeStatisticsLevel::None);
  builder.max_row_group_length(std::numeric_limits<int64_t>::max());  // the writer decides
  for (int i = 0; i < descriptor->num_columns(); ++i) {
    ChooseEncoding(*descriptor->Column(i), &builder);
    const std::string path = descriptor->Column(i)->path()->ToDotString();
    if (path == "trace_id" && descriptor->Column(i)->physical_type() == parquet::Type::BYTE_ARRAY) layout.bloom_leaf = i;
    if (!options.sorted_by.empty() && path == options.sorted_by) {
      parquet::SortingColumn sorted{};
      sorted.column_idx = i;
      sorted.nulls_first = options.nulls_first;
      builder.set_sorting_columns({sorted});
    }
  }
  layout.properties = builder.build();
  ARROW_ASSIGN_OR_RAISE(layout.metadata, Metadata(schema));
  return layout;
}

}  // namespace otlp_arrow
