#include "query/request_batches.h"

#include <utility>

#include <arrow/device.h>
#include <arrow/record_batch.h>

namespace otlp_arrow {

RequestBatches::RequestBatches(Signal signal, std::vector<PromotedAttribute> promoted)
    : decoder_(TableDecoder::Make(signal, std::move(promoted), [this](const auto& batch) { return Keep(*batch); })) {}

// The decoder's batches borrow its memory.
Status RequestBatches::Keep(const arrow::RecordBatch& batch) {
  auto copy = batch.CopyTo(arrow::default_cpu_memory_manager());
  if (!copy.ok()) return Status::Io("no memory for decoded rows: " + copy.status().message());
  batches_.push_back(*std::move(copy));
  return Status::Ok();
}

Status RequestBatches::Add(std::string_view request, bool has_rejected_items) {
  int64_t items = 0;
  return decoder_->Append(request, has_rejected_items, &items);
}

Status RequestBatches::Flush() {
  OTLP_RETURN_NOT_OK(decoder_->Flush());
  decoder_->ResetDictionaries();
  return Status::Ok();
}

std::shared_ptr<arrow::RecordBatch> RequestBatches::Pop() {
  if (batches_.empty()) return nullptr;
  auto batch = std::move(batches_.front());
  batches_.pop_front();
  return batch;
}

}  // namespace otlp_arrow
