// The requests of one signal and one writer on their way into files: decodes them, and closes a file when it holds
// enough or its time has come. Used by the pipeline's workers and by recovery alike.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "otlp_arrow/config.h"
#include "schema/decode.h"
#include "storage/layout.h"
#include "storage/table_file.h"

namespace otlp_arrow {

struct SignalWriterOptions {
  FileFormat format = FileFormat::kArrow;
  Compression compression = Compression::kZstd;
  int64_t row_group_rows = 128 << 10;       // of Parquet files
  bool sync = false;                        // published files are on the device
  int64_t max_dictionary_bytes = 16 << 20;  // a file is closed when its dictionaries reach this
  std::vector<PromotedAttribute> promoted;
  DecoderOptions batches;                   // how large record batches become: what each writer holds in memory
  // Part of the temporary file's name, where several writers of one id and signal write at the same time.
  std::string temporary_tag;
  // What files are written with; writers of one thread share it. Null: each has its own.
  std::shared_ptr<TableFileResources> resources;
};

// What a published file holds.
struct PublishedFile {
  std::string path;
  SequenceRange range;
  int64_t items = 0;  // as the scan counted them
  int64_t rows = 0;   // as written; the same number, or something is wrong
};

class SignalWriter {
 public:
  SignalWriter(Signal signal, StoreLayout layout, std::string writer_id, SignalWriterOptions options, std::shared_ptr<Clock> clock);

  // Adds a request; the file (not yet visible) is begun with the first one. `items` are those that the scan counted.
  // After an error the writer must be Abandon()ed and the requests from pending().first on given again.
  Status Add(uint64_t sequence, std::string_view request, int64_t items, bool has_rejected_items);

  // Publishes what was added since the last Publish; nothing to do is no error, then `file->items` is 0.
  Status Publish(PublishedFile* file);

  // Drops what was added since the last Publish.
  void Abandon();

  bool has_pending() const { return pending_items_ >= 0; }
  // Journal positions and bytes of the requests added since the last Publish.
  SequenceRange pending() const { return range_; }
  int64_t pending_items() const { return pending_items_ < 0 ? 0 : pending_items_; }
  uint64_t pending_bytes() const { return pending_bytes_; }
  Clock::SteadyTime pending_since() const { return since_; }
  // The dictionaries have grown so much that the file should be closed.
  bool dictionaries_full() const;

 private:
  Status WriteBatch(const std::shared_ptr<arrow::RecordBatch>& batch);
  std::unique_ptr<TableDecoder> MakeDecoder();

  Signal signal_;
  StoreLayout layout_;
  std::string writer_id_;
  SignalWriterOptions options_;
  std::shared_ptr<Clock> clock_;

  std::unique_ptr<TableDecoder> decoder_;
  std::unique_ptr<TableFileWriter> file_;
  SequenceRange range_;
  int64_t pending_items_ = -1;  // -1: nothing added
  uint64_t pending_bytes_ = 0;
  Clock::SteadyTime since_;
  std::chrono::sys_seconds first_time_{};
};

}  // namespace otlp_arrow
