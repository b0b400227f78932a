// From what a reader asks for to what its stream does: which files and journaled requests, which columns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "otlp_arrow/reader.h"
#include "query/store_stream.h"
#include "storage/layout.h"

namespace otlp_arrow {

RowFilter FilterOf(const ReadOptions& options);
// kConfig for what is no trace id, and for any where the signal has none.
Status CheckTraceIds(Signal signal, const std::vector<std::string>& trace_ids);

// Of one directory. Thread-safe.
class StreamPlanner {
 public:
  // As StoreReader::Open takes it.
  explicit StreamPlanner(std::string path);
  ~StreamPlanner();

  // The state of the directory now. Errors: kConfig for a column that is not there, kIo.
  Result<StreamPlan> Plan(Signal signal, const ReadOptions& options);

  const std::string& path() const { return layout_.root(); }

 private:
  class SchemaCache;

  Status ChooseColumns(const std::vector<std::string>& columns, StreamPlan* plan);
  bool IsOutputDir() const;

  StoreLayout layout_;
  bool is_output_dir_ = false;
  std::unique_ptr<SchemaCache> schemas_;
};

// The attributes that writers promote unless they are told otherwise.
std::vector<PromotedAttribute> DefaultPromoted();

}  // namespace otlp_arrow
