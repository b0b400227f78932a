#include "storage/journal.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "temp_dir.h"

namespace otlp_arrow {
namespace {

constexpr uint64_t kHeader = 64;  // of segments and of records

struct Kept {
  uint64_t sequence;
  Signal signal;
  int64_t items;
  int64_t rejected_items;
  std::string request;
  bool operator==(const Kept&) const = default;
};

struct Found {
  std::vector<Kept> records;
  std::vector<JournalDamage> damage;
  Status status;
};

// Reads a writer's directory as recovery does.
Found ReadAll(const std::string& dir) {
  Found found;
  const auto segments = ListJournalSegments(dir);
  EXPECT_TRUE(segments.ok());
  uint64_t expected = 0;
  for (size_t i = 0; i < segments->size() && found.status.ok(); ++i) {
    found.status = ReadJournalSegment(
        (*segments)[i], i + 1 == segments->size(), &expected,
        [&](const JournalRecord& r) {
          found.records.push_back({r.sequence, r.signal, r.items, r.rejected_items, std::string(r.request)});
          return Status::Ok();
        },
        &found.damage);
  }
  return found;
}

std::vector<uint64_t> Sequences(const Found& found) {
  std::vector<uint64_t> sequences;
  for (const Kept& record : found.records) sequences.push_back(record.sequence);
  return sequences;
}

std::vector<uint64_t> Range(uint64_t first, uint64_t last) {
  std::vector<uint64_t> numbers;
  for (; first <= last; ++first) numbers.push_back(first);
  return numbers;
}

void Overwrite(const std::string& path, uint64_t at, const std::string& bytes) {
  auto file = platform::File::Open(path, platform::File::Mode::kReadWrite);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->WriteAt(at, bytes).ok());
}

class JournalTest : public ::testing::Test {
 protected:
  std::unique_ptr<Journal> Create(JournalOptions options = {}) {
    options.disk_reserve_bytes = 0;
    auto journal = Journal::Create(dir_.path(), options);
    EXPECT_TRUE(journal.ok()) << journal.status().ToString();
    return *std::move(journal);
  }
  // A segment for three records of 100 bytes.
  static JournalOptions SmallSegments() {
    JournalOptions options;
    options.segment_bytes = kHeader + 3 * kSmallRecord;
    return options;
  }
  static constexpr uint64_t kSmallRecord = kHeader + 104;

  uint64_t Append(Journal& journal, Signal signal, const std::string& request, int64_t items = 1, int64_t rejected = 0) {
    auto sequence = journal.Append(signal, request, items, rejected);
    EXPECT_TRUE(sequence.ok()) << sequence.status().ToString();
    if (!sequence.ok()) return 0;
    appended_.push_back({*sequence, signal, items, rejected, request});
    return *sequence;
  }
  void AppendSmall(Journal& journal, int count, Signal signal = Signal::kTraces) {
    for (int i = 0; i < count; ++i) Append(journal, signal, std::string(100, static_cast<char>('a' + i % 26)));
  }
  std::string SegmentPath(int number) const {
    char name[32];
    std::snprintf(name, sizeof(name), "%010d.journal", number);
    return dir_ / name;
  }
  size_t SegmentFiles() const { return ListJournalSegments(dir_.path())->size(); }

  testing::TempDir dir_;
  std::vector<Kept> appended_;
};

TEST_F(JournalTest, ReadsBackWhatWasAppended) {
  auto journal = Create();
  EXPECT_EQ(journal->last_sequence(), 0u);
  std::mt19937 random(3);
  for (size_t size : {0, 1, 7, 8, 9, 63, 64, 65, 4096, 100'000}) {
    std::string request(size, 0);
    for (char& c : request) c = static_cast<char>(random());
    const auto n = static_cast<int64_t>(size);
    const uint64_t sequence = Append(*journal, static_cast<Signal>(size % 3), request, n, n % 5);
    EXPECT_EQ(sequence, appended_.size());
  }
  EXPECT_EQ(journal->last_sequence(), appended_.size());
  const Found found = ReadAll(dir_.path());
  EXPECT_TRUE(found.status.ok());
  EXPECT_EQ(found.records, appended_);
  EXPECT_TRUE(found.damage.empty());
}

TEST_F(JournalTest, SegmentsRollWhenTheyAreFull) {
  auto journal = Create(SmallSegments());
  AppendSmall(*journal, 3);
  EXPECT_EQ(SegmentFiles(), 1u);
  AppendSmall(*journal, 1);
  EXPECT_EQ(SegmentFiles(), 2u);
  AppendSmall(*journal, 6);
  EXPECT_EQ(SegmentFiles(), 4u);
  EXPECT_EQ(journal->bytes_in_use(), 4 * kHeader + 10 * kSmallRecord);
  const Found found = ReadAll(dir_.path());
  EXPECT_EQ(found.records, appended_);
  EXPECT_TRUE(found.damage.empty());
}

TEST_F(JournalTest, ARequestLargerThanASegmentGetsOneToItself) {
  auto journal = Create(SmallSegments());
  AppendSmall(*journal, 1);
  Append(*journal, Signal::kLogs, std::string(5000, 'x'));
  AppendSmall(*journal, 1);
  EXPECT_EQ(SegmentFiles(), 3u);
  EXPECT_EQ(ReadAll(dir_.path()).records, appended_);
}

TEST_F(JournalTest, ReleasedSegmentsAreUsedAgainAndTheirFormerRecordsNeverRead) {
  auto journal = Create(SmallSegments());
  AppendSmall(*journal, 7, Signal::kLogs);  // segments 1, 2, 3
  journal->Release({0, 0, 6});
  EXPECT_EQ(journal->bytes_in_use(), kHeader + kSmallRecord);
  EXPECT_EQ(SegmentFiles(), 3u);
  AppendSmall(*journal, 3, Signal::kLogs);  // 8, 9 fill segment 3; 10 stands in a former segment
  EXPECT_EQ(SegmentFiles(), 3u);
  EXPECT_EQ(std::filesystem::file_size(SegmentPath(4)), kHeader + 3 * kSmallRecord) << "used again, not made anew";

  const Found found = ReadAll(dir_.path());
  EXPECT_TRUE(found.damage.empty()) << found.damage[0].path << ": " << found.damage[0].what;
  // What is stored may come again (the reader knows better), but each once, in order, and nothing after the last.
  const auto sequences = Sequences(found);
  ASSERT_GE(sequences.size(), 4u);
  EXPECT_EQ(sequences, Range(sequences[0], 10));
  for (const Kept& record : found.records) EXPECT_EQ(record, appended_[record.sequence - 1]);
}

TEST_F(JournalTest, AnyPatternOfUseAndReleaseReadsWithoutGaps) {
  auto journal = Create(SmallSegments());
  std::mt19937 random(11);
  StoredSequences stored{};
  for (int round = 0; round < 60; ++round) {
    AppendSmall(*journal, static_cast<int>(random() % 8), static_cast<Signal>(random() % 3));
    if (random() % 2) {
      const auto s = random() % 3;
      for (const Kept& record : appended_) {
        if (record.signal == static_cast<Signal>(s) && random() % 4) stored[s] = std::max(stored[s], record.sequence);
      }
      journal->Release(stored);
    }
    const Found found = ReadAll(dir_.path());
    ASSERT_TRUE(found.damage.empty()) << "round " << round << ": " << found.damage[0].path << ": " << found.damage[0].what;
    std::map<uint64_t, Kept> by_sequence;
    for (const Kept& record : found.records) EXPECT_TRUE(by_sequence.emplace(record.sequence, record).second);
    for (const Kept& record : appended_) {
      if (record.sequence <= stored[static_cast<size_t>(record.signal)]) continue;
      ASSERT_TRUE(by_sequence.count(record.sequence)) << "round " << round << ", record " << record.sequence;
      EXPECT_EQ(by_sequence.at(record.sequence), record);
    }
  }
}

TEST_F(JournalTest, KeepsOnlyAFewFreeSegments) {
  auto journal = Create(SmallSegments());
  AppendSmall(*journal, 60, Signal::kLogs);
  EXPECT_EQ(SegmentFiles(), 20u);
  journal->Release({0, 0, 60});
  EXPECT_EQ(SegmentFiles(), 5u);  // four, and the one that is written to
  EXPECT_TRUE(ReadAll(dir_.path()).damage.empty());
}

TEST_F(JournalTest, ReleaseWaitsForEverySignal) {
  auto journal = Create(SmallSegments());
  AppendSmall(*journal, 2, Signal::kLogs);
  AppendSmall(*journal, 1, Signal::kMetrics);  // 3, in the first segment
  AppendSmall(*journal, 3, Signal::kLogs);
  const uint64_t all = journal->bytes_in_use();
  journal->Release({0, 0, 6});
  EXPECT_EQ(journal->bytes_in_use(), all);
  journal->Release({0, 3, 6});
  EXPECT_EQ(journal->bytes_in_use(), kHeader + 3 * kSmallRecord);
}

TEST_F(JournalTest, TheSegmentBeingWrittenIsReplacedWhenItIsWorthIt) {
  auto journal = Create();
  Append(*journal, Signal::kLogs, std::string(300 << 10, 'x'));
  journal->Release({0, 0, 1});
  EXPECT_EQ(journal->bytes_in_use(), kHeader);
  AppendSmall(*journal, 1);
  journal->Release({2, 0, 1});
  EXPECT_EQ(journal->bytes_in_use(), kHeader + kSmallRecord);  // not worth it
  const Found found = ReadAll(dir_.path());
  EXPECT_EQ(found.records, appended_);
  EXPECT_TRUE(found.damage.empty());
}

TEST_F(JournalTest, ATornTailIsNoDamage) {
  auto journal = Create();
  AppendSmall(*journal, 3);
  journal.reset();
  const uint64_t second_end = kHeader + 2 * kSmallRecord;
  const std::string whole = *platform::ReadFile(SegmentPath(1));
  for (uint64_t size = second_end + 1; size < second_end + kHeader + 100; ++size) {
    std::filesystem::resize_file(SegmentPath(1), size);
    const Found found = ReadAll(dir_.path());
    EXPECT_EQ(Sequences(found), Range(1, 2)) << size;
    EXPECT_TRUE(found.damage.empty()) << size;
    ASSERT_TRUE(platform::ReplaceFile(SegmentPath(1), whole, false).ok());
  }
  // Only the padding is missing: the request is whole.
  std::filesystem::resize_file(SegmentPath(1), second_end + kHeader + 100);
  EXPECT_EQ(Sequences(ReadAll(dir_.path())), Range(1, 3));
}

TEST_F(JournalTest, DamageInTheMiddleIsSkippedAndReported) {
  auto journal = Create();
  AppendSmall(*journal, 5);
  journal.reset();
  const std::string whole = *platform::ReadFile(SegmentPath(1));
  const uint64_t second = kHeader + kSmallRecord;
  for (uint64_t at = second; at < second + kHeader + 100; ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    ASSERT_TRUE(platform::ReplaceFile(SegmentPath(1), damaged, false).ok());
    const Found found = ReadAll(dir_.path());
    ASSERT_EQ(Sequences(found), (std::vector<uint64_t>{1, 3, 4, 5})) << "byte " << at;
    ASSERT_EQ(found.damage.size(), 2u) << "byte " << at;
    EXPECT_EQ(found.damage[0].path, SegmentPath(1));
    EXPECT_EQ(found.damage[0].what, "bytes " + std::to_string(second) + " to " + std::to_string(second + kSmallRecord) + " are damaged");
    EXPECT_EQ(found.damage[1].what, "records 2 to 2 are missing");
  }
}

TEST_F(JournalTest, AMissingSegmentIsReported) {
  auto journal = Create(SmallSegments());
  AppendSmall(*journal, 9);
  journal.reset();
  std::filesystem::remove(SegmentPath(2));
  const Found found = ReadAll(dir_.path());
  EXPECT_EQ(Sequences(found), (std::vector<uint64_t>{1, 2, 3, 7, 8, 9}));
  ASSERT_EQ(found.damage.size(), 1u);
  EXPECT_EQ(found.damage[0].path, SegmentPath(2));
  EXPECT_EQ(found.damage[0].what, "records 4 to 6 are missing");
}

TEST_F(JournalTest, TheTornEndOfAnOlderSegmentIsReported) {
  auto journal = Create(SmallSegments());
  AppendSmall(*journal, 5);
  journal.reset();
  std::filesystem::resize_file(SegmentPath(1), kHeader + 2 * kSmallRecord + 30);
  const Found found = ReadAll(dir_.path());
  EXPECT_EQ(Sequences(found), (std::vector<uint64_t>{1, 2, 4, 5}));
  ASSERT_EQ(found.damage.size(), 1u);
  EXPECT_EQ(found.damage[0].path, SegmentPath(1));
  EXPECT_EQ(found.damage[0].what, "records 3 to 3 are missing");
}

TEST_F(JournalTest, ATruncatedHeaderIsDamageUnlessItIsTheNewest) {
  auto journal = Create(SmallSegments());
  AppendSmall(*journal, 4);
  journal.reset();
  for (uint64_t size : {0u, 1u, 63u}) {
    std::filesystem::resize_file(SegmentPath(2), size);
    EXPECT_EQ(Sequences(ReadAll(dir_.path())), Range(1, 3));
    EXPECT_TRUE(ReadAll(dir_.path()).damage.empty()) << size;
  }
  std::filesystem::resize_file(SegmentPath(1), 63);
  const Found found = ReadAll(dir_.path());
  EXPECT_TRUE(found.records.empty());
  ASSERT_EQ(found.damage.size(), 1u);
  EXPECT_EQ(found.damage[0].what, "the file has only 63 bytes");
}

TEST_F(JournalTest, ADamagedSegmentHeaderIsReportedAndItsRecordsRead) {
  auto journal = Create(SmallSegments());
  AppendSmall(*journal, 4);
  journal.reset();
  Overwrite(SegmentPath(1), 16, "\xff");
  const Found found = ReadAll(dir_.path());
  EXPECT_EQ(found.records, appended_);
  ASSERT_EQ(found.damage.size(), 1u);
  EXPECT_EQ(found.damage[0].what, "its header is damaged");
}

TEST_F(JournalTest, ASegmentUnderAnotherNumberHoldsNothing) {
  auto journal = Create();
  AppendSmall(*journal, 2);
  journal.reset();
  std::filesystem::rename(SegmentPath(1), SegmentPath(7));
  EXPECT_TRUE(ReadAll(dir_.path()).records.empty());
}

TEST_F(JournalTest, AnyBytesAreReadWithoutFault) {
  std::mt19937 random(17);
  auto journal = Create();
  AppendSmall(*journal, 6);
  journal.reset();
  const std::string whole = *platform::ReadFile(SegmentPath(1));
  for (int i = 0; i < 300; ++i) {
    std::string damaged = whole.substr(0, random() % (whole.size() + 1));
    for (int hits = static_cast<int>(random() % 10); hits > 0 && !damaged.empty(); --hits) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    ASSERT_TRUE(platform::ReplaceFile(SegmentPath(1), damaged, false).ok());
    for (const Kept& record : ReadAll(dir_.path()).records) EXPECT_EQ(record, appended_[record.sequence - 1]);
  }
}

TEST_F(JournalTest, AnErrorOfTheHandlerEndsTheReading) {
  auto journal = Create();
  AppendSmall(*journal, 3);
  int calls = 0;
  uint64_t expected = 0;
  std::vector<JournalDamage> damage;
  const Status status = ReadJournalSegment(
      SegmentPath(1), true, &expected, [&](const JournalRecord&) { return ++calls == 2 ? Status::Io("full") : Status::Ok(); }, &damage);
  EXPECT_EQ(status.message(), "full");
  EXPECT_EQ(calls, 2);
  EXPECT_FALSE(ReadJournalSegment(SegmentPath(9), true, &expected, [](const JournalRecord&) { return Status::Ok(); }, &damage).ok());
}

TEST_F(JournalTest, RefusesMoreThanItsLimitUntilSomethingIsReleased) {
  JournalOptions options = SmallSegments();
  options.max_bytes = 2 * (kHeader + 3 * kSmallRecord);
  auto journal = Create(options);
  AppendSmall(*journal, 6);
  const auto refused = journal->Append(Signal::kTraces, std::string(100, 'x'), 1, 0);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), StatusCode::kExport);
  EXPECT_TRUE(refused.status().retryable());
  EXPECT_NE(refused.status().message().find("journal_max_bytes"), std::string::npos);
  EXPECT_EQ(journal->last_sequence(), 6u);
  journal->Release({3, 0, 0});
  AppendSmall(*journal, 3);
  EXPECT_EQ(journal->last_sequence(), 9u);
}

TEST_F(JournalTest, RefusesWhereTheDiskHasNoRoomForItsContent) {
  JournalOptions options;
  options.disk_reserve_bytes = 1ull << 60;
  auto journal = Journal::Create(dir_.path(), options);
  ASSERT_TRUE(journal.ok());
  const auto refused = (*journal)->Append(Signal::kTraces, "request", 1, 0);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), StatusCode::kIo);
  EXPECT_TRUE(refused.status().retryable());
  EXPECT_NE(refused.status().message().find("no space"), std::string::npos) << refused.status().message();
  EXPECT_EQ((*journal)->last_sequence(), 0u);
  EXPECT_EQ((*journal)->Probe().code(), StatusCode::kIo);
}

TEST_F(JournalTest, ProbeSaysThatThereIsRoom) {
  auto journal = Create();
  EXPECT_TRUE(journal->Probe().ok());
}

TEST_F(JournalTest, CreateFailsWithoutItsDirectory) {
  const auto journal = Journal::Create(dir_ / "missing");
  ASSERT_FALSE(journal.ok());
  EXPECT_EQ(journal.status().code(), StatusCode::kIo);
}

TEST_F(JournalTest, ReadsARangeOfOneSignal) {
  auto journal = Create(SmallSegments());
  for (int i = 0; i < 12; ++i) AppendSmall(*journal, 1, i % 2 ? Signal::kLogs : Signal::kTraces);  // logs: 2, 4, … 12
  std::vector<uint64_t> sequences;
  auto read = [&](uint64_t first, uint64_t last) {
    sequences.clear();
    return ReadJournalRange(journal->PartsFrom(Signal::kLogs, first), Signal::kLogs, first, last, [&](const JournalRecord& record) {
      EXPECT_EQ(record.request, appended_[record.sequence - 1].request);
      sequences.push_back(record.sequence);
      return Status::Ok();
    });
  };
  ASSERT_TRUE(read(3, 10).ok());
  EXPECT_EQ(sequences, (std::vector<uint64_t>{4, 6, 8, 10}));
  ASSERT_TRUE(read(1, 100).ok());
  EXPECT_EQ(sequences, (std::vector<uint64_t>{2, 4, 6, 8, 10, 12}));
  ASSERT_TRUE(read(5, 5).ok());
  EXPECT_TRUE(sequences.empty());
  journal->Release({11, 0, 6});
  ASSERT_TRUE(read(7, 12).ok());
  EXPECT_EQ(sequences, (std::vector<uint64_t>{8, 10, 12}));

  Overwrite(SegmentPath(3), kHeader + 8, "\xff\xff");
  const Status damaged = read(7, 12);
  EXPECT_EQ(damaged.code(), StatusCode::kIo);
  EXPECT_NE(damaged.message().find("damaged while in use"), std::string::npos) << damaged.message();
}

TEST_F(JournalTest, ARangeIsReadAsItWasWhateverIsAppendedMeanwhile) {
  auto journal = Create();
  AppendSmall(*journal, 3);
  const auto parts = journal->PartsFrom(Signal::kTraces, 2);
  AppendSmall(*journal, 3);
  Overwrite(SegmentPath(1), kHeader + 4 * kSmallRecord, "half of a record is written");
  std::vector<uint64_t> sequences;
  auto keep = [&](const JournalRecord& record) { return sequences.push_back(record.sequence), Status::Ok(); };
  ASSERT_TRUE(ReadJournalRange(parts, Signal::kTraces, 2, 3, keep).ok());
  EXPECT_EQ(sequences, Range(2, 3));
  EXPECT_TRUE(journal->PartsFrom(Signal::kTraces, 7).empty());
  EXPECT_TRUE(journal->PartsFrom(Signal::kLogs, 1).empty());
}

TEST_F(JournalTest, TakeUnsyncedNamesEachFileOncePerChange) {
  JournalOptions options = SmallSegments();
  options.sync_new_segments = true;
  auto journal = Create(options);
  AppendSmall(*journal, 4);
  auto files = journal->TakeUnsynced();
  ASSERT_EQ(files.size(), 2u);
  for (const auto& file : files) EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(journal->TakeUnsynced().empty());
  AppendSmall(*journal, 1);
  EXPECT_EQ(journal->TakeUnsynced().size(), 1u);
}

TEST_F(JournalTest, ListsOnlySegments) {
  auto journal = Create();
  for (const char* name : {"lock", "traces.tmp", "x.journal", "00000 1.journal", "0000000002.journal.tmp"}) {
    ASSERT_TRUE(platform::ReplaceFile(dir_ / name, "", false).ok());
  }
  EXPECT_EQ(*ListJournalSegments(dir_.path()), std::vector<std::string>{SegmentPath(1)});
}

// --- reading along, and holding what is not forwarded ---

std::vector<uint64_t> SequencesOf(const JournalBatch& batch) {
  std::vector<uint64_t> sequences;
  for (const auto& record : batch.records) sequences.push_back(record.sequence);
  return sequences;
}

TEST_F(JournalTest, AReaderGoesAlongWithOneSignal) {
  auto journal = Create(SmallSegments());
  for (int i = 0; i < 8; ++i) Append(*journal, i % 2 ? Signal::kLogs : Signal::kTraces, std::string(100, static_cast<char>('a' + i)), i);
  JournalCursor cursor;
  auto batch = ReadJournalBatch(journal->SegmentsFrom(0), Signal::kTraces, {}, &cursor);
  ASSERT_TRUE(batch.ok()) << batch.status().ToString();
  EXPECT_EQ(SequencesOf(*batch), (std::vector<uint64_t>{1, 3, 5, 7}));
  EXPECT_EQ(batch->RequestOf(batch->records[1]), std::string(100, 'c'));
  EXPECT_EQ(batch->records[2].items, 4);
  EXPECT_EQ(batch->damaged_bytes, 0u);

  auto nothing = ReadJournalBatch(journal->SegmentsFrom(cursor.segment), Signal::kTraces, {}, &cursor);
  ASSERT_TRUE(nothing.ok());
  EXPECT_TRUE(nothing->empty());
  Append(*journal, Signal::kTraces, "next");
  auto next = ReadJournalBatch(journal->SegmentsFrom(cursor.segment), Signal::kTraces, {}, &cursor);
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(SequencesOf(*next), (std::vector<uint64_t>{9}));
}

TEST_F(JournalTest, ABatchKeepsWithinItsLimits) {
  auto journal = Create();
  for (const size_t size : {100, 100, 5000, 100}) Append(*journal, Signal::kTraces, std::string(size, 'x'));
  Append(*journal, Signal::kTraces, "with rejected items", 3, 2);
  Append(*journal, Signal::kTraces, "last");
  JournalCursor cursor;
  const JournalBatchLimits limits{.bytes = 250};
  std::vector<std::vector<uint64_t>> batches;
  for (;;) {
    auto batch = ReadJournalBatch(journal->SegmentsFrom(0), Signal::kTraces, limits, &cursor);
    ASSERT_TRUE(batch.ok());
    if (batch->empty()) break;
    batches.push_back(SequencesOf(*batch));
  }
  EXPECT_EQ(batches, (std::vector<std::vector<uint64_t>>{{1, 2}, {3}, {4}, {5}, {6}}));
}

TEST_F(JournalTest, AReaderPassesDamageOver) {
  auto journal = Create();
  for (const char* text : {"first", "second", "third"}) Append(*journal, Signal::kLogs, text);
  Overwrite(dir_.path() + "/0000000001.journal", kHeader + 64 + 8 + 20, "damage");  // in the second record's header
  JournalCursor cursor;
  auto batch = ReadJournalBatch(journal->SegmentsFrom(0), Signal::kLogs, {}, &cursor);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(SequencesOf(*batch), (std::vector<uint64_t>{1, 3}));
  EXPECT_GT(batch->damaged_bytes, 0u);
}

TEST_F(JournalTest, SegmentsAreHeldUntilTheirRecordsAreForwarded) {
  auto journal = Create(SmallSegments());
  journal->SetForwarded({0, 0, 0});
  for (int i = 0; i < 7; ++i) Append(*journal, Signal::kTraces, std::string(100, 'x'));
  const uint64_t in_use = journal->bytes_in_use();
  journal->Release({7, 0, 0});
  EXPECT_EQ(journal->SegmentsFrom(0).size(), 3u);
  EXPECT_LT(journal->bytes_in_use(), in_use);  // what is only held does not keep new requests out
  EXPECT_GT(journal->bytes_held(), 0u);
  journal->SetForwarded({3, 0, 0});
  EXPECT_EQ(journal->SegmentsFrom(0).size(), 2u);
  journal->SetForwarded({7, 0, 0});
  EXPECT_EQ(journal->SegmentsFrom(0).size(), 1u);
  EXPECT_EQ(journal->bytes_held(), 0u);
}

TEST_F(JournalTest, AReaderOfAnyUseSeesEachRecordOnceAsItWas) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::filesystem::remove_all(dir_.path());
    std::filesystem::create_directories(dir_.path());
    appended_.clear();
    auto journal = Create(SmallSegments());
    journal->SetForwarded({0, 0, 0});
    JournalCursor cursor;
    StoredSequences forwarded{};
    std::vector<std::string> seen;
    for (int step = 0; step < 300; ++step) {
      if (random() % 3) {
        Append(*journal, Signal::kLogs, std::string(random() % 200, static_cast<char>('a' + random() % 26)));
      } else if (random() % 2) {
        journal->Release({0, 0, journal->last_sequence()});
      } else {
        auto batch = ReadJournalBatch(journal->SegmentsFrom(cursor.segment), Signal::kLogs, {.bytes = 300}, &cursor);
        ASSERT_TRUE(batch.ok());
        EXPECT_EQ(batch->damaged_bytes, 0u);
        for (const auto& record : batch->records) {
          seen.emplace_back(batch->RequestOf(record));
          forwarded[static_cast<size_t>(Signal::kLogs)] = record.sequence;
        }
        journal->SetForwarded(forwarded);
      }
    }
    ASSERT_LE(seen.size(), appended_.size());
    EXPECT_GT(seen.size(), 20u);
    for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], appended_[i].request);
  }
}

// --- what is only held to be forwarded ---

std::string Padding() { return std::string(3000, 'x'); }

TEST(HeldJournal, TellsWhatIsHeldAndWhatMayGo) {
  testing::TempDir dir;
  auto journal = *Journal::Create(dir.path(), {.segment_bytes = 4096});
  journal->SetForwarded({});
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(journal->Append(Signal::kTraces, Padding(), 1, 0).ok());
  const uint64_t all = journal->bytes_in_use();
  EXPECT_EQ(journal->bytes_held(), 0u);
  journal->Release({3, 0, 0});
  ASSERT_EQ(journal->HeldSegments().size(), 3u);
  EXPECT_EQ(journal->HeldSegments()[0].number, 1u);
  EXPECT_EQ(journal->bytes_held(), 3 * journal->HeldSegments()[0].size);
  EXPECT_EQ(journal->bytes_in_use() + journal->bytes_held(), all);
  EXPECT_FALSE(journal->WouldRelease({0, 9, 9}));
  EXPECT_TRUE(journal->WouldRelease({1, 0, 0}));
  journal->SetForwarded({2, 0, 0});
  EXPECT_EQ(journal->HeldSegments().size(), 1u);
  EXPECT_EQ(journal->SegmentsFrom(0).size(), 2u);
}

TEST(HeldJournal, TheLimitIsOfWhatIsNotStoredAlone) {
  testing::TempDir dir;
  auto journal = *Journal::Create(dir.path(), {.segment_bytes = 16384, .max_bytes = 16384});
  journal->SetForwarded({});
  for (uint64_t i = 1; i <= 50; ++i) {
    const auto sequence = journal->Append(Signal::kTraces, Padding(), 1, 0);
    ASSERT_TRUE(sequence.ok()) << i << ": " << sequence.status().ToString();
    journal->Release({i, 0, 0});
  }
  EXPECT_GT(journal->bytes_held(), 2u * 16384);
}

TEST(HeldJournal, AFileThatSomebodyReadsIsNotUsedAgain) {
  testing::TempDir dir;
  auto journal = *Journal::Create(dir.path(), {.segment_bytes = 4096});
  journal->SetForwarded({});
  ASSERT_TRUE(journal->Append(Signal::kTraces, Padding() + "first", 1, 0).ok());
  const std::vector<JournalSegment> reading = journal->SegmentsFrom(0);
  journal->SetForwarded({UINT64_MAX, 0, 0});
  for (uint64_t i = 2; i < 12; ++i) {
    ASSERT_TRUE(journal->Append(Signal::kTraces, Padding(), 1, 0).ok());
    journal->Release({i, 0, 0});
  }
  JournalCursor cursor;
  const auto batch = ReadJournalBatch(reading, Signal::kTraces, {}, &cursor);
  ASSERT_TRUE(batch.ok() && batch->records.size() == 1u);
  EXPECT_EQ(batch->requests, Padding() + "first");
  EXPECT_EQ(batch->damaged_bytes, 0u);
}

TEST(JournalSummary, TellsWhatASegmentHoldsAndWhereItEnds) {
  testing::TempDir dir;
  auto journal = *Journal::Create(dir.path());
  ASSERT_TRUE(journal->Append(Signal::kTraces, std::string(100'000, 'x'), 5, 1).ok());
  ASSERT_TRUE(journal->Append(Signal::kLogs, "abc", 7, 0).ok());
  ASSERT_TRUE(journal->Append(Signal::kTraces, "", 0, 0).ok());
  ASSERT_TRUE(journal->Append(Signal::kTraces, "last", 2, 0).ok());
  const uint64_t size = journal->SegmentsFrom(0)[0].size;
  const std::string path = (*ListJournalSegments(dir.path()))[0];
  std::ofstream(path, std::ios::app) << std::string(1000, 'y');  // a torn end
  const auto all = SummarizeJournalSegment(path);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->number, 1u);
  EXPECT_EQ(all->size, size);
  EXPECT_EQ(all->last, (StoredSequences{4, 0, 2}));
  EXPECT_EQ(all->items, (std::array<int64_t, kSignalCount>{7, 0, 7}));
  EXPECT_EQ(all->bytes, (std::array<uint64_t, kSignalCount>{100'004, 0, 3}));
  EXPECT_GT(all->first_time, 0);
  const auto later = SummarizeJournalSegment(path, 2);
  EXPECT_EQ(later->items, (std::array<int64_t, kSignalCount>{2, 0, 0}));
  EXPECT_EQ(later->last, (StoredSequences{4, 0, 2}));
  EXPECT_FALSE(SummarizeJournalSegment(dir / "0000000009.journal").ok());
}

TEST(JournalSummary, SegmentsThatEndBeforeWhatIsNotStoredAreLeftOut) {
  testing::TempDir dir;
  auto journal = *Journal::Create(dir.path(), {.segment_bytes = 4096});
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(journal->Append(Signal::kTraces, Padding(), 1, 0).ok());
  const auto paths = *ListJournalSegments(dir.path());
  ASSERT_EQ(paths.size(), 4u);
  for (uint64_t stored = 0; stored < 6; ++stored) {
    // The newest may be written to, and stays.
    EXPECT_EQ(WithoutStoredSegments(paths, stored).size(), 4 - std::min<uint64_t>(stored, 3)) << stored;
  }
  std::ofstream(paths[2]) << "damaged";
  EXPECT_EQ(WithoutStoredSegments(paths, 3).size(), 3u) << "what cannot be told is read";
}

}  // namespace
}  // namespace otlp_arrow
