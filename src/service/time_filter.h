// Rows of a table between two times.
#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "service/command_line.h"

namespace otlp_arrow {

// The rows whose time (spans: start; data points: time; log records: time, or where that is unknown observed time) is
// in [since, until). Rows without a time stay only where neither bound is given.
Result<std::shared_ptr<arrow::RecordBatch>> FilterByTime(Signal signal,
                                                         const std::shared_ptr<arrow::RecordBatch>& batch,
                                                         const std::optional<ReplayOptions::Time>& since,
                                                         const std::optional<ReplayOptions::Time>& until);

}  // namespace otlp_arrow
