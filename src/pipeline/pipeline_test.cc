#include "pipeline/pipeline.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include <arrow/record_batch.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/platform/platform.h"
#include "random_otlp.h"
#include "storage/layout.h"
#include "storage/ledger_file.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::DataFiles;
using testing::ItemNames;
using testing::NamedRequest;
using testing::StoredNames;
using testing::TempDir;

constexpr auto kLong = seconds(60);  // no test that passes waits for it

// The machine's clock moved on by as much as a test says. While its gate is shut the workers, who must look at it for
// every request, stand still.
class TestClock final : public Clock {
 public:
  WallTime Now() const override { return std::chrono::system_clock::now() + shift_.load(); }
  SteadyTime SteadyNow() const override {
    if (!open_ && IsWorker()) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return open_.load(); });
    }
    return std::chrono::steady_clock::now() + shift_.load();
  }
  void Advance(seconds time) { shift_ = shift_.load() + time; }
  void Shut() { open_ = false; }
  void Open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  static bool IsWorker() {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof(name));
    return std::string_view(name) == "otlp-worker";
  }
  std::atomic<seconds> shift_{seconds(0)};
  std::atomic<bool> open_{true};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
};

// Waits for something that other threads bring about; false if it does not come.
bool Eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kLong;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() : layout_(dir_.path()) {
    config_.output_dir = dir_.path();
    config_.workers = 1;
    config_.write_interval_secs = 3600;
    config_.shutdown_timeout_secs = 60;
  }
  ~PipelineTest() override {
    clock_->Open();
    pipeline_.reset();
  }

  void Open() {
    auto pipeline = Pipeline::Open(config_, clock_);
    ASSERT_TRUE(pipeline.ok()) << pipeline.status().ToString();
    pipeline_ = *std::move(pipeline);
  }
  AcceptResult Accept(Signal signal, std::string bytes) { return pipeline_->AcceptAndWait(signal, SharedBytes::Take(std::move(bytes))); }
  AcceptResult Send(Signal signal, const std::string& prefix, int items, size_t padding = 0) {
    return Accept(signal, NamedRequest(signal, prefix, items, padding));
  }
  // The same, remembering what must be found in the end.
  void MustSend(Signal signal, const std::string& prefix, int items, size_t padding = 0) {
    const AcceptResult result = Send(signal, prefix, items, padding);
    ASSERT_TRUE(result.status.ok()) << result.status.ToString();
    EXPECT_EQ(result.accepted_items, items);
    EXPECT_EQ(result.rejected_items, 0);
    Want(signal, prefix, items);
  }
  // Without waiting for the answer.
  std::future<AcceptResult> StartToSend(Signal signal, const std::string& prefix, int items, size_t padding = 0) {
    auto promise = std::make_shared<std::promise<AcceptResult>>();
    auto answer = promise->get_future();
    pipeline_->Accept(signal, SharedBytes::Take(NamedRequest(signal, prefix, items, padding)),
                      [promise](AcceptResult result) { promise->set_value(std::move(result)); });
    return answer;
  }
  static bool IsReady(const std::future<AcceptResult>& answer) { return answer.wait_for(seconds(0)) == std::future_status::ready; }

  void Want(Signal signal, const std::string& prefix, int items) {
    for (std::string& name : ItemNames(prefix, items)) wanted_[static_cast<size_t>(signal)].push_back(std::move(name));
  }
  void ExpectStored(const std::string& dir) {
    for (Signal s : kAllSignals) {
      auto& wanted = wanted_[static_cast<size_t>(s)];
      std::sort(wanted.begin(), wanted.end());
      EXPECT_EQ(StoredNames(dir, s), wanted) << SignalName(s);
    }
  }
  void ExpectStored() { ExpectStored(dir_.path()); }
  void MustFlush() {
    const Status status = pipeline_->Flush(kLong);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  void MustShutDown() {
    const Status status = pipeline_->Shutdown(kLong);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  // The books of the running pipeline, and those that it wrote down.
  void ExpectBalance() {
    const Ledger ledger = pipeline_->GetLedger();
    EXPECT_TRUE(ledger.Balances()) << ledger.ToJson();
  }
  void ExpectSavedLedger() {
    const Ledger saved = ReadDirectoryLedger(layout_).sum;
    EXPECT_EQ(saved.ToJson(), pipeline_->GetLedger().ToJson());
    EXPECT_TRUE(saved.Balances());
  }
  // Writers' directories that are there.
  std::vector<std::string> Journals() const {
    std::vector<std::string> names;
    const auto entries = platform::ListDirectory(layout_.JournalsDir());
    for (const auto& entry : *entries) names.push_back(entry.name);
    return names;
  }
  int64_t Refused(Signal signal, const std::string& reason) {
    const Ledger ledger = pipeline_->GetLedger();
    const auto found = ledger[signal].refused.find(reason);
    return found == ledger[signal].refused.end() ? 0 : found->second;
  }

  TempDir dir_;
  StoreLayout layout_;
  Config config_;
  std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
  std::unique_ptr<Pipeline> pipeline_;
  std::array<std::vector<std::string>, kSignalCount> wanted_;
};

// --- the way of a request ---

class EachAcknowledgement : public PipelineTest, public ::testing::WithParamInterface<Acknowledge> {
 protected:
  EachAcknowledgement() { config_.acknowledge = GetParam(); }
};

TEST_P(EachAcknowledgement, WhatIsAcceptedIsInFilesAfterAFlush) {
  Open();
  for (int i = 0; i < 30; ++i) MustSend(static_cast<Signal>(i % 3), "r" + std::to_string(i), i);
  MustFlush();
  ExpectStored();
  EXPECT_EQ(pipeline_->QueuedBytes(), 0u);
  for (int i = 0; i < 5; ++i) {
    MustSend(Signal::kTraces, "later" + std::to_string(i), 7);
    MustFlush();
    ExpectStored();
  }
  const Ledger ledger = pipeline_->GetLedger();
  for (Signal s : kAllSignals) {
    const auto items = static_cast<int64_t>(wanted_[static_cast<size_t>(s)].size());
    EXPECT_EQ(ledger[s].received, items);
    EXPECT_EQ(ledger[s].stored, items);
    EXPECT_EQ(ledger[s].in_flight, 0);
  }
  ExpectBalance();
  MustShutDown();
  ExpectStored();
  EXPECT_TRUE(Journals().empty());
  ExpectSavedLedger();
}

TEST_P(EachAcknowledgement, AShutdownWritesWhatWasAccepted) {
  config_.workers = 3;
  Open();
  for (int i = 0; i < 30; ++i) MustSend(static_cast<Signal>(i % 3), "r" + std::to_string(i), 5);
  pipeline_.reset();
  ExpectStored();
  EXPECT_TRUE(Journals().empty());
  const Ledger saved = ReadDirectoryLedger(layout_).sum;
  EXPECT_TRUE(saved.Balances());
  for (Signal s : kAllSignals) EXPECT_EQ(saved[s].stored, 50);
}

TEST_P(EachAcknowledgement, ManyThreadsSendAtOnceAndTheBooksBalanceAllTheTime) {
  config_.workers = 3;
  config_.max_file_bytes = 16 << 10;
  config_.memory_budget = 64 << 10;
  config_.admission_timeout_ms = 60000;
  Open();
  std::atomic<bool> stop{false};
  std::thread auditor([&] {
    while (!stop) {
      ExpectBalance();
      (void)pipeline_->Ready(nullptr);
      (void)pipeline_->QueuedBytes();
    }
  });
  std::thread flusher([&] {
    while (!stop) MustFlush();
  });
  std::vector<std::thread> senders;
  for (int t = 0; t < 8; ++t) {
    senders.emplace_back([this, t] {
      for (int i = 0; i < 40; ++i) {
        const AcceptResult result = Send(static_cast<Signal>(i % 3), std::to_string(t) + "x" + std::to_string(i), 5, 100);
        EXPECT_TRUE(result.status.ok()) << result.status.ToString();
      }
    });
  }
  for (auto& sender : senders) sender.join();
  stop = true;
  auditor.join();
  flusher.join();
  for (int t = 0; t < 8; ++t) {
    for (int i = 0; i < 40; ++i) Want(static_cast<Signal>(i % 3), std::to_string(t) + "x" + std::to_string(i), 5);
  }
  MustFlush();
  ExpectStored();
  EXPECT_EQ(pipeline_->QueuedBytes(), 0u);
  MustShutDown();
  ExpectStored();
  ExpectSavedLedger();
}

TEST_P(EachAcknowledgement, AShutdownAmidSendersKeepsExactlyWhatWasAccepted) {
  for (int round = 0; round < 5; ++round) {
    config_.workers = 2;
    Open();
    std::mutex mutex;
    std::vector<std::thread> senders;
    for (int t = 0; t < 4; ++t) {
      senders.emplace_back([&, t] {
        for (int i = 0;; ++i) {
          const std::string prefix = std::to_string(round) + "r" + std::to_string(t) + "x" + std::to_string(i);
          const AcceptResult result = Send(Signal::kLogs, prefix, 3);
          if (!result.status.ok()) {
            EXPECT_EQ(result.status.code(), StatusCode::kShutdown) << result.status.ToString();
            return;
          }
          std::lock_guard lock(mutex);
          Want(Signal::kLogs, prefix, 3);
        }
      });
    }
    Eventually([&] { return pipeline_->GetLedger()[Signal::kLogs].received > 100; });
    MustShutDown();
    for (auto& sender : senders) sender.join();
    ExpectBalance();
    EXPECT_EQ(pipeline_->GetLedger()[Signal::kLogs].in_flight, 0);
    EXPECT_TRUE(Journals().empty());
    pipeline_.reset();
    ExpectStored();
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, EachAcknowledgement, ::testing::Values(Acknowledge::kMemory, Acknowledge::kJournal, Acknowledge::kFsync),
                         [](const auto& level) {
                           return level.param == Acknowledge::kMemory ? "Memory" : level.param == Acknowledge::kJournal ? "Journal" : "Fsync";
                         });

TEST_F(PipelineTest, BytesFromItsOwnPoolAreTakenAsTheyAre) {
  Open();
  const std::string request = NamedRequest(Signal::kTraces, "a", 3);
  Pipeline::WritableBytes bytes = pipeline_->Allocate(request.size());
  EXPECT_EQ(bytes.size, request.size());
  std::copy(request.begin(), request.end(), bytes.data);
  const char* data = bytes.data;
  SharedBytes shared = std::move(bytes).Share();
  EXPECT_EQ(shared.data.data(), data);
  const AcceptResult result = pipeline_->AcceptAndWait(Signal::kTraces, std::move(shared));
  EXPECT_TRUE(result.status.ok());
  Want(Signal::kTraces, "a", 3);
  MustFlush();
  ExpectStored();
  // They may outlive the pipeline.
  bytes = pipeline_->Allocate(10);
  pipeline_.reset();
  std::fill(bytes.data, bytes.data + bytes.size, 'x');
}

TEST_F(PipelineTest, AFileIsWrittenWhenItHoldsEnough) {
  config_.max_file_bytes = 4096;
  Open();
  MustSend(Signal::kTraces, "small", 3);
  MustSend(Signal::kTraces, "large", 3, 2000);
  EXPECT_TRUE(Eventually([&] { return DataFiles(dir_.path(), Signal::kTraces).size() == 1; }));
  ExpectStored();
}

TEST_F(PipelineTest, AFileIsWrittenWhenItsTimeHasCome) {
  config_.write_interval_secs = 10;
  Open();
  MustSend(Signal::kTraces, "first", 3);
  EXPECT_TRUE(Eventually([&] { return pipeline_->QueuedBytes() == 0; }));
  EXPECT_TRUE(DataFiles(dir_.path(), Signal::kTraces).empty());
  clock_->Advance(seconds(11));
  MustSend(Signal::kLogs, "second", 1);  // its worker looks at the clock
  EXPECT_TRUE(Eventually([&] { return DataFiles(dir_.path(), Signal::kTraces).size() == 1; }));
  EXPECT_TRUE(DataFiles(dir_.path(), Signal::kLogs).empty());
  MustFlush();
  ExpectStored();
}

TEST_F(PipelineTest, ATimeWithoutRequestsWritesToo) {
  config_.write_interval_secs = 1;
  Open();
  MustSend(Signal::kTraces, "only", 3);
  EXPECT_TRUE(Eventually([&] { return !DataFiles(dir_.path(), Signal::kTraces).empty(); }));
  ExpectStored();
}

// --- what is not taken ---

TEST_F(PipelineTest, AMalformedRequestIsRefusedForGood) {
  Open();
  const std::string whole = NamedRequest(Signal::kTraces, "a", 3);
  const AcceptResult result = Accept(Signal::kTraces, whole.substr(0, whole.size() - 1));
  EXPECT_EQ(result.status.code(), StatusCode::kExport);
  EXPECT_FALSE(result.status.retryable());
  EXPECT_EQ(result.retry_after.count(), 0);
  EXPECT_EQ(result.accepted_items, 0);
  EXPECT_NE(result.status.message().find("not a well-formed OTLP traces request"), std::string::npos) << result.status.message();
  EXPECT_EQ(pipeline_->GetLedger().unreadable_requests.at("malformed"), 1);
  ExpectBalance();
  MustFlush();
  ExpectStored();
}

TEST_F(PipelineTest, InvalidItemsAreLeftOutAndNamed) {
  Open();
  testing::TraceRequest message;
  ASSERT_TRUE(message.ParseFromString(NamedRequest(Signal::kTraces, "a", 3)));
  message.mutable_resource_spans(0)->mutable_scope_spans(0)->mutable_spans(2)->set_span_id("short");
  const AcceptResult result = Accept(Signal::kTraces, message.SerializeAsString());
  EXPECT_TRUE(result.status.ok());
  EXPECT_EQ(result.accepted_items, 2);
  EXPECT_EQ(result.rejected_items, 1);
  EXPECT_EQ(result.rejected_reason, "1 of 3 items rejected: a span_id is not 8 bytes long");
  Want(Signal::kTraces, "a", 2);
  MustFlush();
  ExpectStored();
  const Ledger ledger = pipeline_->GetLedger();
  EXPECT_EQ(ledger[Signal::kTraces].received, 3);
  EXPECT_EQ(ledger[Signal::kTraces].stored, 2);
  EXPECT_EQ(ledger[Signal::kTraces].invalid.at("bad_span_id"), 1);
  ExpectBalance();
}

TEST_F(PipelineTest, ARequestOfOnlyInvalidItemsIsAnsweredSo) {
  Open();
  testing::TraceRequest message;
  message.add_resource_spans()->add_scope_spans()->add_spans()->set_trace_id("short");
  const AcceptResult result = Accept(Signal::kTraces, message.SerializeAsString());
  EXPECT_TRUE(result.status.ok());
  EXPECT_EQ(result.accepted_items, 0);
  EXPECT_EQ(result.rejected_items, 1);
  EXPECT_FALSE(result.rejected_reason.empty());
  ExpectBalance();
  MustFlush();
  ExpectStored();
}

TEST_F(PipelineTest, ARequestWithoutItemsIsFine) {
  Open();
  for (Signal s : kAllSignals) {
    for (const std::string& bytes : {std::string(), NamedRequest(s, "", 0)}) {
      const AcceptResult result = Accept(s, bytes);
      EXPECT_TRUE(result.status.ok());
      EXPECT_EQ(result.accepted_items, 0);
      EXPECT_EQ(result.rejected_items, 0);
    }
  }
  MustFlush();
  ExpectStored();
  EXPECT_EQ(pipeline_->GetLedger()[Signal::kTraces].received, 0);
}

TEST_F(PipelineTest, RefusalsOfServersAreCounted) {
  Open();
  pipeline_->CountRefused(Signal::kLogs, 12, "too_large");
  pipeline_->CountRefused(Signal::kLogs, 0, "too_large");
  const Ledger ledger = pipeline_->GetLedger();
  EXPECT_EQ(ledger[Signal::kLogs].refused.at("too_large"), 12);
  EXPECT_EQ(ledger[Signal::kLogs].received, 12);
  EXPECT_EQ(ledger.unreadable_requests.at("too_large"), 1);
  ExpectBalance();
  MustShutDown();
  ExpectSavedLedger();
}

// --- the memory budget ---

class Budget : public PipelineTest {
 protected:
  Budget() {
    config_.memory_budget = 10'000;
    config_.admission_timeout_ms = 60'000;
  }
  // A standing worker, and requests that leave less room than another one takes.
  void FillBudget() {
    clock_->Shut();
    for (int i = 0; i < 4; ++i) MustSend(Signal::kTraces, "fill" + std::to_string(i), 1, 2200);
    EXPECT_GT(pipeline_->QueuedBytes(), 8'800u);
    EXPECT_LE(pipeline_->QueuedBytes(), 10'000u);
  }
};

TEST_F(Budget, ARequestWaitsForRoom) {
  Open();
  FillBudget();
  auto first = StartToSend(Signal::kLogs, "first", 1, 2200);
  auto second = StartToSend(Signal::kLogs, "second", 1, 10);  // there is room for it, but it came later
  EXPECT_FALSE(IsReady(first));
  EXPECT_FALSE(IsReady(second));
  EXPECT_LE(pipeline_->QueuedBytes(), 10'000u);
  ExpectBalance();
  clock_->Open();
  EXPECT_TRUE(first.get().status.ok());
  EXPECT_TRUE(second.get().status.ok());
  Want(Signal::kLogs, "first", 1);
  Want(Signal::kLogs, "second", 1);
  MustFlush();
  ExpectStored();
  ExpectBalance();
  EXPECT_EQ(pipeline_->QueuedBytes(), 0u);
}

TEST_F(Budget, ARequestIsRefusedWhenNoRoomCame) {
  config_.admission_timeout_ms = 30;
  Open();
  FillBudget();
  const AcceptResult result = Send(Signal::kLogs, "refused", 3, 800);
  EXPECT_EQ(result.status.code(), StatusCode::kExport);
  EXPECT_TRUE(result.status.retryable());
  EXPECT_GT(result.retry_after.count(), 0);
  EXPECT_EQ(result.accepted_items, 0);
  EXPECT_NE(result.status.message().find("memory_budget"), std::string::npos) << result.status.message();
  EXPECT_EQ(Refused(Signal::kLogs, "memory_budget"), 3);
  ExpectBalance();
  clock_->Open();
  MustFlush();
  MustSend(Signal::kLogs, "retried", 3, 800);
  MustFlush();
  ExpectStored();
  ExpectBalance();
}

TEST_F(Budget, WhoComesBehindTooManyWaitingIsRefusedAtOnce) {
  Open();
  FillBudget();
  std::vector<std::future<AcceptResult>> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(StartToSend(Signal::kLogs, "p" + std::to_string(i), 1, 2000));
  int refused = 0;
  for (auto& answer : answers) refused += IsReady(answer);
  EXPECT_GT(refused, 10);
  EXPECT_LT(refused, 20);
  EXPECT_EQ(Refused(Signal::kLogs, "memory_budget"), refused);
  clock_->Open();
  for (int i = 0; i < 20; ++i) {
    if (answers[static_cast<size_t>(i)].get().status.ok()) Want(Signal::kLogs, "p" + std::to_string(i), 1);
  }
  MustFlush();
  ExpectStored();
  ExpectBalance();
}

TEST_F(Budget, ARequestLargerThanTheBudgetIsTakenAlone) {
  Open();
  MustSend(Signal::kTraces, "large", 2, 20'000);
  MustFlush();
  FillBudget();
  auto large = StartToSend(Signal::kLogs, "large", 2, 20'000);
  EXPECT_FALSE(IsReady(large)) << large.get().status.ToString();
  clock_->Open();
  EXPECT_TRUE(large.get().status.ok());
  Want(Signal::kLogs, "large", 2);
  MustFlush();
  ExpectStored();
}

TEST_F(Budget, AShutdownRefusesWhoeverWaits) {
  Open();
  FillBudget();
  auto waiting = StartToSend(Signal::kLogs, "waiting", 3, 1000);
  EXPECT_FALSE(IsReady(waiting));
  std::thread opener([&] {
    EXPECT_EQ(waiting.get().status.code(), StatusCode::kShutdown);
    clock_->Open();
  });
  MustShutDown();
  opener.join();
  EXPECT_EQ(Refused(Signal::kLogs, "shutdown"), 3);
  ExpectStored();
  ExpectBalance();
}

TEST_F(Budget, InMemoryAloneAFullBudgetIsWrittenOut) {
  // Requests count until they are in files. Of the files under way, one for each signal, none is large enough to be
  // written for its size, and their time is far.
  config_.acknowledge = Acknowledge::kMemory;
  Open();
  for (int i = 0; i < 40; ++i) MustSend(static_cast<Signal>(i % 3), "r" + std::to_string(i), 1, i % 4 == 3 ? 3500 : 2200);
  MustFlush();
  ExpectStored();
  ExpectBalance();
}

TEST_F(PipelineTest, AFullJournalRefusesUntilItIsWrittenOut) {
  config_.journal_max_bytes = 16 << 20;
  config_.memory_budget = 256 << 20;
  Open();
  clock_->Shut();
  AcceptResult result;
  int sent = 0;
  for (; sent < 30 && result.status.ok(); ++sent) {
    result = Send(Signal::kLogs, "r" + std::to_string(sent), 1, 1 << 20);
    if (result.status.ok()) Want(Signal::kLogs, "r" + std::to_string(sent), 1);
  }
  EXPECT_LT(sent, 20);
  EXPECT_EQ(result.status.code(), StatusCode::kExport);
  EXPECT_TRUE(result.status.retryable());
  EXPECT_GT(result.retry_after.count(), 0);
  EXPECT_EQ(Refused(Signal::kLogs, "journal_full"), 1);
  ExpectBalance();
  clock_->Open();
  MustFlush();
  MustSend(Signal::kLogs, "again", 1, 1 << 20);
  MustFlush();
  ExpectStored();
}

// --- the end ---

TEST_F(PipelineTest, AfterShutdownEverythingIsRefused) {
  Open();
  std::string why;
  EXPECT_TRUE(pipeline_->Ready(&why));
  MustSend(Signal::kTraces, "a", 3);
  MustShutDown();
  ExpectStored();
  EXPECT_TRUE(Journals().empty());
  EXPECT_FALSE(pipeline_->Ready(&why));
  EXPECT_EQ(why, "shutting down");
  EXPECT_FALSE(pipeline_->Ready(nullptr));
  const AcceptResult result = Send(Signal::kTraces, "late", 2);
  EXPECT_EQ(result.status.code(), StatusCode::kShutdown);
  EXPECT_EQ(Refused(Signal::kTraces, "shutdown"), 2);
  ExpectBalance();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(pipeline_->Flush(kLong).code(), StatusCode::kShutdown);
  EXPECT_LT(std::chrono::steady_clock::now() - start, kLong / 2) << "it waited for what cannot come";
  EXPECT_TRUE(pipeline_->Shutdown(kLong).ok()) << "the outcome of the first call";
}

TEST_F(PipelineTest, InvalidSettingsAreRefused) {
  config_.promote_attributes = {"http.route:colour"};
  auto refused = Pipeline::Open(config_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), StatusCode::kConfig);
  EXPECT_NE(refused.status().message().find("http.route:colour"), std::string::npos);
  config_.promote_attributes = {"name"};
  EXPECT_EQ(Pipeline::Open(config_).status().code(), StatusCode::kConfig);
  config_.promote_attributes = {};
  config_.write_interval_secs = 0;
  EXPECT_EQ(Pipeline::Open(config_).status().code(), StatusCode::kConfig);
  EXPECT_TRUE(platform::ListDirectory(dir_.path())->empty());
}

TEST_F(PipelineTest, ADirectoryThatCannotBeMadeIsRefused) {
  ASSERT_TRUE(platform::ReplaceFile(dir_ / "file", "x", false).ok());
  config_.output_dir = dir_ / "file/store";
  const auto refused = Pipeline::Open(config_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), StatusCode::kIo);
  EXPECT_NE(refused.status().message().find(dir_ / "file/store"), std::string::npos);
}

TEST_F(PipelineTest, PromotedAttributesAreStored) {
  config_.promote_attributes = {"padding"};
  Open();
  MustSend(Signal::kLogs, "a", 1, 3);
  MustFlush();
  const auto files = DataFiles(dir_.path(), Signal::kLogs);
  ASSERT_EQ(files.size(), 1u);
  EXPECT_TRUE(testing::ReadBatches(files[0])[0]->GetColumnByName("padding"));
}

// --- death ---

class Death : public PipelineTest {
 protected:
  // What a kill at this moment leaves: files as the kernel has them, and no lock.
  std::string CopyOfStore() {
    const std::string copy = "copy" + std::to_string(++copies_);
    fs::copy(dir_.path(), other_ / copy, fs::copy_options::recursive);
    return other_ / copy;
  }
  void ExpectRecovered(const std::string& dir) {
    Config config = config_;
    config.output_dir = dir;
    auto next = Pipeline::Open(config);
    ASSERT_TRUE(next.ok()) << next.status().ToString();
    ExpectStored(dir);
    EXPECT_FALSE(platform::Exists(StoreLayout(dir).DamagedDir()));
    EXPECT_TRUE((*next)->Shutdown(kLong).ok());
    ExpectStored(dir);
    EXPECT_TRUE(platform::ListDirectory(StoreLayout(dir).JournalsDir())->empty());
    const Ledger ledger = ReadDirectoryLedger(StoreLayout(dir)).sum;
    EXPECT_TRUE(ledger.Balances()) << ledger.ToJson();
    for (Signal s : kAllSignals) {
      EXPECT_EQ(ledger[s].stored, static_cast<int64_t>(wanted_[static_cast<size_t>(s)].size())) << ledger.ToJson();
      EXPECT_EQ(ledger[s].InvalidTotal(), 0) << ledger.ToJson();
    }
  }

  TempDir other_;
  int copies_ = 0;
};

TEST_F(Death, NothingIsLostAndNothingIsThereTwice) {
  config_.workers = 2;
  config_.max_file_bytes = 20'000;
  Open();
  for (int i = 0; i < 60; ++i) {
    MustSend(static_cast<Signal>(i % 3), "r" + std::to_string(i), 4, 300);
    if (i % 20 == 13) MustFlush();
    if (i % 7 != 6) continue;
    EXPECT_TRUE(Eventually([&] { return pipeline_->QueuedBytes() == 0; }));
    ExpectRecovered(CopyOfStore());
  }
}

TEST_F(Death, AProcessThatEndsAtOnceLeavesAllItAccepted) {
  // In a process of its own, begun anew: forks of a process with threads are no test of ours.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  if (!std::getenv("OTLP_ARROW_TEST_STORE")) ::setenv("OTLP_ARROW_TEST_STORE", dir_.path().c_str(), 1);
  config_.output_dir = std::getenv("OTLP_ARROW_TEST_STORE");
  EXPECT_EXIT(
      {
        fs::remove_all(dir_.path());  // the child's own
        fs::remove_all(other_.path());
        Open();
        for (int i = 0; i < 50; ++i) MustSend(static_cast<Signal>(i % 3), "r" + std::to_string(i), 4);
        MustFlush();
        for (int i = 50; i < 100; ++i) MustSend(static_cast<Signal>(i % 3), "r" + std::to_string(i), 4);
        ::_exit(HasFailure() ? 1 : 42);
      },
      ::testing::ExitedWithCode(42), "");
  ::unsetenv("OTLP_ARROW_TEST_STORE");
  config_.output_dir = dir_.path();
  for (int i = 0; i < 100; ++i) Want(static_cast<Signal>(i % 3), "r" + std::to_string(i), 4);
  EXPECT_EQ(Journals().size(), 1u);
  ExpectRecovered(dir_.path());
}

TEST_F(Death, ALivingPipelineBesideIsLeftAlone) {
  Open();
  MustSend(Signal::kTraces, "first", 3);
  auto second = Pipeline::Open(config_);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(Journals().size(), 2u);
  EXPECT_TRUE(StoredNames(dir_.path(), Signal::kTraces).empty());
  const AcceptResult result = (*second)->AcceptAndWait(Signal::kTraces, SharedBytes::Take(NamedRequest(Signal::kTraces, "second", 2)));
  EXPECT_TRUE(result.status.ok());
  Want(Signal::kTraces, "second", 2);
  second->reset();
  MustFlush();
  ExpectStored();
}

// --- trouble with the disk ---

class Trouble : public PipelineTest {
 protected:
  // While a file stands in the place of the directory, files of the signal cannot be published.
  void TakeAway(Signal signal) {
    fs::rename(layout_.DataDir(signal), dir_ / "away");
    ASSERT_TRUE(platform::ReplaceFile(layout_.DataDir(signal), "in the way", false).ok());
  }
  void PutBack(Signal signal) {
    fs::remove(layout_.DataDir(signal));
    fs::rename(dir_ / "away", layout_.DataDir(signal));
  }
};

TEST_F(Trouble, AFileThatCannotBeWrittenIsTriedAgain) {
  for (const Acknowledge level : {Acknowledge::kMemory, Acknowledge::kJournal, Acknowledge::kFsync}) {
    config_.acknowledge = level;
    Open();
    const std::string prefix = std::to_string(static_cast<int>(level));
    MustSend(Signal::kTraces, prefix + "a", 3);
    TakeAway(Signal::kTraces);
    const Status failed = pipeline_->Flush(milliseconds(50));
    EXPECT_FALSE(failed.ok());
    std::string why;
    EXPECT_TRUE(Eventually([&] { return !pipeline_->Ready(&why); }));
    EXPECT_NE(why.find(layout_.DataDir(Signal::kTraces)), std::string::npos) << why;
    EXPECT_EQ(pipeline_->Flush(milliseconds(10)).code(), StatusCode::kIo);
    MustSend(Signal::kTraces, prefix + "b", 2);
    ExpectBalance();
    PutBack(Signal::kTraces);
    MustFlush();
    EXPECT_TRUE(pipeline_->Ready(&why)) << why;
    ExpectStored();
    ExpectBalance();
    MustShutDown();
    ExpectStored();
    EXPECT_TRUE(Journals().empty());
    pipeline_.reset();
  }
}

TEST_F(Trouble, SendersGoOnWhileAFileIsTriedAgain) {
  Open();
  MustSend(Signal::kTraces, "a", 3);
  TakeAway(Signal::kTraces);
  (void)pipeline_->Flush(milliseconds(10));
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::vector<std::thread> senders;
  for (int t = 0; t < 4; ++t) {
    senders.emplace_back([&, t] {
      for (int i = 0; !stop; ++i) {
        const std::string prefix = std::to_string(t) + "x" + std::to_string(i);
        const AcceptResult result = Send(Signal::kTraces, prefix, 1, 20'000);
        if (!result.status.ok()) break;
        std::lock_guard lock(mutex);
        Want(Signal::kTraces, prefix, 1);
      }
    });
  }
  // Enough for more than one segment of the journal.
  EXPECT_TRUE(Eventually([&] { return pipeline_->QueuedBytes() > 40u << 20; }));
  PutBack(Signal::kTraces);
  stop = true;
  for (auto& sender : senders) sender.join();
  MustFlush();
  ExpectStored();
  ExpectBalance();
}

TEST_F(Trouble, WhatCannotBeWrittenBeforeTheEndStaysForTheNextStart) {
  Open();
  MustSend(Signal::kTraces, "a", 3);
  MustSend(Signal::kLogs, "l", 2);
  TakeAway(Signal::kTraces);
  const Status status = pipeline_->Shutdown(milliseconds(50));
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find("otlp-arrow recover"), std::string::npos) << status.message();
  EXPECT_EQ(pipeline_->Shutdown(kLong).message(), status.message());
  EXPECT_EQ(pipeline_->GetLedger()[Signal::kTraces].in_flight, 3);
  ExpectBalance();
  EXPECT_EQ(Journals().size(), 1u);
  pipeline_.reset();
  EXPECT_EQ(Journals().size(), 1u);
  PutBack(Signal::kTraces);
  Open();
  ExpectStored();
  MustShutDown();
  EXPECT_TRUE(Journals().empty());
}

TEST_F(Trouble, RequestsWaitingBehindADiskThatRefusesAreToldSo) {
  config_.memory_budget = 10'000;
  config_.admission_timeout_ms = 20;
  Open();
  MustSend(Signal::kTraces, "a", 1);
  TakeAway(Signal::kTraces);
  (void)pipeline_->Flush(milliseconds(10));
  EXPECT_TRUE(Eventually([&] { return !pipeline_->Ready(nullptr); }));
  AcceptResult result;
  for (int i = 0; i < 10 && result.status.ok(); ++i) {
    result = Send(Signal::kTraces, "r" + std::to_string(i), 1, 2000);
    if (result.status.ok()) Want(Signal::kTraces, "r" + std::to_string(i), 1);
  }
  EXPECT_EQ(result.status.code(), StatusCode::kIo);
  EXPECT_TRUE(result.status.retryable());
  EXPECT_EQ(Refused(Signal::kTraces, "disk"), 1);
  PutBack(Signal::kTraces);
  MustFlush();
  ExpectStored();
  ExpectBalance();
}

// A disk of a few MiB, where the system lets us mount one.
class FullDisk : public PipelineTest {
 protected:
  void SetUp() override {
    disk_ = dir_ / "disk";
    fs::create_directory(disk_);
    if (::mount("tmpfs", disk_.c_str(), "tmpfs", 0, "size=8m") != 0) GTEST_SKIP() << "mounting a file system takes rights that we have not";
    mounted_ = true;
    config_.output_dir = disk_;
    layout_ = StoreLayout(disk_);
  }
  void TearDown() override {
    pipeline_.reset();
    // Arrow's I/O threads may hold a file that was read a moment longer than its reader did.
    if (mounted_) {
      EXPECT_TRUE(Eventually([&] { return ::umount(disk_.c_str()) == 0; })) << std::strerror(errno);
    }
  }
  void TakeAllSpace() {
    auto file = platform::File::Open(disk_ + "/ballast", platform::File::Mode::kReadWrite);
    ASSERT_TRUE(file.ok());
    uint64_t size = 0;
    for (size_t piece : {size_t{1} << 16, size_t{4096}}) {
      while (file->WriteAt(size, std::string(piece, 'x')).ok()) size += piece;
    }
  }
  void GiveSpaceBack() { fs::remove(disk_ + "/ballast"); }

  std::string disk_;
  bool mounted_ = false;
};

TEST_F(FullDisk, RequestsAreRefusedUntilThereIsSpace) {
  Open();
  MustSend(Signal::kTraces, "before", 3);
  MustFlush();
  TakeAllSpace();
  AcceptResult result;
  for (int i = 0; i < 100 && result.status.ok(); ++i) {
    result = Send(Signal::kTraces, "r" + std::to_string(i), 1, 50'000);
    if (result.status.ok()) Want(Signal::kTraces, "r" + std::to_string(i), 1);
  }
  EXPECT_EQ(result.status.code(), StatusCode::kIo);
  EXPECT_TRUE(result.status.retryable());
  EXPECT_GT(result.retry_after.count(), 0);
  EXPECT_NE(result.status.message().find("space"), std::string::npos) << result.status.message();
  EXPECT_GE(Refused(Signal::kTraces, "disk"), 1);
  std::string why;
  EXPECT_FALSE(pipeline_->Ready(&why));
  EXPECT_NE(why.find("space"), std::string::npos) << why;
  ExpectBalance();

  GiveSpaceBack();
  EXPECT_TRUE(Eventually([&] { return pipeline_->Ready(nullptr); })) << "it looks again by itself";
  MustSend(Signal::kTraces, "after", 3);
  MustFlush();
  ExpectStored(disk_);
  ExpectBalance();
}

TEST_F(FullDisk, AFileThatDoesNotFitIsWrittenWhenItDoes) {
  for (const Acknowledge level : {Acknowledge::kMemory, Acknowledge::kJournal}) {
    config_.acknowledge = level;
    config_.compression = Compression::kNone;
    Open();
    const std::string prefix = std::to_string(static_cast<int>(level));
    for (int i = 0; i < 5; ++i) MustSend(Signal::kTraces, prefix + "r" + std::to_string(i), 10, 20'000);
    TakeAllSpace();
    EXPECT_FALSE(pipeline_->Flush(milliseconds(200)).ok());
    EXPECT_TRUE(Eventually([&] { return !pipeline_->Ready(nullptr); }));
    ExpectBalance();
    GiveSpaceBack();
    MustFlush();
    ExpectStored(disk_);
    ExpectBalance();
    MustShutDown();
    EXPECT_TRUE(Journals().empty());
    pipeline_.reset();
  }
}

// --- retention ---

TEST_F(PipelineTest, FilesExpire) {
  config_.trace_cleanup_interval_secs = 600;
  config_.log_cleanup_interval_secs = 0;
  Open();
  MustSend(Signal::kTraces, "old", 3);
  MustSend(Signal::kLogs, "eternal", 2);
  MustFlush();
  ExpectStored();
  clock_->Advance(seconds(700));
  EXPECT_TRUE(Eventually([&] { return pipeline_->GetLedger()[Signal::kTraces].expired == 3; }));
  wanted_[static_cast<size_t>(Signal::kTraces)].clear();
  ExpectStored();
  EXPECT_EQ(pipeline_->GetLedger()[Signal::kTraces].stored, 0);
  EXPECT_EQ(pipeline_->GetLedger()[Signal::kLogs].stored, 2);
  ExpectBalance();
  MustShutDown();
  ExpectSavedLedger();
}

TEST_F(PipelineTest, FilesOfEarlierLivesExpireAndTheirLedgersSaySo) {
  Open();
  MustSend(Signal::kTraces, "old", 3);
  pipeline_.reset();
  clock_->Advance(seconds(700));
  Open();
  EXPECT_TRUE(Eventually([&] { return ReadDirectoryLedger(layout_).sum[Signal::kTraces].expired == 3; }));
  EXPECT_TRUE(DataFiles(dir_.path(), Signal::kTraces).empty());
  const Ledger ledger = ReadDirectoryLedger(layout_).sum;
  EXPECT_EQ(ledger[Signal::kTraces].stored, 0);
  EXPECT_TRUE(ledger.Balances());
}

}  // namespace
}  // namespace otlp_arrow
