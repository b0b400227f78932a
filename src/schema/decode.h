// OTLP bytes into Arrow arrays, in one pass and without message objects.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "otlp/payload.h"
#include "otlp_arrow/status.h"
#include "schema/decoder_options.h"
#include "schema/schemas.h"

namespace otlp_arrow {

// Collects the rows of one signal. The batches that it hands out borrow its memory: each is valid until the handler
// that receives it returns (BatchHandler), or until the next call (Flush). Not thread-safe.
class TableDecoder {
 public:
  // Called with each full batch. An error ends the Append that caused it.
  using BatchHandler = std::function<Status(const std::shared_ptr<arrow::RecordBatch>&)>;

  static std::unique_ptr<TableDecoder> Make(Signal signal, std::vector<PromotedAttribute> promoted, BatchHandler on_batch,
                                            DecoderOptions options = {});
  virtual ~TableDecoder() = default;

  // Appends the items of a request that ScanOtlp accepted; those that it rejected are skipped. `*items` receives the
  // rows appended. Bytes that were never scanned are safe too: what cannot be read ends the message it stands in.
  virtual Status Append(std::string_view request, bool has_rejected_items, int64_t* items) = 0;

  // Hands the rows not yet handed out to the handler, if there are any.
  virtual Status Flush() = 0;

  // The rows not yet handed out.
  virtual int64_t pending_rows() const = 0;

  // A batch without rows that carries the dictionaries as they stand now: batches of the same generation index into
  // prefixes of them. Only when no rows are pending; valid until the next Append or ResetDictionaries.
  virtual std::shared_ptr<arrow::RecordBatch> DictionaryBatch() = 0;
  // Bytes that the dictionaries hold; grows until ResetDictionaries().
  virtual int64_t DictionaryBytes() const = 0;
  // Starts a new generation; only when no rows are pending.
  virtual void ResetDictionaries() = 0;

  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
};

// Convenience for tests and tools: one request into one table-like list of batches that own their memory.
Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> DecodeOtlp(Signal signal, std::string_view request,
                                                                    const std::vector<PromotedAttribute>& promoted = {});

}  // namespace otlp_arrow
