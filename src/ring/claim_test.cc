// Claims that were not kept: the slot's states are set by hand, as writers and consumers that died left them.
#include <atomic>
#include <ctime>
#include <thread>

#include "base/platform/platform.h"
#include "manual_clock.h"
#include "ring/claim.h"
#include "ring/file_view.h"
#include "ring/ring_testing.h"
#include "temp_dir.h"

namespace otlp_arrow::ring {
namespace {

using namespace otlp_arrow::ring::testing;  // NOLINT
using namespace std::chrono_literals;       // NOLINT
using otlp_arrow::testing::TempDir;

class ClaimTest : public ::testing::Test {
 protected:
  ClaimTest() {
    options_.clock = clock_;
    OpenReader();
  }
  void OpenReader() {
    reader_.reset();
    reader_ = Must(RingReader::Open(path_, options_));
  }
  RingPlace Spans() { return view_->Place(RingKind::kSpans); }
  uint32_t& Entry(int64_t sequence) { return reinterpret_cast<uint32_t&>(Spans().AvailabilityOf(sequence)); }
  // What a producer does up to some point before it dies.
  int64_t ClaimOnly() { return Spans().header->writer_index.fetch_add(1) + 1; }
  int64_t ClaimAndMark(uint32_t writer) {
    const int64_t sequence = ClaimOnly();
    Entry(sequence) = MarkOf(Spans().Lap(sequence), writer);
    return sequence;
  }
  void Record(uint64_t n) { ASSERT_EQ(writer_->RecordSpanEnd(Ids(n).Key(), n), RecordResult::kRecorded); }
  // The end times that can be read now.
  std::vector<uint64_t> Poll() {
    std::vector<uint64_t> times;
    for (const RecordView& record : Must(reader_->Poll(RingKind::kSpans))) {
      times.push_back(As<EndSpanView>(ReadSpanEvent(record.bytes).value().event).end_time_unix_nano);
    }
    return times;
  }
  using Times = std::vector<uint64_t>;

  TempDir dir_;
  std::string path_ = dir_ / "ring";
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  ReaderOptions options_;
  std::unique_ptr<RingWriter> writer_ = Must(RingWriter::Open(path_, SmallFile()));
  std::unique_ptr<RingReader> reader_;
  std::unique_ptr<FileView> view_ = Must(FileView::Open(path_, platform::SharedFile::Mode::kReadWrite));
};

TEST_F(ClaimTest, AnUnmarkedClaimIsGivenUpAfterAWhile) {
  Record(1);
  ClaimOnly();
  Record(3);
  EXPECT_TRUE(reader_->HasData());
  EXPECT_EQ(Poll(), Times{1});
  EXPECT_FALSE(reader_->HasData());  // nothing to do until the time is up
  clock_->Advance(49ms);
  EXPECT_EQ(Poll(), Times{});
  EXPECT_FALSE(reader_->HasData());
  clock_->Advance(1ms);
  EXPECT_TRUE(reader_->HasData());
  EXPECT_EQ(Poll(), Times{3});
  EXPECT_EQ(reader_->stats().revoked, 1u);
  EXPECT_EQ(reader_->skipped(), 0u);
  // Its late producer finds the slot taken.
  uint32_t free = Spans().Lap(1) - 1;
  EXPECT_FALSE(Spans().AvailabilityOf(1).compare_exchange_strong(free, MarkOf(0, writer_->number())));
  // Another consumer that begins before it passes it over, too.
  OpenReader();
  EXPECT_EQ(Poll(), (Times{1, 3}));
  EXPECT_EQ(reader_->stats().revoked, 1u);
}

TEST_F(ClaimTest, AProducerWhoseClaimWasGivenUpClaimsAnew) {
  // As the consumer left it after the claim of sequence number 0, which is about to be marked.
  Entry(0) = 0;
  std::atomic<uint64_t> reclaimed{0};
  const Claim claim = ClaimSlot(Spans(), writer_->number(), &reclaimed);
  EXPECT_EQ(claim.sequence, 1);
  EXPECT_EQ(reclaimed.load(), 1u);
  EXPECT_EQ(Entry(1), MarkOf(0, writer_->number()));
  PublishSlot(Spans(), claim);
  EXPECT_EQ(Entry(1), 0u);
}

TEST_F(ClaimTest, AnotherClaimHasItsOwnTime) {
  ClaimOnly();
  EXPECT_EQ(Poll(), Times{});
  clock_->Advance(50ms);
  ClaimOnly();
  EXPECT_EQ(Poll(), Times{});
  EXPECT_EQ(reader_->last_read(RingKind::kSpans), 0);
  clock_->Advance(49ms);
  EXPECT_EQ(Poll(), Times{});
  EXPECT_EQ(reader_->last_read(RingKind::kSpans), 0);
  clock_->Advance(1ms);
  EXPECT_EQ(Poll(), Times{});
  EXPECT_EQ(reader_->last_read(RingKind::kSpans), 1);
}

TEST_F(ClaimTest, AMarkedClaimIsWaitedForAsLongAsItsWriterLives) {
  auto other = Must(RingWriter::Open(path_));
  ClaimAndMark(other->number());
  Record(1);
  EXPECT_EQ(Poll(), Times{});
  clock_->Advance(24h);
  EXPECT_EQ(Poll(), Times{});
  other.reset();
  EXPECT_FALSE(reader_->HasData());  // asked again after a while only
  clock_->Advance(50ms);
  EXPECT_TRUE(reader_->HasData());
  EXPECT_EQ(Poll(), Times{1});
  EXPECT_EQ(reader_->stats().revoked, 1u);
}

TEST_F(ClaimTest, ADeadWritersMarkIsGivenUpAtOnce) {
  const uint32_t dead = Must(RingWriter::Open(path_))->number();
  ClaimAndMark(dead);
  Record(1);
  EXPECT_EQ(Poll(), Times{1});
}

TEST_F(ClaimTest, FilesOfOthersAreGivenLonger) {
  view_->header().writers.store(0);
  ClaimOnly();
  Record(1);
  EXPECT_EQ(Poll(), Times{});
  clock_->Advance(9999ms);
  EXPECT_EQ(Poll(), Times{});
  clock_->Advance(1ms);
  EXPECT_EQ(Poll(), Times{1});
}

TEST_F(ClaimTest, AClaimThatADyingConsumerWasGivingUpIsGivenUp) {
  const int64_t sequence = ClaimAndMark(0);
  Spans().SlotOf(sequence)[0] = 200;  // it had not yet emptied the slot
  Record(1);
  EXPECT_EQ(Poll(), Times{1});
  EXPECT_EQ(Spans().SlotOf(sequence)[0], 0);
}

TEST_F(ClaimTest, AnEntryThatNobodyWritesHealsAfterTheLongTime) {
  Entry(ClaimOnly()) = 12345;
  Record(1);
  EXPECT_EQ(Poll(), Times{});
  clock_->Advance(9999ms);
  EXPECT_EQ(Poll(), Times{});
  clock_->Advance(1ms);
  EXPECT_EQ(Poll(), Times{1});
}

TEST_F(ClaimTest, SlotsWithBrokenLengthsArePassedOverAndCounted) {
  Record(1);
  Record(2);
  Record(3);
  Record(4);
  std::fill_n(Spans().SlotOf(0), 11, 0xff);  // no varint
  Spans().SlotOf(1)[0] = 0xff;               // 255 bytes behind a length of two: one too many
  Spans().SlotOf(1)[1] = 0x01;
  Spans().SlotOf(2)[0] = 0xfe;  // as long as it may be, and no message; Poll does not look into it
  Spans().SlotOf(2)[1] = 0x01;
  const auto batch = Must(reader_->Poll(RingKind::kSpans));
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(batch[0].bytes.size(), 254u);
  EXPECT_EQ(batch[1].sequence, 3);
  EXPECT_EQ(reader_->skipped(), 2u);
}

// Laps are counted modulo 2^32, and pass through the numbers that marks have in other laps.
TEST_F(ClaimTest, SequenceNumbersPassEveryBorder) {
  for (const int64_t lap : {int64_t{0x7ffffffe}, int64_t{0x80000000} + writer_->number() - 3, int64_t{0xfffffffe}, int64_t{1} << 40}) {
    reader_.reset();
    const int64_t begin = lap << Spans().shift;
    for (int64_t s = begin; s < begin + 16; ++s) Entry(s) = Spans().Lap(s) - 1;
    Spans().header->reader_index.store(begin - 1);
    Spans().header->writer_index.store(begin - 1);
    OpenReader();
    for (uint64_t n = 0; n < 100; n += 4) {
      Record(n);
      Record(n + 1);
      ClaimAndMark(9999);
      Record(n + 2);
      ASSERT_EQ(Poll(), (Times{n, n + 1, n + 2})) << lap << " " << n;
      reader_->Advance(RingKind::kSpans, reader_->last_read(RingKind::kSpans));
    }
  }
}

TEST_F(ClaimTest, AFullRingDropsTheNewestAndCounts) {
  for (uint64_t n = 0; n < 16; ++n) Record(n);
  for (uint64_t n = 0; n < 5; ++n) EXPECT_EQ(writer_->RecordSpanEnd(Ids(n).Key(), 99), RecordResult::kDropped);
  EXPECT_EQ(writer_->counters().dropped, 5u);
  EXPECT_EQ(reader_->stats().dropped, 5u);
  EXPECT_EQ(reader_->stats().rings[1].filled(), 16u);
  EXPECT_EQ(Poll().size(), 16u);
  EXPECT_EQ(writer_->RecordSpanEnd(Ids().Key(), 99), RecordResult::kDropped);  // read, not yet freed
  reader_->Advance(RingKind::kSpans, 0);
  Record(100);
  EXPECT_EQ(writer_->RecordSpanEnd(Ids().Key(), 99), RecordResult::kDropped);
  EXPECT_EQ(Poll(), Times{100});
}

TEST_F(ClaimTest, CountersStayAtTheirLargestValue) {
  view_->header().dropped.store(UINT32_MAX - 1);
  for (uint64_t n = 0; n < 19; ++n) (void)writer_->RecordSpanEnd(Ids(n).Key(), 99);
  EXPECT_EQ(reader_->stats().dropped, UINT32_MAX);
  std::atomic<uint32_t> counter{UINT32_MAX - 5};
  CountSaturating(counter, 3);
  EXPECT_EQ(counter.load(), UINT32_MAX - 2);
  CountSaturating(counter, 3);
  EXPECT_EQ(counter.load(), UINT32_MAX);
}

TEST_F(ClaimTest, ABlockingWriterWaitsForRoom) {
  WriterOptions options;
  options.when_full = WhenFull::kBlock;
  options.max_block_ms = 60'000;
  const auto blocking = Must(RingWriter::Open(path_, options));
  for (uint64_t n = 0; n < 16; ++n) Record(n);
  std::atomic<bool> recorded{false};
  std::thread waiting([&] {
    EXPECT_EQ(blocking->RecordSpanEnd(Ids().Key(), 99), RecordResult::kRecorded);
    recorded.store(true);
  });
  EXPECT_EQ(Poll().size(), 16u);
  EXPECT_FALSE(recorded.load());
  reader_->Advance(RingKind::kSpans, 3);
  waiting.join();
  EXPECT_EQ(Poll(), Times{99});
  EXPECT_EQ(blocking->counters().dropped, 0u);
}

TEST_F(ClaimTest, ABlockingWriterWaitsInVainOnce) {
  WriterOptions options;
  options.when_full = WhenFull::kBlock;
  options.max_block_ms = 30;
  const auto blocking = Must(RingWriter::Open(path_, options));
  for (uint64_t n = 0; n < 16; ++n) Record(n);
  const auto drop = [&] {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(blocking->RecordSpanEnd(Ids().Key(), 99), RecordResult::kDropped);
    return std::chrono::steady_clock::now() - begin;
  };
  EXPECT_GE(drop(), 30ms);
  auto all = 0ns;
  for (int i = 0; i < 1000; ++i) all += drop();
  EXPECT_LT(all, 30ms * 500);  // without waiting each time
  EXPECT_EQ(blocking->counters().dropped, 1001u);
  // The consumer lives: it is worth waiting again.
  EXPECT_EQ(Poll().size(), 16u);
  reader_->Advance(RingKind::kSpans, 0);
  EXPECT_EQ(blocking->RecordSpanEnd(Ids().Key(), 99), RecordResult::kRecorded);
  EXPECT_GE(drop(), 30ms);
}

TEST_F(ClaimTest, IndicesThatCannotBeAreErrors) {
  Record(1);
  for (const int64_t wrong : {int64_t{-2}, int64_t{17}, INT64_MAX, INT64_MIN}) {
    Spans().header->writer_index.store(wrong);
    const auto polled = reader_->Poll(RingKind::kSpans);
    ASSERT_FALSE(polled.ok()) << wrong;
    EXPECT_EQ(polled.status().code(), StatusCode::kIo);
    EXPECT_NE(polled.status().message().find(std::to_string(wrong)), std::string::npos) << polled.status().message();
    EXPECT_EQ(writer_->RecordSpanEnd(Ids().Key(), 1) == RecordResult::kInvalid, false);
  }
  Spans().header->writer_index.store(0);
  Spans().header->reader_index.store(5);  // someone else moved it
  EXPECT_FALSE(reader_->Poll(RingKind::kSpans).ok());
}

TEST_F(ClaimTest, AFileThatIsCutOrBegunAnewUnderItsReaderIsAnError) {
  Record(1);
  auto file = Must(platform::File::Open(path_, platform::File::Mode::kReadWrite));
  ASSERT_TRUE(file.WriteAt(40, std::string(8, 'x')).ok());  // another start
  auto polled = reader_->Poll(RingKind::kSpans);
  ASSERT_FALSE(polled.ok());
  EXPECT_NE(polled.status().message().find("begun anew"), std::string::npos) << polled.status().message();
  writer_.reset();
  ASSERT_TRUE(file.Truncate(3000).ok());
  EXPECT_TRUE(reader_->HasData());
  polled = reader_->Poll(RingKind::kSpans);
  ASSERT_FALSE(polled.ok());
  EXPECT_NE(polled.status().message().find("was cut to 3000 bytes"), std::string::npos) << polled.status().message();
  EXPECT_EQ(reader_->stats().rings[1].slots, 0u);
}

TEST_F(ClaimTest, WaitForDataReturnsWhenThereIsSome) {
  RingReader* const readers[] = {reader_.get()};
  EXPECT_FALSE(WaitForData(readers, 0ms));
  EXPECT_FALSE(WaitForData(readers, 5ms));
  std::thread producer([&] { Record(1); });
  EXPECT_TRUE(WaitForData(readers, 60s));
  producer.join();
  EXPECT_EQ(Poll(), Times{1});
}

// Wanted: under 1 % of a core; sanitizers take more.
TEST_F(ClaimTest, WaitingCostsNextToNothing) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  constexpr auto kMost = 50ms;
#else
  constexpr auto kMost = 5ms;
#endif
  const auto cpu = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  RingReader* const readers[] = {reader_.get()};
  const auto begin = cpu();
  EXPECT_FALSE(WaitForData(readers, 500ms));
  const auto used = cpu() - begin;
  RecordProperty("microseconds", static_cast<int>(used / 1us));
  EXPECT_LT(used, kMost);
}

}  // namespace
}  // namespace otlp_arrow::ring
