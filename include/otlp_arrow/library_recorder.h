// The native SDK over an OtlpLibrary in the same process: its ring lies below the library's output_dir, and a thread of this
// process takes from it what the library stores. A program that dies leaves the ring to the next start.
#pragma once

#include <chrono>
#include <memory>

#include "otlp_arrow/export.h"
#include "otlp_arrow/library.h"
#include "otlp_arrow/sdk/recorder.h"

namespace otlp_arrow {

struct LibraryRecorderOptions {
  ring::WriterOptions ring;  // when_full kBlock: a program that outruns the store is slowed down, before anything is dropped
  std::chrono::milliseconds max_delay{200};           // until a record is handed to the library
  std::chrono::milliseconds metric_interval{60'000};  // between two points of a metric; the standard OTEL_METRIC_EXPORT_INTERVAL
  uint32_t cardinality_limit = 2000;                  // attribute sets of a metric, the overflow's one included

  LibraryRecorderOptions() { ring.when_full = ring::WhenFull::kBlock; }
};

// Also takes over the rings that dead programs left in the library's directory. The recorder holds the library; it does not
// shut it down. Errors: kConfig, kIo, kShutdown.
OTLP_ARROW_EXPORT Result<std::shared_ptr<sdk::Recorder>> OpenLibraryRecorder(std::shared_ptr<OtlpLibrary> library,
                                                                             const LibraryRecorderOptions& options = {});

}  // namespace otlp_arrow
