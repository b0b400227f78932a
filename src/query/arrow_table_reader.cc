#include <algorithm>
#include <utility>

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "query/table_reader.h"

namespace otlp_arrow {
namespace {

Status Damaged(const arrow::Status& status) { return Status::Export(status.message()); }

class ArrowTableReader final : public TableReader {
 public:
  explicit ArrowTableReader(InputFile input) : input_(std::move(input)) {}

  Status Open() {
    OTLP_RETURN_NOT_OK(OpenReader({}));
    schema_ = reader_->schema();
    return Status::Ok();
  }

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  int batch_count() const override { return reader_->num_record_batches(); }

  Result<int64_t> CountRows() override {
    auto rows = reader_->CountRows();
    if (!rows.ok()) return Damaged(rows.status());
    return *rows;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> ReadBatch(int index) override {
    auto batch = reader_->ReadRecordBatch(index);
    if (!batch.ok()) return Damaged(batch.status());
    const arrow::Status valid = (*batch)->ValidateFull();
    if (!valid.ok()) return Damaged(valid);
    return *batch;
  }

  Result<std::shared_ptr<TableReader>> WithColumns(const std::vector<std::string>& columns) const override {
    std::vector<int> included;
    for (int i = 0; i < schema_->num_fields(); ++i) {
      if (std::find(columns.begin(), columns.end(), schema_->field(i)->name()) != columns.end()) included.push_back(i);
    }
    // To Arrow no field means all.
    if (included.empty()) included.push_back(0);
    auto other = std::make_shared<ArrowTableReader>(input_);
    OTLP_RETURN_NOT_OK(other->OpenReader(std::move(included)));
    other->schema_ = schema_;
    return std::shared_ptr<TableReader>(std::move(other));
  }

 private:
  Status OpenReader(std::vector<int> included) {
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.use_threads = false;
    options.included_fields = std::move(included);
    auto reader = arrow::ipc::RecordBatchFileReader::Open(input_, options);
    if (!reader.ok()) return Damaged(reader.status());
    reader_ = *reader;
    return Status::Ok();
  }

  InputFile input_;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

Result<std::shared_ptr<TableReader>> OpenArrowTable(InputFile input) {
  auto reader = std::make_shared<ArrowTableReader>(std::move(input));
  OTLP_RETURN_NOT_OK(reader->Open());
  return std::shared_ptr<TableReader>(std::move(reader));
}

}  // namespace otlp_arrow
