// Stored rows back into OTLP.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

struct EncodeOptions {
  int64_t max_items_per_request = 1000;     // a request is closed at this many items …
  size_t max_bytes_per_request = 4u << 20;  // … or when it has grown past this; one item may be larger
};

struct EncodedRequest {
  std::string bytes;  // an OTLP Export…ServiceRequest
  int64_t items = 0;
};

// Turns the rows of a batch (schema/schemas.h; plain text columns are taken where that has dictionaries, columns it
// does not know are skipped, missing ones count as null) into OTLP requests, in row order. Neighbouring rows with the
// same resource, scope (and metric) share one container message. Errors: kExport for a column of another type or a
// text that does not read back, naming the column and row.
Result<std::vector<EncodedRequest>> EncodeOtlp(Signal signal, const arrow::RecordBatch& batch, const EncodeOptions& options = {});

}  // namespace otlp_arrow
