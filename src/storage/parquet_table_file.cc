#include "storage/parquet_table_file.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/buffered.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/file_writer.h>

#include "base/platform/platform.h"
#include "storage/bloom_filter.h"
#include "storage/dense_text.h"
#include "storage/parquet_footer.h"
#include "storage/parquet_properties.h"

namespace otlp_arrow {
namespace {

constexpr int64_t kWriteBufferBytes = 1 << 20;
// A row group ends when it holds so much text, whatever its rows: what is encoded of it is in memory until then.
constexpr int64_t kMaxGroupTextBytes = 256ll << 20;
// A batch whose text grows beyond this without its dictionaries is written with them, as a row group of its own.
constexpr int64_t kMaxDenseBytes = 128ll << 20;
// Behind the metadata: its length in 4 bytes, and "PAR1".
constexpr uint64_t kTrailerBytes = 8;
constexpr std::string_view kBloomColumn = "trace_id";

class ParquetFileWriter final : public TableFileWriter {
 public:
  explicit ParquetFileWriter(std::string path) : path_(std::move(path)) {}

  ~ParquetFileWriter() override {
    if (published_) return;
    if (stream_) (void)stream_->Abort();  // so that the writer's destructor, which wants to finish the file, writes nothing
    if (raw_) (void)raw_->Close();
    writer_.reset();
    (void)platform::Remove(path_);
  }

  Status Open(const arrow::Schema& schema, const TableFileOptions& options) {
    group_rows_ = std::max<int64_t>(1, options.row_group_rows);
    bloom_column_ = schema.GetFieldIndex(std::string(kBloomColumn));
    return Guarded("create", [&] { return OpenWriter(schema, options); });
  }

  Status Write(const arrow::RecordBatch& batch) override {
    const int64_t bytes = DenseTextBytes(batch);
    if (bytes > kMaxDenseBytes) return WriteAlone(batch);
    OTLP_ASSIGN_OR_RETURN(const auto dense, MakeDense(batch));
    for (int64_t row = 0; row < dense->num_rows();) {
      if (rows_in_group_ == 0 || rows_in_group_ >= group_rows_ || text_in_group_ >= kMaxGroupTextBytes) OTLP_RETURN_NOT_OK(BeginGroup());
      const int64_t rows = std::min(dense->num_rows() - row, group_rows_ - rows_in_group_);
      OTLP_RETURN_NOT_OK(WriteRows(*dense->Slice(row, rows)));
      row += rows;
    }
    text_in_group_ += bytes;
    return Status::Ok();
  }

  void EndRowGroup() override { text_in_group_ = kMaxGroupTextBytes; }

  Status Publish(const arrow::RecordBatch&, const PublishTarget& target) override {
    OTLP_RETURN_NOT_OK(Guarded("finish", [&]() -> arrow::Status {
      ARROW_RETURN_NOT_OK(writer_->Close());
      ARROW_RETURN_NOT_OK(stream_->Flush());
      return raw_->Close();
    }));
    OTLP_RETURN_NOT_OK(FinishFilters());
    OTLP_RETURN_NOT_OK(PublishFile(path_, target));
    published_ = true;
    return Status::Ok();
  }

  int64_t rows() const override { return rows_; }

 private:
  // Parquet throws; nothing else here may.
  template <class Work>
  Status Guarded(std::string_view doing, const Work& work) {
    std::string why;
    try {
      const arrow::Status status = work();
      if (status.ok()) return Status::Ok();
      why = status.message();
    } catch (const std::exception& e) {
      why = e.what();
    }
    return Status::Io("cannot " + std::string(doing) + " '" + path_ + "': " + why + " (free space on the disk, or check its rights)", true);
  }

  arrow::Status OpenWriter(const arrow::Schema& schema, const TableFileOptions& options) {
    ARROW_ASSIGN_OR_RAISE(raw_, arrow::io::FileOutputStream::Open(path_));
    ARROW_ASSIGN_OR_RAISE(stream_, arrow::io::BufferedOutputStream::Create(kWriteBufferBytes, arrow::default_memory_pool(), raw_));
    ARROW_ASSIGN_OR_RAISE(const ParquetLayout layout, MakeParquetLayout(schema, options));
    bloom_leaf_ = layout.bloom_leaf;
    auto file = parquet::ParquetFileWriter::Open(stream_, layout.schema, layout.properties, layout.metadata);
    return parquet::arrow::FileWriter::Make(arrow::default_memory_pool(), std::move(file), DenseSchema(schema, false), layout.arrow_properties, &writer_);
  }

  Status BeginGroup() {
    OTLP_RETURN_NOT_OK(Guarded("begin a row group of", [&] { return writer_->NewBufferedRowGroup(); }));
    OTLP_RETURN_NOT_OK(WriteFilter());
    rows_in_group_ = 0;
    text_in_group_ = 0;
    ++groups_;
    return Status::Ok();
  }

  Status WriteRows(const arrow::RecordBatch& rows) {
    if (bloom_leaf_ >= 0) bloom_.Add(static_cast<const arrow::StringArray&>(*rows.column(bloom_column_)));
    OTLP_RETURN_NOT_OK(Guarded("write rows to", [&] { return writer_->WriteRecordBatch(rows); }));
    rows_ += rows.num_rows();
    rows_in_group_ += rows.num_rows();
    return Status::Ok();
  }

  Status WriteAlone(const arrow::RecordBatch& batch) {
    for (int64_t row = 0; row < batch.num_rows(); row += group_rows_) {
      OTLP_RETURN_NOT_OK(BeginGroup());
      OTLP_RETURN_NOT_OK(WriteRows(*batch.Slice(row, group_rows_)));
    }
    text_in_group_ = kMaxGroupTextBytes;
    return Status::Ok();
  }

  // The filter of the row group that has just been written: behind it, before the next one.
  Status WriteFilter() {
    if (groups_ == 0 || bloom_leaf_ < 0) return Status::Ok();
    OTLP_ASSIGN_OR_RETURN(const std::string filter, bloom_.Finish());
    if (filter.empty()) {
      places_.emplace_back();
      return Status::Ok();
    }
    return Guarded("write a bloom filter to", [&]() -> arrow::Status {
      ARROW_ASSIGN_OR_RAISE(const int64_t offset, stream_->Tell());
      places_.push_back(BloomFilterPlace{offset, static_cast<int32_t>(filter.size())});
      return stream_->Write(filter.data(), static_cast<int64_t>(filter.size()));
    });
  }

  // In place of the footer that Arrow has written: the last filter, and a footer that knows of all of them.
  Status FinishFilters() {
    if (groups_ == 0 || bloom_leaf_ < 0) return Status::Ok();
    OTLP_ASSIGN_OR_RETURN(const std::string last, bloom_.Finish());
    OTLP_ASSIGN_OR_RETURN(platform::File file, platform::File::Open(path_, platform::File::Mode::kReadWrite));
    OTLP_ASSIGN_OR_RETURN(const uint64_t size, file.Size());
    OTLP_ASSIGN_OR_RETURN(const std::string trailer, file.ReadAt(size - kTrailerBytes, kTrailerBytes));
    uint32_t length = 0;
    std::memcpy(&length, trailer.data(), sizeof(length));
    const uint64_t begin = size - kTrailerBytes - length;
    if (last.empty()) {
      places_.emplace_back();
    } else {
      places_.push_back(BloomFilterPlace{static_cast<int64_t>(begin), static_cast<int32_t>(last.size())});
    }
    OTLP_ASSIGN_OR_RETURN(const std::string old_footer, file.ReadAt(begin, length));
    OTLP_ASSIGN_OR_RETURN(const std::string footer, PlaceBloomFilters(old_footer, static_cast<size_t>(bloom_leaf_), places_));
    char new_length[4];
    length = static_cast<uint32_t>(footer.size());
    std::memcpy(new_length, &length, sizeof(length));
    OTLP_RETURN_NOT_OK(file.Truncate(begin));
    const std::string_view parts[] = {last, footer, {new_length, sizeof(new_length)}, "PAR1"};
    return file.WriteAt(begin, parts, std::size(parts));
  }

  std::string path_;
  std::shared_ptr<arrow::io::FileOutputStream> raw_;
  std::shared_ptr<arrow::io::BufferedOutputStream> stream_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  int64_t group_rows_ = 0;
  int bloom_column_ = -1;  // of the batches
  int bloom_leaf_ = -1;    // the same in the file; -1: no bloom filters
  BloomFilterBuilder bloom_;
  std::vector<std::optional<BloomFilterPlace>> places_;  // by row group
  int64_t groups_ = 0;
  int64_t rows_in_group_ = 0;
  int64_t text_in_group_ = 0;
  int64_t rows_ = 0;
  bool published_ = false;
};

}  // namespace

Result<std::unique_ptr<TableFileWriter>> CreateParquetFile(const std::string& temporary_path, std::shared_ptr<arrow::Schema> schema,
                                                           const TableFileOptions& options) {
  auto writer = std::make_unique<ParquetFileWriter>(temporary_path);
  OTLP_RETURN_NOT_OK(writer->Open(*schema, options));
  return std::unique_ptr<TableFileWriter>(std::move(writer));
}

Result<int64_t> CountParquetRows(const std::string& path) {
  try {
    return parquet::ParquetFileReader::OpenFile(path)->metadata()->num_rows();
  } catch (const std::exception& e) {
    return Status::Io("'" + path + "' is no whole Parquet file: " + e.what());
  }
}

}  // namespace otlp_arrow
