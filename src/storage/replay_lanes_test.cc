#include "storage/replay_lanes.h"

#include <algorithm>
#include <atomic>
#include <set>

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

JournalRecord Record(uint64_t sequence, std::string_view request) {
  JournalRecord record;
  record.sequence = sequence;
  record.items = static_cast<int64_t>(sequence) * 10;
  record.request = request;
  return record;
}

ReplayChunk ChunkOf(uint64_t first, uint64_t last) {
  ReplayChunk chunk(Signal::kLogs);
  for (uint64_t s = first; s <= last; ++s) chunk.Add(Record(s, "request " + std::to_string(s)));
  return chunk;
}

TEST(ReplayChunk, GivesBackWhatWasAddedInOrder) {
  ReplayChunk chunk(Signal::kMetrics);
  EXPECT_TRUE(chunk.empty());
  for (const auto& [sequence, request] : {std::pair{3, "one"}, {4, ""}, {9, "three"}}) {
    std::string passing(request);
    chunk.Add(Record(static_cast<uint64_t>(sequence), passing));
    std::fill(passing.begin(), passing.end(), '?');
  }
  EXPECT_EQ(chunk.last_sequence(), 9u);
  EXPECT_EQ(chunk.byte_size(), 8u);
  std::string seen;
  ASSERT_TRUE(chunk.ForEach([&](const JournalRecord& r) {
    seen += std::to_string(r.sequence) + ":" + std::to_string(r.items) + ":" + std::string(r.request) + " ";
    return Status::Ok();
  }).ok());
  EXPECT_EQ(seen, "3:30:one 4:40: 9:90:three ");
  int visited = 0;
  EXPECT_FALSE(chunk.ForEach([&](const JournalRecord&) { return ++visited == 2 ? Status::Io("full") : Status::Ok(); }).ok());
  EXPECT_EQ(visited, 2);
}

TEST(ReplayLanes, EachChunkIsWrittenOnce) {
  for (size_t count : {1, 2, 5}) {
    std::mutex mutex;
    std::multiset<uint64_t> written;
    std::vector<std::atomic<int>> busy(count);
    std::atomic<bool> overlapped = false;
    ReplayLanes lanes(count, [&](size_t lane, const ReplayChunk& chunk) {
      if (++busy[lane] != 1) overlapped = true;
      const Status status = chunk.ForEach([&](const JournalRecord& r) {
        std::lock_guard lock(mutex);
        written.insert(r.sequence);
        return Status::Ok();
      });
      --busy[lane];
      return status;
    });
    for (uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(lanes.Give(ChunkOf(1 + i * 10, 10 + i * 10)).ok());
    ASSERT_TRUE(lanes.Finish().ok());
    EXPECT_EQ(written.size(), 1000u);
    EXPECT_EQ(*written.begin(), 1u);
    EXPECT_EQ(*written.rbegin(), 1000u);
    EXPECT_EQ(std::set<uint64_t>(written.begin(), written.end()).size(), 1000u);
    EXPECT_FALSE(overlapped) << "one chunk at a time for each lane";
  }
}

TEST(ReplayLanes, TheFirstErrorEndsItAndNothingWaitsForEver) {
  std::atomic<int> written = 0;
  ReplayLanes lanes(2, [&](size_t, const ReplayChunk&) { return ++written == 3 ? Status::Io("the disk is full") : Status::Ok(); });
  Status status;
  int given = 0;
  while (status.ok() && given < 10000) {
    status = lanes.Give(ChunkOf(1, 2));
    ++given;
  }
  EXPECT_EQ(status.message(), "the disk is full");
  EXPECT_EQ(lanes.Finish().message(), "the disk is full");
  EXPECT_LT(written, 10) << "what was waiting is not written any more";
}

}  // namespace
}  // namespace otlp_arrow
