#include "otlp_arrow/library_recorder.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/platform/platform.h"
#include "child_process.h"
#include "otlp_arrow/sdk/definitions.h"
#include "otlp_arrow/sdk/ids.h"
#include "recorder/ring_adopter.h"
#include "recorder/store_sinks.h"
#include "storage/layout.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using ring::RecordResult;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ChildProcess;
using testing::StoredNames;
using testing::TempDir;

constexpr auto kLong = seconds(60);  // no test that passes waits for it

// A program's side: spans, log records and counts with names, each in an epoch of its own.
class Program {
 public:
  explicit Program(const std::shared_ptr<sdk::Recorder>& recorder) : recorder_(recorder) {
    auto resource = std::make_shared<Resource>();
    resource->attributes = {{"service.name", "shop"}};
    InstrumentationScope scope;
    scope.name = "tests";
    scope_ = std::make_shared<sdk::ScopeDefinition>(recorder, resource, scope);
  }

  // False where it was not recorded.
  bool Span(const std::string& name) { return Start(name) && End(); }
  bool Start(const std::string& name) {
    const auto scope = scope_->Get();
    trace_ = sdk::RandomTraceId();
    span_ = sdk::RandomSpanId();
    if (!scope) return false;
    return scope.writer->RecordSpanStart({.scope = scope.ref, .trace_id = trace_.bytes, .span_id = span_.bytes, .flags = 1, .name = name,
                                          .start_time_unix_nano = UnixNanoNow()}) == RecordResult::kRecorded;
  }
  bool End() {
    const auto scope = scope_->Get();
    return scope && scope.writer->RecordSpanEnd({scope.ref, trace_.bytes, span_.bytes}, UnixNanoNow()) == RecordResult::kRecorded;
  }
  bool Log(const std::string& body) {
    const auto scope = scope_->Get();
    return scope && scope.writer->RecordEvent({.scope = scope.ref, .time_unix_nano = UnixNanoNow(), .severity_number = 9, .body = body}) ==
                        RecordResult::kRecorded;
  }
  bool Count(const std::string& metric, int64_t value, ring::Temporality temporality = ring::Temporality::kCumulative) {
    sdk::MetricStreamDefinition stream;
    stream.name = metric;
    stream.temporality = temporality;
    sdk::MetricDefinition definition(scope_, stream);
    const auto bound = definition.Get();
    return bound && bound.writer->RecordMeasurement({.metric = bound.ref, .time_unix_nano = UnixNanoNow(), .value = value}) ==
                        RecordResult::kRecorded;
  }

 private:
  std::shared_ptr<sdk::Recorder> recorder_;
  std::shared_ptr<sdk::ScopeDefinition> scope_;
  TraceId trace_;
  SpanId span_;
};

class LibraryRecorderTest : public ::testing::Test {
 protected:
  LibraryRecorderTest() {
    config_.output_dir = dir_.path();
    config_.workers = 1;
    config_.write_interval_secs = 3600;
    config_.shutdown_timeout_secs = 60;
    config_.log_level = "error";
    options_.ring.spans = {1024, 256};
    options_.ring.events = {1024, 512};
    options_.ring.measurements = {1024, 256};
    options_.ring.max_block_ms = 60'000;  // a busy machine may take its time
  }

  void Open() {
    auto library = OtlpLibrary::Create(config_);
    ASSERT_TRUE(library.ok()) << library.status().ToString();
    library_ = *std::move(library);
    auto recorder = OpenLibraryRecorder(library_, options_);
    ASSERT_TRUE(recorder.ok()) << recorder.status().ToString();
    recorder_ = *std::move(recorder);
  }
  std::vector<std::string> Rings() {
    std::vector<std::string> names;
    const auto entries = platform::ListDirectory(StoreLayout(dir_.path()).RingsDir());
    if (!entries.ok()) ADD_FAILURE() << entries.status().ToString();
    for (const auto& entry : *entries) names.push_back(entry.name);
    return names;
  }
  std::vector<std::string> Spans() { return StoredNames(dir_.path(), Signal::kTraces); }
  static std::vector<std::string> Sorted(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    return names;
  }
  static bool Eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + kLong;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
  }

  TempDir dir_;
  Config config_;
  LibraryRecorderOptions options_;
  std::shared_ptr<OtlpLibrary> library_;
  std::shared_ptr<sdk::Recorder> recorder_;
};

// ThreadSanitizer loses its way where a forked child of a program with threads starts some itself.
class LibraryRecorderForks : public LibraryRecorderTest {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "ThreadSanitizer takes a forked child's threads for its parent's";
#endif
  }
};

TEST_F(LibraryRecorderTest, AFlushMakesEverySignalReadable) {
  Open();
  Program program(recorder_);
  ASSERT_TRUE(program.Span("one") && program.Log("text") && program.Count("sum", 3));
  ASSERT_TRUE(recorder_->ForceFlush(kLong).ok());
  EXPECT_EQ(Spans(), std::vector<std::string>{"one"});
  EXPECT_EQ(StoredNames(dir_.path(), Signal::kLogs), std::vector<std::string>{"text"});
  EXPECT_EQ(StoredNames(dir_.path(), Signal::kMetrics), std::vector<std::string>{"sum"});
  ASSERT_TRUE(program.Span("two"));
  ASSERT_TRUE(recorder_->ForceFlush(kLong).ok());
  EXPECT_EQ(Spans(), (std::vector<std::string>{"one", "two"}));
}

TEST_F(LibraryRecorderTest, WithoutAFlushRecordsReachTheLibrarySoon) {
  options_.max_delay = milliseconds(1);
  Open();
  Program program(recorder_);
  ASSERT_TRUE(program.Span("one"));
  EXPECT_TRUE(Eventually([&] { return library_->Stats().signals[0].received == 1; }));
}

TEST_F(LibraryRecorderTest, AShutdownRemovesTheRingAndEndsWhatIsOpen) {
  Open();
  Program program(recorder_), other(recorder_);
  ASSERT_TRUE(program.Span("whole") && other.Start("open"));
  EXPECT_EQ(Rings().size(), 2u);  // and what its collector knows
  EXPECT_TRUE(recorder_->Shutdown(kLong).ok());
  EXPECT_TRUE(recorder_->is_shut_down());
  EXPECT_EQ(Rings(), std::vector<std::string>());
  EXPECT_EQ(Spans(), (std::vector<std::string>{"open", "whole"}));
  EXPECT_FALSE(program.Span("late"));
  EXPECT_FALSE(other.End());
  EXPECT_TRUE(recorder_->Shutdown(kLong).ok());
  EXPECT_EQ(recorder_->ForceFlush(kLong).code(), StatusCode::kShutdown);
  EXPECT_EQ(recorder_->Writer().status().code(), StatusCode::kShutdown);
  EXPECT_FALSE(library_->is_shut_down());
}

TEST_F(LibraryRecorderTest, TheLastOwnersReleaseIsAShutdown) {
  Open();
  ASSERT_TRUE(Program(recorder_).Span("one"));
  recorder_ = nullptr;
  EXPECT_EQ(Rings(), std::vector<std::string>());
  EXPECT_EQ(Spans(), std::vector<std::string>{"one"});
}

TEST_F(LibraryRecorderTest, WhatAShutDownLibraryDoesNotTakeWaitsForTheNextStart) {
  Open();
  ASSERT_TRUE(Program(recorder_).Span("before"));
  ASSERT_TRUE(recorder_->ForceFlush(kLong).ok());
  ASSERT_TRUE(library_->Shutdown(kLong).ok());
  ASSERT_TRUE(Program(recorder_).Span("after"));
  EXPECT_FALSE(recorder_->ForceFlush(milliseconds(200)).ok());
  const Status status = recorder_->Shutdown(kLong);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("next start"), std::string::npos) << status.message();
  EXPECT_EQ(OpenLibraryRecorder(library_, options_).status().code(), StatusCode::kShutdown);
  recorder_ = nullptr;  // with its writer's lock
  Open();
  EXPECT_TRUE(Eventually([&] { return library_->Stats().signals[0].received == 1; }));
  ASSERT_TRUE(library_->Flush(kLong).ok());
  EXPECT_EQ(Spans(), (std::vector<std::string>{"after", "before"}));
  EXPECT_TRUE(Eventually([&] { return Rings().size() == 2; })) << Rings().size();
}

TEST_F(LibraryRecorderTest, DeltaStreamsTellEachCountOnce) {
  Open();
  Program program(recorder_);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(program.Count("delta", 2, ring::Temporality::kDelta));
    ASSERT_TRUE(recorder_->ForceFlush(kLong).ok());
  }
  ASSERT_TRUE(recorder_->ForceFlush(kLong).ok());
  EXPECT_EQ(StoredNames(dir_.path(), Signal::kMetrics).size(), 3u);
}

TEST_F(LibraryRecorderTest, OptionsAreChecked) {
  Open();
  auto refused = [&](auto change) {
    LibraryRecorderOptions options;
    change(&options);
    return OpenLibraryRecorder(library_, options).status().code() == StatusCode::kConfig;
  };
  EXPECT_TRUE(refused([](auto* o) { o->ring.spans.slots = 3; }));
  EXPECT_TRUE(refused([](auto* o) { o->metric_interval = milliseconds(0); }));
  EXPECT_TRUE(refused([](auto* o) { o->max_delay = milliseconds(-1); }));
  EXPECT_TRUE(refused([](auto* o) { o->cardinality_limit = 0; }));
  EXPECT_EQ(OpenLibraryRecorder(nullptr).status().code(), StatusCode::kConfig);
}

TEST_F(LibraryRecorderTest, ThreadsLoseNothing) {
  Open();
  constexpr int kThreads = 16, kSpans = 400;
  std::vector<std::string> wanted;
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kSpans; ++i) wanted.push_back(std::to_string(t) + "-" + std::to_string(i));
  }
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Program program(recorder_);
      for (int i = 0; i < kSpans; ++i) failed += !program.Span(std::to_string(t) + "-" + std::to_string(i));
    });
  }
  std::thread flusher([&] {
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(recorder_->ForceFlush(kLong).ok());
  });
  for (auto& thread : threads) thread.join();
  flusher.join();
  EXPECT_EQ(failed, 0);
  ASSERT_TRUE(recorder_->Shutdown(kLong).ok());
  EXPECT_EQ(Spans(), Sorted(wanted));
}

TEST_F(LibraryRecorderTest, TwoRecordersShareADirectory) {
  Open();
  auto second = OtlpLibrary::Create(config_);
  ASSERT_TRUE(second.ok());
  auto other = OpenLibraryRecorder(*second, options_);
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE(Program(recorder_).Span("a") && Program(*other).Span("b"));
  EXPECT_TRUE(recorder_->Shutdown(kLong).ok());
  EXPECT_EQ(Spans(), std::vector<std::string>{"a"});
  EXPECT_EQ(Rings().size(), 2u);  // the living one's is left alone
  EXPECT_TRUE((*other)->Shutdown(kLong).ok());
  EXPECT_EQ(Spans(), (std::vector<std::string>{"a", "b"}));
}

// As the workers of a server that is started do; whoever looks for dead ones leaves them alone.
TEST_F(LibraryRecorderForks, ManyProcessesStartInADirectoryAtOnce) {
  constexpr int kProcesses = 6, kRounds = 3;
  std::vector<std::unique_ptr<ChildProcess>> children;
  for (int n = 0; n < kProcesses; ++n) {
    children.push_back(std::make_unique<ChildProcess>([&, n] {
      for (int round = 0; round < kRounds; ++round) {
        auto library = OtlpLibrary::Create(config_);
        if (!library.ok()) return 1;
        LibrarySink sink(library->get());
        if (!AdoptRings(dir_.path(), &sink, kLong).damaged.empty()) return 2;
        auto recorder = OpenLibraryRecorder(*library, options_);
        if (!recorder.ok()) return 3;
        Program program(*recorder);
        for (int i = 0; i < 50; ++i) {
          if (!program.Span(std::to_string(n) + "-" + std::to_string(round) + "-" + std::to_string(i))) return 4;
        }
        if (!(*recorder)->Shutdown(kLong).ok()) return 5;
      }
      return 0;
    }));
  }
  for (auto& child : children) EXPECT_EQ(child->Wait(), 0);
  const auto stored = Spans();
  EXPECT_EQ(stored.size(), size_t{kProcesses * kRounds * 50});
  EXPECT_EQ(std::adjacent_find(stored.begin(), stored.end()), stored.end());
  EXPECT_EQ(Rings(), std::vector<std::string>());
}

// --- forks and deaths ---

TEST_F(LibraryRecorderForks, AForkedChildHasARingOfItsOwn) {
  Open();
  Program program(recorder_);
  ASSERT_TRUE(program.Span("parent before"));
  const uint32_t epoch = recorder_->epoch();
  ChildProcess child([&] {
    bool ok = recorder_->epoch() == epoch + 1;
    ok &= program.Span("child") && Rings().size() == 4;
    ok &= recorder_->ForceFlush(kLong).ok();
    ok &= recorder_->Shutdown(kLong).ok() && Rings().size() == 2;
    return ok ? 0 : 1;
  });
  ASSERT_TRUE(program.Span("parent after"));
  EXPECT_EQ(child.Wait(), 0);
  ASSERT_TRUE(recorder_->Shutdown(kLong).ok());
  EXPECT_EQ(Spans(), (std::vector<std::string>{"child", "parent after", "parent before"}));
  EXPECT_EQ(Rings(), std::vector<std::string>());
}

// As multiprocessing's children do.
TEST_F(LibraryRecorderForks, AChildThatEndsWithoutAShutdownLosesNothing) {
  Open();
  ChildProcess child([&] {
    Program program(recorder_);
    bool ok = true;
    for (int i = 0; i < 100; ++i) ok &= program.Span("child");
    return ok ? 0 : 1;
  });
  EXPECT_EQ(child.Wait(), 0);
  ASSERT_TRUE(recorder_->Shutdown(kLong).ok());
  EXPECT_EQ(Spans(), std::vector<std::string>(100, "child"));
  EXPECT_EQ(Rings(), std::vector<std::string>());
}

// Killed at whatever moment: what was recorded by then is there once, and nothing else.
TEST_F(LibraryRecorderForks, KilledProgramsLoseNothingAndRepeatNothing) {
  options_.max_delay = milliseconds(2);
  auto* recorded = new (::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) std::atomic<uint32_t>;
  const char* rounds = std::getenv("OTLP_ARROW_KILL_ROUNDS");
  std::vector<std::string> wanted, maybe;
  for (int round = 0; round < (rounds ? std::atoi(rounds) : 8); ++round) {
    recorded->store(0);
    ChildProcess child([&] {
      auto library = OtlpLibrary::Create(config_);
      if (!library.ok()) return 1;
      auto recorder = OpenLibraryRecorder(*library, options_);
      if (!recorder.ok()) return 2;
      Program program(*recorder);
      for (uint32_t i = 0;; ++i) {
        if (!program.Span(std::to_string(round) + "-" + std::to_string(i))) return 3;
        recorded->store(i + 1);
        if (i % 512 == 511) (void)(*recorder)->ForceFlush(kLong);
      }
    });
    ASSERT_TRUE(Eventually([&] { return recorded->load() > 0; }));
    std::this_thread::sleep_for(milliseconds(round * 9 % 200));
    child.Kill();
    EXPECT_EQ(child.Wait(), -SIGKILL);
    const uint32_t count = recorded->load();
    for (uint32_t i = 0; i < count; ++i) wanted.push_back(std::to_string(round) + "-" + std::to_string(i));
    maybe.push_back(std::to_string(round) + "-" + std::to_string(count));  // recorded, and not told of; perhaps without its end
  }
  Open();
  ASSERT_TRUE(Eventually([&] { return Rings().size() == 2; }));
  ASSERT_TRUE(recorder_->Shutdown(kLong).ok());
  std::vector<std::string> stored = Spans();
  for (const std::string& name : maybe) {
    if (const auto found = std::find(stored.begin(), stored.end(), name); found != stored.end()) stored.erase(found);
  }
  EXPECT_EQ(stored, Sorted(wanted));
}

TEST_F(LibraryRecorderForks, RingsAreAdoptedOnceByWhoeverComesFirst) {
  ChildProcess child([&] {
    auto library = OtlpLibrary::Create(config_);
    auto recorder = OpenLibraryRecorder(*library, options_);
    Program program(*recorder);
    for (int i = 0; i < 500; ++i) {
      if (!program.Span("s" + std::to_string(i)) || !program.Log("l")) return 1;
    }
    ::_exit(0);
  });
  ASSERT_EQ(child.Wait(), 0);
  auto library = OtlpLibrary::Create(config_);
  ASSERT_TRUE(library.ok());
  LibrarySink sink(library->get());
  AdoptionReport reports[4];
  std::vector<std::thread> threads;
  for (AdoptionReport& report : reports) threads.emplace_back([&] { report = AdoptRings(dir_.path(), &sink, kLong); });
  for (auto& thread : threads) thread.join();
  int64_t rings = 0;
  for (const AdoptionReport& report : reports) {
    rings += report.rings;
    EXPECT_TRUE(report.damaged.empty()) << report.damaged.front();
  }
  EXPECT_EQ(rings, 1);
  EXPECT_EQ(Rings(), std::vector<std::string>());
  ASSERT_TRUE((*library)->Shutdown(kLong).ok());
  EXPECT_EQ(Spans().size(), 500u);
  EXPECT_EQ(StoredNames(dir_.path(), Signal::kLogs).size(), 500u);
}

TEST_F(LibraryRecorderTest, ADamagedRingIsToldOfAndLeftAlone) {
  const std::string path = StoreLayout(dir_.path()).RingsDir() + "/0123456789ab.ring";
  ASSERT_TRUE(platform::CreateDirectories(StoreLayout(dir_.path()).RingsDir()).ok());
  ASSERT_TRUE(platform::ReplaceFile(path, std::string(4096, 'x'), false).ok());
  Open();
  LibrarySink sink(library_.get());
  const AdoptionReport report = AdoptRings(dir_.path(), &sink, kLong);
  ASSERT_EQ(report.damaged.size(), 1u);
  EXPECT_TRUE(report.damaged[0].starts_with(path + ": ")) << report.damaged[0];
  EXPECT_EQ(report.busy.size(), 1u);  // the recorder's own
  EXPECT_TRUE(platform::Exists(path));
}

// --- trouble ---

// Takes nothing as long as it is told so.
class StuckLibrary final : public OtlpLibrary {
 public:
  explicit StuckLibrary(Config config) : config_(std::move(config)) {}
  Result<ExportOutcome> ExportOtlp(Signal signal, std::string request) override { return ExportOtlpRef(signal, request); }
  Result<ExportOutcome> ExportOtlpRef(Signal, std::string_view) override {
    if (stuck) return Status::BufferFull("no room");
    ++taken;
    return ExportOutcome{};
  }
  void StartExportOtlp(Signal signal, std::string request, ExportCallback done) override { done(ExportOtlpRef(signal, request)); }
  Status Flush(milliseconds) override { return Status::Ok(); }
  Status Shutdown(milliseconds) override { return Status::Ok(); }
  bool is_shut_down() const override { return false; }
  LibraryStats Stats() const override { return {}; }
  const Config& config() const override { return config_; }
  std::atomic<bool> stuck{true};
  std::atomic<int> taken{0};

 private:
  const Config config_;
};

TEST_F(LibraryRecorderTest, AStoreWithoutRoomCostsRecordsButNoTimeAndNoMemory) {
  auto stuck = std::make_shared<StuckLibrary>(config_);
  options_.ring.max_block_ms = 1;
  options_.max_delay = milliseconds(1);
  recorder_ = *OpenLibraryRecorder(stuck, options_);
  Program program(recorder_);
  int recorded = 0;
  for (int i = 0; i < 20'000; ++i) recorded += program.Span("s");
  EXPECT_LT(recorded, 4000);  // what the ring and one batch hold
  EXPECT_GT((*recorder_->Writer())->counters().dropped, 10'000u);
  const Status late = recorder_->ForceFlush(milliseconds(50));
  EXPECT_TRUE(late.retryable());
  EXPECT_NE(late.message().find("no room"), std::string::npos) << late.message();
  stuck->stuck = false;
  EXPECT_TRUE(recorder_->ForceFlush(kLong).ok());
  EXPECT_TRUE(program.Span("s"));
  stuck->stuck = true;
  EXPECT_FALSE(recorder_->Shutdown(milliseconds(100)).ok());
  EXPECT_EQ(Rings().size(), 2u);
}

}  // namespace
}  // namespace otlp_arrow
