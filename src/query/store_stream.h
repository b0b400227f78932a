// The rows of files and requests, batch by batch.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <arrow/record_batch.h>

#include "otlp_arrow/signal.h"
#include "query/request_batches.h"
#include "query/row_filter.h"
#include "query/store_snapshot.h"
#include "query/stored_files.h"

namespace otlp_arrow {

struct StreamPlan {
  Signal signal = Signal::kTraces;
  std::shared_ptr<arrow::Schema> schema;    // of the batches that are handed out
  std::vector<PromotedAttribute> promoted;  // that the requests are decoded with
  RowFilter filter;
  StoreSnapshot snapshot;
  // Files may be of other signals or of no table of ours: those are passed over. Otherwise they are errors.
  bool mixed_files = false;
  // The state of the directory once more, for when files were merged before their turn; unset: such files are an error.
  std::function<Result<StoreSnapshot>()> snapshot_again;
  // Asked between batches, where it is set; true ends the stream with an error.
  std::function<bool()> is_cancelled;
};

class StoreStream final : public arrow::RecordBatchReader {
 public:
  explicit StoreStream(StreamPlan plan);
  ~StoreStream() override;

  std::shared_ptr<arrow::Schema> schema() const override { return plan_.schema; }
  // Null at the end. Batches have at least one row.
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override;
  // The same with our errors.
  Result<std::shared_ptr<arrow::RecordBatch>> Next();
  // The file that comes next, or null within a file and behind the last one.
  const std::string* NextFile() const;
  // The same, where it is open already; else null.
  InputFile NextInput() const { return next_file_ < plan_.snapshot.inputs.size() ? plan_.snapshot.inputs[next_file_] : nullptr; }
  // Someone else hands its rows out.
  void PassOver() {
    ++next_file_;
    began_ = true;
  }
  // The next file is gone: nothing is left of it, or all is planned anew. Errors: kIo where rows of it may have been handed out.
  Status LeaveOutMissing();
  // All rows, instead of reading them: no column is read but those of the filter.
  Result<int64_t> Count();

 private:
  struct OpenFile;

  Result<std::shared_ptr<arrow::RecordBatch>> NextOfFile();
  Result<std::shared_ptr<arrow::RecordBatch>> NextOfRequests();
  // True where there is one; current_ is then open.
  Result<bool> OpenNextFile();
  Result<StoredFile> OpenFirst(size_t file) const;
  // The rows of a file that is not there any more: true where they are in other files now, which are then planned anew.
  Result<bool> WasMerged(const std::string& path);
  // Null where no row is wanted.
  Result<std::shared_ptr<arrow::RecordBatch>> ReadBatch(OpenFile* file, int index) const;
  Result<int64_t> CountFile(OpenFile* file) const;
  Result<int64_t> CountRequests();

  StreamPlan plan_;
  std::shared_ptr<arrow::Schema> filter_schema_;
  size_t next_file_ = 0;
  bool began_ = false;     // rows were handed out
  int plans_ = 0;          // that merged files have cost
  std::unique_ptr<OpenFile> current_;
  size_t next_request_ = 0;
  std::unique_ptr<RequestBatches> decoded_;
};

}  // namespace otlp_arrow
