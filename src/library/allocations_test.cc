#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "library/allocations_testing.h"

namespace {

constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

thread_local uint64_t allocations = 0;
thread_local size_t limit = kNoLimit;

void* TryToAllocate(size_t size) noexcept {
  ++allocations;
  return size > limit ? nullptr : std::malloc(size ? size : 1);
}
void* Allocate(size_t size) {
  void* memory = TryToAllocate(size);
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

// All forms but those for more than usual alignment: a sanitizer would put its own in the place of one that is missing.
void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return TryToAllocate(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return TryToAllocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace otlp_arrow::testing {

uint64_t ThreadAllocations() { return allocations; }

LittleMemory::LittleMemory(size_t bytes) { limit = bytes; }
LittleMemory::~LittleMemory() { limit = kNoLimit; }

TEST(AllocationsTest, AreCountedAndRefused) {
  const uint64_t before = ThreadAllocations();
  auto number = std::make_unique<int>(1);
  std::string text(1000, 'x');
  EXPECT_EQ(ThreadAllocations() - before, 2u);
  const LittleMemory little(100);
  EXPECT_THROW(text.reserve(5000), std::bad_alloc);
  number = std::make_unique<int>(2);
}

}  // namespace otlp_arrow::testing
