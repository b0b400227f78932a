// Small requests whose items bear names, and what of them a store holds: how tests see that nothing is lost and nothing
// is there twice.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "otlp_arrow/signal.h"

namespace otlp_arrow::testing {

// A request of `count` items called "<prefix>-0", "<prefix>-1", …: names of spans, names of metrics with one data point
// each, bodies of log records. `padding` more bytes of text stand in each item.
std::string NamedRequest(Signal signal, const std::string& prefix, int count, size_t padding = 0);
std::vector<std::string> ItemNames(const std::string& prefix, int count);

// The rows of a data file, Arrow or Parquet, as Arrow's own reader finds them, checked in full; of a Parquet file a batch for each row group.
std::vector<std::shared_ptr<arrow::RecordBatch>> ReadBatches(const std::string& path);
// The names of its items, in order.
std::vector<std::string> NamesIn(Signal signal, const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches);

// The data files of a signal, sorted by name.
std::vector<std::string> DataFiles(const std::string& output_dir, Signal signal);
// The names of all items in the data files of a signal, sorted.
std::vector<std::string> StoredNames(const std::string& output_dir, Signal signal);

}  // namespace otlp_arrow::testing
