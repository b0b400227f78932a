// OTLP requests as record batches that own their memory.
#pragma once

#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "schema/decode.h"

namespace otlp_arrow {

class RequestBatches {
 public:
  RequestBatches(Signal signal, std::vector<PromotedAttribute> promoted);

  // Bytes that ScanOtlp accepted.
  Status Add(std::string_view request, bool has_rejected_items);
  // What was added so far, as batches.
  Status Flush();
  // Takes the next finished batch; null where there is none.
  std::shared_ptr<arrow::RecordBatch> Pop();

 private:
  Status Keep(const arrow::RecordBatch& batch);

  std::deque<std::shared_ptr<arrow::RecordBatch>> batches_;
  std::unique_ptr<TableDecoder> decoder_;
};

}  // namespace otlp_arrow
