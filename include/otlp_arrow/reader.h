// Reading back what is stored: the rows of a directory's data files, and on request those still in journals, as a stream
// of Arrow record batches.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "otlp_arrow/export.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

// The Arrow C stream interface (https://arrow.apache.org/docs/format/CStreamInterface.html).
struct ArrowArrayStream;

namespace otlp_arrow {

struct ReadOptions {
  // Nanoseconds since 1970: rows whose time is in [start, end). The time is start_time of spans, time of data points, and
  // of log records time or, where that is null, observed_time. Rows without a time come only where neither bound is given.
  std::optional<int64_t> start;
  std::optional<int64_t> end;
  std::vector<std::string> services;  // rows whose service_name is one of these; empty: all
  // Rows of these traces: 32 hexadecimal digits each; empty: all. Spans and log records alone have one.
  std::vector<std::string> trace_ids{};
  std::vector<std::string> columns;   // top-level columns, in this order; empty: all
  // Also the rows that writers, at work or killed, have accepted and not yet written to files.
  bool include_journal = false;
};

// A directory's tables. Thread-safe, and safe beside writers, recovery and retention: it takes no lock, and what it hands
// out is the state at the call of Read.
class OTLP_ARROW_EXPORT StoreReader {
 public:
  // `path`: an output directory (it need not hold anything yet), any folder with data files below it, or one data file.
  // Errors: kIo where there is no such path.
  static Result<std::shared_ptr<StoreReader>> Open(const std::string& path);
  virtual ~StoreReader() = default;

  // Fills `stream`, which the caller owns and releases. Every batch has one schema: the table's columns
  // (docs/formats/tables.md), then the promoted attributes of all its files, null in rows of files without them. Where
  // files differ in the type of a promoted attribute, int64 and double become double, anything else text.
  //
  // One batch of one file is in memory at a time (of a Parquet file the column chunks of a row group, too), and with include_journal the
  // journaled requests of the signal. The first 128 files are open from the start. Of the others, one that retention deletes before
  // its turn is left out, as its rows have expired; where compaction merges some before their turn, the stream begins anew if no row was
  // handed out yet, else it ends with a retryable error: no row comes twice or is left out. The stream's errors name the file that is
  // damaged. Errors: kConfig for a column that is not there, naming those that are, and for a trace id that is none; kIo.
  virtual Status Read(Signal signal, const ReadOptions& options, ArrowArrayStream* stream) = 0;

  // The rows that Read would hand out.
  virtual Result<int64_t> CountRows(Signal signal, const ReadOptions& options) = 0;

  virtual const std::string& path() const = 0;

 protected:
  StoreReader() = default;
};

// OTLP requests of one signal as the same table. Options that speak of files and journals have no meaning here.
// Errors: kConfig for a column that is not there, kExport for bytes that are no such request.
OTLP_ARROW_EXPORT Status ReadRequests(Signal signal, const std::vector<std::string>& requests, const ReadOptions& options, ArrowArrayStream* stream);

}  // namespace otlp_arrow
