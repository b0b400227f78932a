// The bytes of a new file.
#pragma once

#include "base/platform/shared_file.h"
#include "otlp_arrow/status.h"
#include "otlp_arrow/ring/ring_writer.h"

namespace otlp_arrow::ring {

// Makes an empty file one with empty rings and an empty dictionary, its space reserved.
Status InitialiseFile(platform::SharedFile* file, const WriterOptions& options);
// The same for a file of no bytes that someone put there; others may be doing so at the same time. One that has bytes is
// left alone.
Status InitialiseIfEmpty(platform::SharedFile* file, const WriterOptions& options);

}  // namespace otlp_arrow::ring
