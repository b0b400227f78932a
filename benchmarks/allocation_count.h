// Counts heap allocations of the whole process, malloc's own callers included. Include it in one file of a program alone.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
}

namespace otlp_arrow::bench {

// Counting costs time; what is timed runs without it.
inline std::atomic<bool> counting_allocations = false;
inline std::atomic<uint64_t> allocations = 0;

inline void CountAllocation() {
  if (counting_allocations.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace otlp_arrow::bench

extern "C" {
inline void* malloc_counted(size_t size) {
  otlp_arrow::bench::CountAllocation();
  return __libc_malloc(size);
}
__attribute__((used)) void* malloc(size_t size) { return malloc_counted(size); }
__attribute__((used)) void* calloc(size_t count, size_t size) {
  otlp_arrow::bench::CountAllocation();
  return __libc_calloc(count, size);
}
__attribute__((used)) void* realloc(void* block, size_t size) {
  otlp_arrow::bench::CountAllocation();
  return __libc_realloc(block, size);
}
}
