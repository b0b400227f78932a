// Record batches that clients put, as OTLP requests: in our schema, or in any with a mapping.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "otlp_arrow/status.h"
#include "query/put_command.h"
#include "schema/encode.h"

namespace otlp_arrow {

struct PutLimits {
  int64_t max_batch_bytes = 64 << 20;        // of a batch as it came
  size_t max_request_bytes = 16u << 20;      // of a request; a larger batch makes several
  // Dictionaries can make a small batch stand for much more text.
  int64_t max_expanded_bytes() const { return 16 * max_batch_bytes; }
};

class PutRows {
 public:
  // Errors: kConfig or kExport for a schema that has no rows of the signal, naming the column and what to do.
  static Result<PutRows> Make(PutCommand command, std::shared_ptr<arrow::Schema> schema, const std::vector<PromotedAttribute>& promoted,
                              PutLimits limits);

  // A batch from anywhere, of the schema. Errors: kExport for one that is too large, damaged or does not convert.
  Result<std::vector<EncodedRequest>> Encode(const arrow::RecordBatch& batch) const;

  Signal signal() const { return command_.signal; }

 private:
  PutRows(PutCommand command, PutLimits limits) : command_(std::move(command)), limits_(limits) {}

  PutCommand command_;
  PutLimits limits_;
};

}  // namespace otlp_arrow
