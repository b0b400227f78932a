#include "storage/merged_counts.h"

#include <charconv>

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/file_reader.h>

#include "storage/layout.h"

namespace otlp_arrow {
namespace {

RowsByWriter RowsOf(const std::shared_ptr<const arrow::KeyValueMetadata>& metadata) {
  const int index = metadata ? metadata->FindKey(kMergedRowsKey) : -1;
  return index < 0 ? RowsByWriter() : ParseMergedRows(metadata->value(index));
}

Result<RowsByWriter> ReadParquet(const std::string& path) {
  try {
    return RowsOf(parquet::ParquetFileReader::OpenFile(path)->metadata()->key_value_metadata());
  } catch (const std::exception& e) {
    return Status::Io("'" + path + "' is no whole Parquet file: " + e.what());
  }
}

}  // namespace

std::string MergedRowsText(const RowsByWriter& rows) {
  std::string text;
  for (const auto& [writer, count] : rows) text += (text.empty() ? "" : ",") + writer + ":" + std::to_string(count);
  return text;
}

RowsByWriter ParseMergedRows(std::string_view text) {
  RowsByWriter rows;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view entry = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const size_t colon = entry.rfind(':');
    if (colon == std::string_view::npos || colon == 0) continue;
    int64_t count = 0;
    const auto [end, error] = std::from_chars(entry.data() + colon + 1, entry.data() + entry.size(), count);
    if (error == std::errc() && end == entry.data() + entry.size() && count >= 0) rows[std::string(entry.substr(0, colon))] += count;
  }
  return rows;
}

RowsByWriter MergedRowsOf(const arrow::Schema& schema) { return RowsOf(schema.metadata()); }

std::shared_ptr<arrow::Schema> WithMergedRows(const arrow::Schema& schema, const RowsByWriter& rows) {
  auto metadata = schema.metadata() ? schema.metadata()->Copy() : std::make_shared<arrow::KeyValueMetadata>();
  const int known = metadata->FindKey(kMergedRowsKey);
  if (known >= 0) (void)metadata->Delete(known);
  metadata->Append(kMergedRowsKey, MergedRowsText(rows));
  return schema.WithMetadata(std::move(metadata));
}

Result<RowsByWriter> ReadMergedRows(const std::string& path) {
  if (FormatOfFileName(path.substr(path.rfind('/') + 1)) == FileFormat::kParquet) return ReadParquet(path);
  auto damaged = [&](const arrow::Status& status) { return Status::Io("'" + path + "' is no whole Arrow file: " + status.message()); };
  auto file = arrow::io::ReadableFile::Open(path);
  if (!file.ok()) return damaged(file.status());
  auto reader = arrow::ipc::RecordBatchFileReader::Open(*file);
  if (!reader.ok()) return damaged(reader.status());
  return MergedRowsOf(*(*reader)->schema());
}

}  // namespace otlp_arrow
