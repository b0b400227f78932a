// Heap allocations of the calling thread, counted and on request refused: the test program's operator new does it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace otlp_arrow::testing {

// Calls of operator new by this thread so far.
uint64_t ThreadAllocations();

// While it lives, operator new throws std::bad_alloc on this thread for more than `bytes`.
class LittleMemory {
 public:
  explicit LittleMemory(size_t bytes);
  ~LittleMemory();
  LittleMemory(const LittleMemory&) = delete;
  LittleMemory& operator=(const LittleMemory&) = delete;
};

}  // namespace otlp_arrow::testing
