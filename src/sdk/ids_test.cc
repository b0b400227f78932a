#include "otlp_arrow/sdk/ids.h"

#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "child_process.h"

namespace otlp_arrow::sdk {
namespace {

TEST(Ids, NoTwoOfManyThreadsAreTheSame) {
  std::mutex mutex;
  std::set<SpanId> spans;
  std::set<TraceId> traces;
  constexpr int kThreads = 8, kEach = 2000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        const SpanId span = RandomSpanId();
        const TraceId trace = RandomTraceId();
        std::lock_guard lock(mutex);
        spans.insert(span);
        traces.insert(trace);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(spans.size(), size_t{kThreads} * kEach);
  EXPECT_EQ(traces.size(), size_t{kThreads} * kEach);
  EXPECT_FALSE(spans.contains(SpanId()));
  EXPECT_FALSE(traces.contains(TraceId()));
}

TEST(Ids, AForkedChildHasOthersThanItsParent) {
  RandomSpanId();  // this thread's generator is seeded
  void* shared = ::mmap(nullptr, sizeof(SpanId), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto* childs = static_cast<SpanId*>(shared);
  testing::ChildProcess child([&] {
    *childs = RandomSpanId();
    return 0;
  });
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_FALSE(childs->empty());
  EXPECT_NE(*childs, RandomSpanId());
  ::munmap(shared, sizeof(SpanId));
}

}  // namespace
}  // namespace otlp_arrow::sdk
