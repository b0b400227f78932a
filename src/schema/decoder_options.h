// How large the record batches of a decoder become.
#pragma once

#include <cstdint>

namespace otlp_arrow {

struct DecoderOptions {
  int64_t max_rows = 16384;              // a batch is handed out when it has this many rows …
  int64_t max_text_bytes = 32ll << 20;   // … or holds about this much text
};

}  // namespace otlp_arrow
