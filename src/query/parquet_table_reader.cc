#include <algorithm>
#include <exception>
#include <map>
#include <utility>

#include <arrow/array/array_dict.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include "query/parquet_pruning.h"
#include "query/table_reader.h"

namespace otlp_arrow {
namespace {

// Row groups are read in pieces: what a batch has at most, as in Arrow files.
constexpr int64_t kBatchRows = 16384;

// Parquet throws; nothing else here may.
template <class T, class Work>
Result<T> Guarded(const Work& work) {
  std::string why;
  try {
    arrow::Result<T> result = work();
    if (result.ok()) return *std::move(result);
    why = result.status().message();
  } catch (const std::exception& e) {
    why = e.what();
  }
  return Status::Export("is no whole Parquet file: " + why);
}

parquet::ReaderProperties ReadingProperties() {
  parquet::ReaderProperties properties = parquet::default_reader_properties();
  properties.set_page_checksum_verification(true);
  return properties;
}

parquet::ArrowReaderProperties ArrowProperties() {
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_batch_size(kBatchRows);
  properties.set_pre_buffer(false);
  return properties;
}

class ParquetTableReader final : public TableReader {
 public:
  explicit ParquetTableReader(InputFile input) : input_(std::move(input)) {}

  Status Open(std::shared_ptr<parquet::FileMetaData> metadata) {
    OTLP_ASSIGN_OR_RETURN(file_, (Guarded<std::unique_ptr<parquet::arrow::FileReader>>([&] {
                            auto file = parquet::ParquetFileReader::Open(input_, ReadingProperties(), std::move(metadata));
                            return parquet::arrow::FileReader::Make(arrow::default_memory_pool(), std::move(file), ArrowProperties());
                          })));
    OTLP_ASSIGN_OR_RETURN(schema_, (Guarded<std::shared_ptr<arrow::Schema>>([&]() -> arrow::Result<std::shared_ptr<arrow::Schema>> {
                            std::shared_ptr<arrow::Schema> schema;
                            ARROW_RETURN_NOT_OK(file_->GetSchema(&schema));
                            return schema;
                          })));
    return ListBatches();
  }

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  int batch_count() const override { return static_cast<int>(batches_.size()); }
  Result<int64_t> CountRows() override { return rows_; }

  Result<std::shared_ptr<arrow::RecordBatch>> ReadBatch(int index) override {
    const Batch& batch = batches_[static_cast<size_t>(index)];
    OTLP_ASSIGN_OR_RETURN(auto rows, (Guarded<std::shared_ptr<arrow::RecordBatch>>([&] { return ReadRows(batch); })));
    const arrow::Status valid = rows->ValidateFull();
    if (!valid.ok()) return Status::Export(valid.message());
    return rows;
  }

  bool MayHave(int index, Signal signal, const RowFilter& filter) override {
    const int group = batches_[static_cast<size_t>(index)].group;
    if (const auto known = may_have_.find(group); known != may_have_.end()) return known->second;
    auto may_have = Guarded<bool>([&]() -> arrow::Result<bool> { return MayHaveRows(file_->parquet_reader(), group, signal, filter); });
    return may_have_[group] = !may_have.ok() || *may_have;  // what is damaged there does not matter to who reads the rows
  }

  Result<std::shared_ptr<TableReader>> WithColumns(const std::vector<std::string>& columns) const override {
    auto other = std::make_shared<ParquetTableReader>(input_);
    OTLP_RETURN_NOT_OK(other->Open(file_->parquet_reader()->metadata()));
    const parquet::SchemaDescriptor& leaves = *file_->parquet_reader()->metadata()->schema();
    other->leaves_.clear();
    for (int leaf = 0; leaf < leaves.num_columns(); ++leaf) {
      if (std::find(columns.begin(), columns.end(), leaves.GetColumnRoot(leaf)->name()) != columns.end()) other->leaves_.push_back(leaf);
    }
    if (other->leaves_.empty()) other->leaves_.push_back(0);
    return std::shared_ptr<TableReader>(std::move(other));
  }

 private:
  struct Batch {
    int group;
    int64_t first;  // row of the group
    int64_t rows;
  };

  Status ListBatches() {
    const auto metadata = file_->parquet_reader()->metadata();
    for (int group = 0; group < metadata->num_row_groups(); ++group) {
      const int64_t rows = metadata->RowGroup(group)->num_rows();
      // A batch takes 24 bytes here and nothing in the file: a footer that lies must not make us list billions.
      if (rows < 0 || rows > kMostGroupRows) return Status::Export("is no whole Parquet file: a row group of " + std::to_string(rows) + " rows");
      for (int64_t first = 0; first < rows; first += kBatchRows) batches_.push_back({group, first, std::min(kBatchRows, rows - first)});
      rows_ += rows;
    }
    for (int leaf = 0; leaf < metadata->num_columns(); ++leaf) leaves_.push_back(leaf);
    return Status::Ok();
  }

  // The rows come in order; a dictionary that changes within a row group cuts them in smaller pieces.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRows(const Batch& batch) {
    if (!stream_ || group_ != batch.group || next_row_ > batch.first) {
      ARROW_ASSIGN_OR_RAISE(stream_, file_->GetRecordBatchReader({batch.group}, leaves_));
      group_ = batch.group;
      next_row_ = 0;
      rest_.reset();
    }
    while (next_row_ < batch.first) {
      ARROW_ASSIGN_OR_RAISE(const auto passed, NextRows(batch.first - next_row_));
      next_row_ += passed->num_rows();
    }
    arrow::RecordBatchVector pieces;
    for (int64_t rows = 0; rows < batch.rows;) {
      ARROW_ASSIGN_OR_RAISE(auto piece, NextRows(batch.rows - rows));
      rows += piece->num_rows();
      pieces.push_back(std::move(piece));
    }
    next_row_ += batch.rows;
    if (pieces.size() == 1) return pieces[0];
    ARROW_ASSIGN_OR_RAISE(const auto table, arrow::Table::FromRecordBatches(std::move(pieces)));
    ARROW_ASSIGN_OR_RAISE(const auto unified, arrow::DictionaryUnifier::UnifyTable(*table));
    return unified->CombineChunksToBatch();
  }

  // Up to `most` rows, at least one.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> NextRows(int64_t most) {
    while (!rest_ || rest_->num_rows() == 0) {
      ARROW_RETURN_NOT_OK(stream_->ReadNext(&rest_));
      if (!rest_) return arrow::Status::Invalid("row group ", group_, " has fewer rows than the footer says");
    }
    auto rows = rest_->Slice(0, most);
    rest_ = rest_->Slice(rows->num_rows());
    return rows;
  }

  static constexpr int64_t kMostGroupRows = int64_t{1} << 31;

  InputFile input_;
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<Batch> batches_;
  int64_t rows_ = 0;
  std::vector<int> leaves_;
  std::map<int, bool> may_have_;  // by row group: a reader has one filter
  // Where reading stands.
  std::unique_ptr<arrow::RecordBatchReader> stream_;
  int group_ = -1;
  int64_t next_row_ = 0;
  std::shared_ptr<arrow::RecordBatch> rest_;
};

}  // namespace

Result<std::shared_ptr<TableReader>> OpenParquetTable(InputFile input) {
  auto reader = std::make_shared<ParquetTableReader>(std::move(input));
  OTLP_RETURN_NOT_OK(reader->Open(nullptr));
  return std::shared_ptr<TableReader>(std::move(reader));
}

}  // namespace otlp_arrow
