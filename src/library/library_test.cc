#include "otlp_arrow/library.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <arrow/record_batch.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/platform/platform.h"
#include "child_process.h"
#include "forward/forwarding_testing.h"
#include "storage/layout.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ChildProcess;
using testing::ItemNames;
using testing::NamedRequest;
using testing::Pipe;
using testing::StoredNames;
using testing::TempDir;

constexpr auto kLong = seconds(60);  // no test that passes waits for it

class LibraryTest : public ::testing::Test {
 protected:
  LibraryTest() {
    config_.output_dir = dir_.path();
    config_.workers = 1;
    config_.write_interval_secs = 3600;
    config_.shutdown_timeout_secs = 60;
    config_.log_level = "error";
  }

  void Create() {
    auto library = OtlpLibrary::Create(config_);
    ASSERT_TRUE(library.ok()) << library.status().ToString();
    library_ = *std::move(library);
  }
  // True when the request is kept; what must be found in the end is to be told with Want, in the test's own process.
  bool Send(const std::string& prefix, int items, Signal signal = Signal::kTraces) {
    const auto outcome = library_->ExportOtlp(signal, NamedRequest(signal, prefix, items));
    return outcome.ok() && outcome->accepted_items == items && outcome->rejected_items == 0;
  }
  void Want(const std::string& prefix, int items) {
    for (std::string& name : ItemNames(prefix, items)) wanted_.push_back(std::move(name));
  }
  void ExpectStored() {
    std::sort(wanted_.begin(), wanted_.end());
    EXPECT_EQ(StoredNames(dir_.path(), Signal::kTraces), wanted_);
  }
  void Shutdown() { EXPECT_TRUE(library_->Shutdown().ok()); }
  size_t Writers() const { return platform::ListDirectory(StoreLayout(dir_.path()).JournalsDir())->size(); }

  TempDir dir_;
  Config config_;
  std::shared_ptr<OtlpLibrary> library_;
  std::vector<std::string> wanted_;
};

TEST_F(LibraryTest, RecordsEverySignal) {
  Create();
  for (Signal signal : kAllSignals) EXPECT_TRUE(Send("item", 3, signal));
  ASSERT_TRUE(library_->Flush(kLong).ok());
  for (Signal signal : kAllSignals) {
    EXPECT_EQ(StoredNames(dir_.path(), signal), ItemNames("item", 3)) << SignalName(signal);
    const SignalStats stats = library_->Stats().signals[static_cast<size_t>(signal)];
    EXPECT_EQ(stats.received, 3);
    EXPECT_EQ(stats.stored, 3);
    EXPECT_EQ(stats.in_flight, 0);
  }
  EXPECT_EQ(library_->Stats().queued_bytes, 0u);
  EXPECT_EQ(library_->config().output_dir, dir_.path());
}

TEST_F(LibraryTest, SaysWhatItLeftOut) {
  Create();
  // A trace id of three bytes, in the only span: field 1 of Span, in fields 2 of ScopeSpans and ResourceSpans, in field 1.
  const std::string request("\x0a\x09\x12\x07\x12\x05\x0a\x03\x01\x02\x03", 11);
  const auto outcome = library_->ExportOtlp(Signal::kTraces, request);
  ASSERT_TRUE(outcome.ok()) << outcome.status().ToString();
  EXPECT_EQ(outcome->accepted_items, 0);
  EXPECT_EQ(outcome->rejected_items, 1);
  EXPECT_NE(outcome->rejected_reason.find("trace_id"), std::string::npos) << outcome->rejected_reason;
  const SignalStats stats = library_->Stats().signals[0];
  ASSERT_EQ(stats.invalid.size(), 1u);
  EXPECT_EQ(stats.invalid[0].items, 1);
}

TEST_F(LibraryTest, RefusesWhatIsNoRequest) {
  Create();
  const auto outcome = library_->ExportOtlp(Signal::kLogs, "no protobuf");
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.status().code(), StatusCode::kExport);
  EXPECT_FALSE(outcome.status().retryable());
}

TEST_F(LibraryTest, StartExportAnswersBeforeItReturns) {
  Create();
  int answers = 0;
  library_->StartExportOtlp(Signal::kTraces, NamedRequest(Signal::kTraces, "item", 2), [&](Result<ExportOutcome> outcome) {
    ++answers;
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(outcome->accepted_items, 2);
  });
  EXPECT_EQ(answers, 1);
}

TEST_F(LibraryTest, RefusesSettingsAndDirectoriesThatCannotBe) {
  config_.write_interval_secs = 0;
  EXPECT_EQ(OtlpLibrary::Create(config_).status().code(), StatusCode::kConfig);
  config_.write_interval_secs = 1;
  std::ofstream(dir_ / "file") << "in the way";
  config_.output_dir = dir_ / "file";
  const Status status = OtlpLibrary::Create(config_).status();
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find(config_.output_dir), std::string::npos) << status.message();
}

TEST_F(LibraryTest, AfterShutdownItSaysSo) {
  Create();
  EXPECT_TRUE(Send("item", 1));
  Want("item", 1);
  EXPECT_FALSE(library_->is_shut_down());
  ASSERT_TRUE(library_->Shutdown().ok());
  EXPECT_TRUE(library_->is_shut_down());
  ExpectStored();
  EXPECT_EQ(Writers(), 0u);

  EXPECT_EQ(library_->ExportOtlp(Signal::kTraces, NamedRequest(Signal::kTraces, "late", 1)).status().code(), StatusCode::kShutdown);
  EXPECT_EQ(library_->Flush(kLong).code(), StatusCode::kShutdown);
  EXPECT_TRUE(library_->Shutdown().ok());
  EXPECT_EQ(library_->Stats().signals[0].stored, 1);
  ExpectStored();
}

TEST_F(LibraryTest, TheLastOwnerShutsItDown) {
  Create();
  EXPECT_TRUE(Send("item", 5));
  Want("item", 5);
  library_.reset();
  ExpectStored();
  EXPECT_EQ(Writers(), 0u);
}

// --- forks -----------------------------------------------------------------------------------------------------------

// The allocators of GCC's sanitizers are not made for forks beside threads: their own locks stay held in the child.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SKIP_FORKS_UNDER_SANITIZERS() GTEST_SKIP() << "the sanitizer's allocator does not survive a fork beside threads"
#else
#define SKIP_FORKS_UNDER_SANITIZERS() (void)0
#endif

TEST_F(LibraryTest, ParentAndChildRecordEachForThemselves) {
  SKIP_FORKS_UNDER_SANITIZERS();
  Create();
  ASSERT_TRUE(Send("before", 3));
  ChildProcess child([&] {
    if (library_->Stats().signals[0].received != 0) return 2;  // the parent's
    if (!library_->Flush(kLong).ok()) return 3;                // nothing of its own yet
    if (!Send("child", 4)) return 4;
    if (library_->Stats().signals[0].received != 4) return 5;
    return library_->Shutdown().ok() ? 0 : 6;
  });
  ASSERT_TRUE(Send("parent", 2));
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_FALSE(library_->is_shut_down());
  ASSERT_TRUE(library_->Shutdown().ok());
  Want("before", 3);
  Want("child", 4);
  Want("parent", 2);
  ExpectStored();
  EXPECT_EQ(Writers(), 0u);
}

TEST_F(LibraryTest, TheParentAdoptsWhatAChildLeft) {
  SKIP_FORKS_UNDER_SANITIZERS();
  Create();
  ChildProcess child([&] { return Send("child", 4) ? 0 : 1; });
  EXPECT_EQ(child.Wait(), 0);
  ASSERT_TRUE(library_->Shutdown().ok());
  Want("child", 4);
  ExpectStored();
  EXPECT_EQ(Writers(), 0u);
}

TEST_F(LibraryTest, ParentAndChildForwardEachForThemselves) {
  SKIP_FORKS_UNDER_SANITIZERS();
  const auto factory = std::make_shared<testing::FakeFactory>();
  RegisterSenderFactory(factory);
  ForwardingConfig quick = testing::Quick("one");
  quick.signals = {Signal::kTraces};
  config_.forwarding.push_back(quick);
  Create();
  ASSERT_TRUE(Send("before", 3));
  ChildProcess child([&] {
    if (!Send("child", 4)) return 2;
    Shutdown();
    return library_->Stats().destinations.at(0).signals[0].sent == 4 ? 0 : 3;
  });
  EXPECT_EQ(child.Wait(), 0);
  // Its destination is away, and nobody ends it: the parent stores and sends what it took.
  ChildProcess dying([&] {
    factory->peer("one").AnswerWith([](const auto&) { return testing::Retryable("away"); });
    return Send("dying", 5) ? 0 : 1;
  });
  EXPECT_EQ(dying.Wait(), 0);
  Shutdown();
  EXPECT_EQ(library_->Stats().signals[0].stored, 3);
  Want("before", 3);
  Want("dying", 5);
  auto received = factory->peer("one").received();
  std::sort(received.begin(), received.end());
  std::sort(wanted_.begin(), wanted_.end());
  EXPECT_EQ(received, wanted_);
  Want("child", 4);
  ExpectStored();
  EXPECT_EQ(Writers(), 0u);
  RegisterSenderFactory(nullptr);
}

TEST_F(LibraryTest, GrandchildrenRecordToo) {
  SKIP_FORKS_UNDER_SANITIZERS();
  Create();
  ChildProcess child([&] {
    if (!Send("child", 1)) return 1;
    ChildProcess grandchild([&] { return Send("grandchild", 1) && library_->Shutdown().ok() ? 0 : 1; });
    return grandchild.Wait() == 0 && library_->Shutdown().ok() ? 0 : 2;
  });
  EXPECT_EQ(child.Wait(), 0);
  Want("child", 1);
  Want("grandchild", 1);
  ExpectStored();
}

TEST_F(LibraryTest, AChildOfAShutLibraryIsShutToo) {
  SKIP_FORKS_UNDER_SANITIZERS();
  Create();
  ASSERT_TRUE(library_->Shutdown().ok());
  ChildProcess child([&] {
    const auto status = library_->ExportOtlp(Signal::kTraces, NamedRequest(Signal::kTraces, "late", 1)).status();
    return status.code() == StatusCode::kShutdown ? 0 : 1;
  });
  EXPECT_EQ(child.Wait(), 0);
}

// A parent that dies frees its journal, though children live on that never touched the library.
TEST_F(LibraryTest, ChildrenDoNotHoldTheParentsJournal) {
  SKIP_FORKS_UNDER_SANITIZERS();
  Pipe go_on;
  Pipe forked;
  ChildProcess parent([&] {
    Create();
    if (!Send("parent", 3)) return 1;
    ChildProcess child([&] {
      forked.Write();
      go_on.Read();
      return 0;
    });
    child.Detach();
    return 0;  // without a shutdown
  });
  EXPECT_EQ(parent.Wait(), 0);
  forked.Read();
  Create();
  Want("parent", 3);
  ExpectStored();
  go_on.Write();
}

// Forks at any moment: other threads are exporting, being answered, writing files.
TEST_F(LibraryTest, ForksInTheMidstOfExports) {
  SKIP_FORKS_UNDER_SANITIZERS();
  config_.max_file_bytes = 64 << 10;  // files are written all the time
  config_.workers = 2;
  Create();
  constexpr int kThreads = 2, kChildren = 10;
  std::atomic<bool> stop{false};
  std::vector<int> sent(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      while (!stop) {
        ASSERT_TRUE(Send("thread" + std::to_string(t) + "-" + std::to_string(sent[t]), 2));
        ++sent[t];
      }
    });
  }
  for (int c = 0; c < kChildren; ++c) {
    const std::string prefix = "child" + std::to_string(c);
    ChildProcess child([&] { return Send(prefix, 3) && library_->Flush(kLong).ok() && (c % 2 == 0 || library_->Shutdown().ok()) ? 0 : 1; });
    EXPECT_EQ(child.Wait(), 0);
    Want(prefix, 3);
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(library_->Shutdown().ok());
  for (int t = 0; t < kThreads; ++t) {
    EXPECT_GT(sent[t], 0);
    for (int i = 0; i < sent[t]; ++i) Want("thread" + std::to_string(t) + "-" + std::to_string(i), 2);
  }
  ExpectStored();
  EXPECT_EQ(Writers(), 0u);
}

}  // namespace
}  // namespace otlp_arrow
