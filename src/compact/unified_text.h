// One dictionary for each text column of an Arrow file that is made of many: the files' own are folded into it as they come.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <arrow/type_fwd.h>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

class UnifiedText {
 public:
  // `schema`: of the file, with dictionaries anywhere in it.
  explicit UnifiedText(std::shared_ptr<arrow::Schema> schema);

  // The batch with indices into the unified dictionaries, which it does not carry itself. Its columns are those of the schema,
  // where text may be plain instead of in dictionaries. Errors: kExport for an index that a dictionary has not.
  Result<std::shared_ptr<arrow::RecordBatch>> Unify(const arrow::RecordBatch& batch);

  // A batch without rows that carries the dictionaries, as TableFileWriter::Publish takes it.
  Result<std::shared_ptr<arrow::RecordBatch>> Dictionaries();

  // Of all dictionaries.
  int64_t bytes() const { return bytes_; }

 private:
  struct Column {
    std::deque<std::string> texts;
    std::unordered_map<std::string_view, int32_t> indices;  // into `texts`, whose memory it refers to
    // What the dictionary seen last became: batches of one file share theirs.
    std::shared_ptr<arrow::ArrayData> last;
    std::vector<int32_t> last_indices;
  };
  class Walk;

  int32_t Intern(Column* column, std::string_view text);
  void Fold(Column* column, const std::shared_ptr<arrow::ArrayData>& dictionary);

  std::shared_ptr<arrow::Schema> schema_;
  std::vector<Column> columns_;  // in the order in which they stand in the schema, depth first
  int64_t bytes_ = 0;
};

}  // namespace otlp_arrow
