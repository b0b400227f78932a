#include "otlp_arrow/wire_writer.h"

#include <algorithm>

namespace otlp_arrow::wire {

void StringBuffer::Grow(size_t used, size_t wanted) {
  constexpr size_t kSmallest = 512;
  bytes_.resize(std::max({kSmallest, 2 * bytes_.size(), used + wanted}));
}

}  // namespace otlp_arrow::wire
