// Several threads and processes on one file: nothing lost, nothing twice, nothing torn, whoever dies when.
// OTLP_ARROW_LONG_TESTS=1 runs the long rounds.
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <set>
#include <thread>

#include <xxhash.h>

#include "base/platform/platform.h"
#include "child_process.h"
#include "ring/claim.h"
#include "ring/ring_testing.h"
#include "temp_dir.h"

namespace otlp_arrow::ring {
namespace {

using namespace otlp_arrow::ring::testing;  // NOLINT
using otlp_arrow::testing::ChildProcess;
using otlp_arrow::testing::Pipe;
using otlp_arrow::testing::TempDir;

int Rounds(int usual, int long_ones) { return std::getenv("OTLP_ARROW_LONG_TESTS") ? long_ones : usual; }

// A log record that can be told to be whole: text of some length, its producer and number, and the hash of all that.
struct Numbered {
  uint64_t producer = 0;
  uint64_t number = 0;
};

std::string TextOf(const Numbered& n) {
  return std::string((n.number * 7 + n.producer) % 120, static_cast<char>('a' + (n.number + n.producer) % 26));
}

RecordResult RecordNumbered(RingWriter* writer, const Numbered& n) {
  const std::string text = TextOf(n);
  const Attribute attributes[] = {{0, static_cast<int64_t>(n.producer)}, {0, static_cast<int64_t>(XXH3_64bits_withSeed(text.data(), text.size(), n.number))}};
  Event event;
  event.time_unix_nano = n.number;
  event.body = text;
  event.attributes = attributes;
  return writer->RecordEvent(event);
}

// False where the record is torn.
bool ReadNumbered(std::string_view bytes, Numbered* n) {
  const auto event = ReadEvent(bytes);
  if (!event || !event->body) return false;
  std::vector<int64_t> integers;
  for (std::string_view attribute : event->attributes) integers.push_back(ReadAttribute(attribute).value.integer);
  if (integers.size() != 2) return false;
  n->producer = static_cast<uint64_t>(integers[0]);
  n->number = event->time_unix_nano;
  const std::string_view text = event->body->bytes;
  return text == TextOf(*n) && static_cast<uint64_t>(integers[1]) == XXH3_64bits_withSeed(text.data(), text.size(), n->number);
}

// Takes the numbers of each producer, which must rise without gaps.
class Checker {
 public:
  explicit Checker(bool gaps_allowed = false) : gaps_allowed_(gaps_allowed) {}
  void Take(std::span<const RecordView> batch) {
    for (const RecordView& record : batch) {
      Numbered n;
      if (!ReadNumbered(record.bytes, &n)) {
        ++torn;
        continue;
      }
      auto [next, is_new] = next_.try_emplace(n.producer, 0);
      if (gaps_allowed_ ? n.number < next->second : n.number != next->second) ++wrong;
      next->second = n.number + 1;
      ++taken;
    }
  }
  uint64_t TakenOf(uint64_t producer) const {
    const auto found = next_.find(producer);
    return found == next_.end() ? 0 : found->second;
  }
  uint64_t taken = 0, torn = 0, wrong = 0;

 private:
  bool gaps_allowed_;
  std::map<uint64_t, uint64_t> next_;
};

void PollInto(RingReader* reader, Checker* checker, size_t most = 1024) {
  checker->Take(Must(reader->Poll(RingKind::kEvents, most)));
  reader->Advance(RingKind::kEvents, reader->last_read(RingKind::kEvents));
}

WriterOptions Blocking() {
  WriterOptions options = SmallFile();
  options.events = {64, 256};
  options.when_full = WhenFull::kBlock;
  options.max_block_ms = 60'000;
  return options;
}

TEST(RingThreads, RecordsOfAllThreadsArriveWholeAndInOrder) {
  TempDir dir;
  constexpr uint64_t kThreads = 4;
  const uint64_t each = static_cast<uint64_t>(Rounds(20'000, 1'000'000));
  const auto writer = Must(RingWriter::Open(dir / "ring", Blocking()));
  const auto reader = Must(RingReader::Open(dir / "ring"));
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < each; ++i) EXPECT_EQ(RecordNumbered(writer.get(), {t, i}), RecordResult::kRecorded);
    });
  }
  Checker checker;
  RingReader* const readers[] = {reader.get()};
  while (checker.taken + checker.torn < kThreads * each && WaitForData(readers, std::chrono::seconds(30))) PollInto(reader.get(), &checker);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(checker.taken, kThreads * each);
  EXPECT_EQ(checker.torn, 0u);
  EXPECT_EQ(checker.wrong, 0u);
  EXPECT_EQ(reader->stats().dropped, 0u);
  EXPECT_EQ(reader->stats().revoked, 0u);
}

// Writers and consumer on the same addresses, where ThreadSanitizer sees every access of both.
TEST(RingThreads, TheProtocolOrdersAllAccesses) {
  constexpr size_t kSlots = 8, kSlotBytes = 24;
  RingHeader header{kSlots, kSlotBytes, -1, -1};
  std::vector<Availability> availability(kSlots);
  for (Availability& entry : availability) entry.store(UINT32_MAX);
  std::vector<uint8_t> slots(kSlots * kSlotBytes);
  const RingPlace ring = {&header, availability.data(), slots.data(), kSlots, kSlotBytes, 3};
  constexpr uint64_t kEach = 5000;
  std::atomic<uint64_t> reclaimed{0};
  const auto write = [&](uint32_t writer) {
    for (uint64_t i = 0; i < kEach; ++i) {
      Claim claim;
      while (!(claim = ClaimSlot(ring, writer, &reclaimed)).slot) std::this_thread::yield();
      const uint64_t words[] = {writer, i, writer ^ (i * 7)};
      std::memcpy(claim.slot, words, sizeof(words));
      PublishSlot(ring, claim);
    }
  };
  std::thread first(write, 1), second(write, 2);
  uint64_t next[3] = {};
  for (int64_t sequence = 0; sequence < static_cast<int64_t>(2 * kEach); ++sequence) {
    while (StateOf(ring.AvailabilityOf(sequence).load(std::memory_order_acquire), ring.Lap(sequence)) != SlotState::kPublished) std::this_thread::yield();
    uint64_t words[3];
    std::memcpy(words, ring.SlotOf(sequence), sizeof(words));
    ASSERT_TRUE(words[0] == 1 || words[0] == 2);
    EXPECT_EQ(words[1], next[words[0]]++);
    EXPECT_EQ(words[2], words[0] ^ (words[1] * 7));
    header.reader_index.store(sequence, std::memory_order_release);
  }
  first.join();
  second.join();
  EXPECT_EQ(reclaimed.load(), 0u);
}

TEST(RingThreads, DroppingWritersLoseOnlyWhatTheyCounted) {
  TempDir dir;
  WriterOptions options = Blocking();
  options.when_full = WhenFull::kDropNewest;
  const auto writer = Must(RingWriter::Open(dir / "ring", options));
  const auto reader = Must(RingReader::Open(dir / "ring"));
  std::atomic<int> running{3};
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 20'000; ++i) (void)RecordNumbered(writer.get(), {t, i});
      running.fetch_sub(1);
    });
  }
  Checker checker(true);
  while (running.load() > 0 || reader->HasData()) PollInto(reader.get(), &checker, 10);
  for (std::thread& thread : threads) thread.join();
  PollInto(reader.get(), &checker);
  EXPECT_EQ(checker.taken + writer->counters().dropped, 60'000u);
  EXPECT_EQ(reader->stats().dropped, writer->counters().dropped);
  EXPECT_EQ(checker.torn + checker.wrong, 0u);
}

TEST(RingThreads, EqualNamesOfAllThreadsAreStoredOnce) {
  TempDir dir;
  const auto first = Must(RingWriter::Open(dir / "ring", SmallFile()));
  const auto second = Must(RingWriter::Open(dir / "ring", SmallFile()));
  std::vector<std::vector<Ref>> refs(4);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < refs.size(); ++t) {
    threads.emplace_back([&, t] {
      RingWriter* writer = (t % 2 ? first : second).get();
      for (int i = 0; i < 2000; ++i) refs[t].push_back(Must(writer->InternString("name " + std::to_string(i))));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& of_thread : refs) EXPECT_EQ(of_thread, refs[0]);
  const auto inspector = Must(RingInspector::Open(dir / "ring"));
  EXPECT_EQ(inspector->stats().dictionary_entries, 2000);
  EXPECT_EQ(Must(inspector->Entries()).size(), 2000u);
}

#if defined(__SANITIZE_THREAD__)
#define SKIP_WITH_TSAN() GTEST_SKIP() << "ThreadSanitizer does not follow forked children"
#else
#define SKIP_WITH_TSAN() (void)0
#endif

// Producers in processes of their own; their names are interned while the others do the same.
TEST(RingProcesses, RecordsOfAllProcessesArriveWholeAndInOrder) {
  SKIP_WITH_TSAN();
  TempDir dir;
  constexpr uint64_t kProcesses = 3;
  const uint64_t each = static_cast<uint64_t>(Rounds(20'000, 1'000'000));
  std::vector<std::unique_ptr<ChildProcess>> children;
  for (uint64_t p = 0; p < kProcesses; ++p) {
    children.push_back(std::make_unique<ChildProcess>([&, p] {
      const auto writer = Must(RingWriter::Open(dir / "ring", Blocking()));
      for (uint64_t i = 0; i < each; ++i) {
        if (RecordNumbered(writer.get(), {p, i}) != RecordResult::kRecorded) return 1;
        if (i % 100 == 0 && !writer->InternString("name " + std::to_string(i)).ok()) return 2;
      }
      return 0;
    }));
  }
  while (!platform::Exists(dir / "ring")) ::usleep(100);
  const auto reader = Must(RingReader::Open(dir / "ring"));
  Checker checker;
  RingReader* const readers[] = {reader.get()};
  while (checker.taken + checker.torn < kProcesses * each && WaitForData(readers, std::chrono::seconds(30))) PollInto(reader.get(), &checker);
  for (auto& child : children) EXPECT_EQ(child->Wait(), 0);
  EXPECT_EQ(checker.taken, kProcesses * each);
  EXPECT_EQ(checker.torn + checker.wrong, 0u);
  EXPECT_EQ(reader->stats().dictionary_entries, static_cast<int64_t>(each) / 100);
  EXPECT_EQ(reader->stats().last_writer, kProcesses);
  EXPECT_TRUE(Must(reader->LiveWriters()).empty());
}

TEST(RingProcesses, OneFileIsCreatedByManyAtOnce) {
  SKIP_WITH_TSAN();
  for (const bool exists_empty : {false, true}) {
    TempDir dir;
    if (exists_empty) {
      ASSERT_TRUE(platform::ReplaceFile(dir / "ring", "", false).ok());
    }
    std::vector<std::unique_ptr<ChildProcess>> children;
    for (uint64_t p = 0; p < 6; ++p) {
      children.push_back(std::make_unique<ChildProcess>([&, p] {
        const auto writer = RingWriter::Open(dir / "ring", SmallFile());
        return writer.ok() && RecordNumbered(writer->get(), {p, 0}) == RecordResult::kRecorded ? 0 : 1;
      }));
    }
    for (auto& child : children) EXPECT_EQ(child->Wait(), 0);
    const auto reader = Must(RingReader::Open(dir / "ring"));
    Checker checker;
    PollInto(reader.get(), &checker);
    EXPECT_EQ(checker.taken, 6u);
    EXPECT_EQ(Must(platform::ListDirectory(dir.path())).size(), 1u);  // nothing temporary is left
  }
}

TEST(RingProcesses, AForkedChildGoesOnAsAWriterOfItsOwn) {
  SKIP_WITH_TSAN();
  TempDir dir;
  auto writer = Must(RingWriter::Open(dir / "ring", Blocking()));
  const auto reader = Must(RingReader::Open(dir / "ring"));
  const Ref shared = Must(writer->InternString("shared"));
  ASSERT_EQ(RecordNumbered(writer.get(), {0, 0}), RecordResult::kRecorded);
  Pipe recorded, go_on;
  ChildProcess child([&] {
    if (writer->number() != 0) return 1;
    const Ids ids(7);
    const SpanStart start = ids.Start("child's");
    if (writer->RecordSpanStart(start) != RecordResult::kRecorded) return 2;
    if (Must(writer->InternString("shared")) != shared) return 3;
    if (!writer->InternString("the child's").ok()) return 4;
    if (RecordNumbered(writer.get(), {1, 0}) != RecordResult::kRecorded) return 5;
    recorded.Write();
    go_on.Read();
    return RecordNumbered(writer.get(), {1, 1}) == RecordResult::kRecorded ? 0 : 6;
  });
  recorded.Read();
  EXPECT_EQ(Must(reader->LiveWriters()), (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(writer->number(), 1u);
  const auto start = testing::Drain(reader.get(), RingKind::kSpans);
  ASSERT_EQ(start.size(), 1u);
  EXPECT_EQ(As<StartSpanView>(ReadSpanEvent(start[0]).value().event).writer, 2u);
  EXPECT_EQ(Text(Must(reader->Entry(Must(writer->InternString("the child's"))))), "the child's");
  // The parent goes first: its lock does not live on in the child.
  ASSERT_EQ(RecordNumbered(writer.get(), {0, 1}), RecordResult::kRecorded);
  writer.reset();
  EXPECT_EQ(Must(reader->LiveWriters()), (std::vector<uint32_t>{2}));
  go_on.Write();
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_TRUE(Must(reader->LiveWriters()).empty());
  Checker checker;
  PollInto(reader.get(), &checker);
  EXPECT_EQ(checker.taken, 4u);
  EXPECT_EQ(checker.torn + checker.wrong, 0u);
}

TEST(RingProcesses, AForkWhileOtherThreadsRecordLeavesBothSidesWhole) {
  SKIP_WITH_TSAN();
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer's allocator is not taken over whole by a child that is forked beside other threads";
#endif
  TempDir dir;
  const auto writer = Must(RingWriter::Open(dir / "ring", Blocking()));
  const auto reader = Must(RingReader::Open(dir / "ring"));
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> recorded{0};
  std::thread busy([&] {
    for (uint64_t i = 0; !stop.load(); ++i) {
      if (i % 50 == 0) (void)Must(writer->InternString("name " + std::to_string(i % 100'000)));
      if (RecordNumbered(writer.get(), {0, i}) == RecordResult::kRecorded) recorded.fetch_add(1);
    }
  });
  Checker checker;
  std::atomic<bool> children_done{false};
  std::thread consumer([&] {
    while (!children_done.load() || reader->HasData()) PollInto(reader.get(), &checker);
  });
  constexpr uint64_t kChildren = 20;
  for (uint64_t c = 1; c <= kChildren; ++c) {
    ChildProcess child([&] {
      for (uint64_t i = 0; i < 100; ++i) {
        if (RecordNumbered(writer.get(), {c, i}) != RecordResult::kRecorded) return 1;
        if (!writer->InternString("child " + std::to_string(i)).ok()) return 2;
      }
      return 0;
    });
    EXPECT_EQ(child.Wait(), 0);
  }
  stop.store(true);
  busy.join();
  children_done.store(true);
  consumer.join();
  EXPECT_EQ(checker.taken, recorded.load() + kChildren * 100);
  EXPECT_EQ(checker.torn + checker.wrong, 0u);
}

// What a killed producer had been told to be recorded arrives, once, and the ring goes on.
TEST(RingProcesses, AKilledProducerLosesNothingAndStopsNothing) {
  SKIP_WITH_TSAN();
  TempDir dir;
  ReaderOptions options;
  options.claim_timeout = std::chrono::milliseconds(5);
  WriterOptions writer_options = Blocking();
  writer_options.events = {4096, 256};  // room to be at work, not waiting, when the kill comes
  const auto survivor = Must(RingWriter::Open(dir / "ring", writer_options));
  auto reader = Must(RingReader::Open(dir / "ring", options));
  Checker checker;
  uint64_t random = 88172645463325252u, survivors = 0;
  const int rounds = Rounds(100, 1000);
  for (int round = 1; round <= rounds; ++round) {
    // Its two threads say how far they came in memory that both sides see.
    const uint64_t producers[] = {2 * static_cast<uint64_t>(round), 2 * static_cast<uint64_t>(round) + 1};
    auto* returned = static_cast<std::atomic<uint64_t>*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    const pid_t child = ::fork();
    if (child == 0) {
      const auto writer = RingWriter::Open(dir / "ring", writer_options);
      if (!writer.ok()) ::_exit(1);
      const auto produce = [&](size_t thread) {
        for (uint64_t i = 0;; ++i) {
          if (RecordNumbered(writer->get(), {producers[thread], i}) == RecordResult::kRecorded) returned[thread].store(i + 1);
          if (i % 64 == 0) (void)(*writer)->InternString("name " + std::to_string(producers[thread]) + " " + std::to_string(i));
        }
      };
      std::thread other(produce, 1);
      produce(0);
    }
    while (returned[0].load() < 50 || returned[1].load() < 50) PollInto(reader.get(), &checker);
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(random % 5000);
    while (std::chrono::steady_clock::now() < until) PollInto(reader.get(), &checker, 1 + random % 50);
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    // Every other time the consumer is a new one, too.
    if (round % 2 == 0) {
      reader.reset();
      reader = Must(RingReader::Open(dir / "ring", options));
    }
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    const RingStats& events = reader->stats().rings[0];
    const int64_t written = events.writer_index;
    while (reader->last_read(RingKind::kEvents) < written && std::chrono::steady_clock::now() < give_up) PollInto(reader.get(), &checker);
    ASSERT_EQ(reader->last_read(RingKind::kEvents), written) << "the ring stands still";
    for (const size_t thread : {0, 1}) {
      const uint64_t arrived = checker.TakenOf(producers[thread]), told = returned[thread].load();
      EXPECT_GE(arrived, told);
      EXPECT_LE(arrived, told + 1);  // published, and killed before it could say so
    }
    ASSERT_EQ(RecordNumbered(survivor.get(), {0, survivors++}), RecordResult::kRecorded);
    PollInto(reader.get(), &checker);
    EXPECT_EQ(checker.TakenOf(0), survivors);
    ::munmap(returned, 4096);
  }
  EXPECT_EQ(checker.torn + checker.wrong, 0u);
  RecordProperty("claims_given_up", static_cast<int>(reader->stats().revoked));
  // And the dictionary is whole.
  EXPECT_TRUE(Must(RingInspector::Open(dir / "ring"))->Entries().ok());
  EXPECT_EQ(Must(reader->LiveWriters()), (std::vector<uint32_t>{1}));
}

// The consumer dies at random moments; the next one goes on where the last had freed.
TEST(RingProcesses, AKilledConsumerIsFollowedByTheNext) {
  SKIP_WITH_TSAN();
  TempDir dir;
  const auto writer = Must(RingWriter::Open(dir / "ring", Blocking()));
  Pipe stopped;
  std::atomic<bool> stop{false};
  uint64_t recorded = 0;
  std::thread producer([&] {
    while (!stop.load()) {
      if (RecordNumbered(writer.get(), {0, recorded}) == RecordResult::kRecorded) ++recorded;
    }
  });
  uint64_t taken_before = 0;
  uint64_t random = 1234567;
  // What consumers have journaled, so to say, in memory that all see: numbers taken and freed.
  auto* journaled = static_cast<std::atomic<uint64_t>*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  for (int round = 0; round < Rounds(15, 100); ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto reader = RingReader::Open(dir / "ring");
      if (!reader.ok()) ::_exit(1);
      for (;;) {
        for (const RecordView& record : Must((*reader)->Poll(RingKind::kEvents, 7))) {
          Numbered n;
          if (!ReadNumbered(record.bytes, &n)) ::_exit(2);
          // Again what the last one took and did not free, or the next; nothing is left out.
          if (n.number > journaled->load()) ::_exit(3);
          if (n.number == journaled->load()) journaled->fetch_add(1);
        }
        (*reader)->Advance(RingKind::kEvents, (*reader)->last_read(RingKind::kEvents));
      }
    }
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (journaled->load() < taken_before + 200 && std::chrono::steady_clock::now() < give_up) ::usleep(100);
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    ::usleep(static_cast<useconds_t>(random % 2000));
    ::kill(child, SIGKILL);
    int outcome = 0;
    ASSERT_EQ(::waitpid(child, &outcome, 0), child);
    ASSERT_TRUE(WIFSIGNALED(outcome)) << WEXITSTATUS(outcome);
    ASSERT_GE(journaled->load(), taken_before + 200);
    taken_before = journaled->load();
  }
  const auto reader = Must(RingReader::Open(dir / "ring"));
  stop.store(true);
  Checker rest(true);
  while (reader->HasData()) PollInto(reader.get(), &rest);
  producer.join();
  while (reader->HasData()) PollInto(reader.get(), &rest);
  EXPECT_EQ(rest.TakenOf(0), recorded);
  EXPECT_EQ(rest.torn + rest.wrong, 0u);
  EXPECT_EQ(reader->stats().revoked, 0u);
  ::munmap(journaled, 4096);
}

// A disk that fills while the dictionary grows is an error and no signal; rings, whose space is reserved, go on.
TEST(RingProcesses, AFullDiskIsAnError) {
  TempDir dir;
  const std::string disk = dir / "disk";
  ASSERT_TRUE(platform::CreateDirectories(disk).ok());
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=2m") != 0) GTEST_SKIP() << "mounting a file system takes rights that we have not";
  {
    WriterOptions options = SmallFile();
    options.events = {4096, 256};
    options.dictionary_max_bytes = 64 << 20;
    const auto writer = Must(RingWriter::Open(disk + "/ring", options));
    const auto reader = Must(RingReader::Open(disk + "/ring"));
    Status failed;
    uint64_t added = 0;
    for (; failed.ok() && added < 100'000; ++added) failed = writer->InternString("a name of some length, number " + std::to_string(added)).status();
    EXPECT_EQ(failed.code(), StatusCode::kIo);
    EXPECT_TRUE(failed.retryable());
    EXPECT_NE(failed.message().find("No space left"), std::string::npos) << failed.message();
    EXPECT_GT(added, 1000u);
    // What was there is there, and every slot of the ring can be written.
    for (uint64_t i = 0; i + 1 < added; i += 100) {
      const std::string name = "a name of some length, number " + std::to_string(i);
      EXPECT_EQ(Text(Must(reader->Entry(Must(writer->InternString(name))))), name);
    }
    Checker checker;
    for (uint64_t i = 0; i < 10'000; ++i) {
      ASSERT_EQ(RecordNumbered(writer.get(), {0, i}), RecordResult::kRecorded);
      if (i % 1000 == 0) PollInto(reader.get(), &checker, 5000);
    }
    PollInto(reader.get(), &checker, 5000);
    EXPECT_EQ(checker.taken, 10'000u);
    // A second file does not fit, says so, and leaves nothing behind.
    const auto second = RingWriter::Open(disk + "/second", options);
    ASSERT_FALSE(second.ok());
    EXPECT_NE(second.status().message().find("reserve space"), std::string::npos) << second.status().message();
    EXPECT_EQ(Must(platform::ListDirectory(disk)).size(), 1u);
  }
  EXPECT_EQ(::umount(disk.c_str()), 0) << errno;
}

TEST(RingProcesses, TheDictionaryKeepsToItsLimit) {
  TempDir dir;
  WriterOptions options = SmallFile();
  options.dictionary_max_bytes = 100'000;
  const auto writer = Must(RingWriter::Open(dir / "ring", options));
  Status failed;
  uint64_t added = 0;
  for (; failed.ok() && added < 100'000; ++added) failed = writer->InternString("name number " + std::to_string(added)).status();
  EXPECT_EQ(failed.code(), StatusCode::kExport);
  EXPECT_FALSE(failed.retryable());
  EXPECT_NE(failed.message().find("dictionary_max_bytes"), std::string::npos) << failed.message();
  EXPECT_GT(added, 5000u);
  EXPECT_TRUE(writer->InternString("name number 7").ok());
  EXPECT_LE(Must(Must(platform::File::Open(dir / "ring", platform::File::Mode::kRead)).Size()), sizeof(FileHeader) + 3 * RingBytes(16, 256) + 100'000);
}

}  // namespace
}  // namespace otlp_arrow::ring
