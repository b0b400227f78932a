#include "service/replayer.h"

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/stored_files.h"
#include "query/stored_files_testing.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::LogRequest;
using ::testing::SizeIs;
using testing::SpanRequest;
using testing::TestDirectory;
using testing::WriteStoredFile;
using Kind = SendOutcome::Kind;

class FakeClock : public Clock {
 public:
  WallTime Now() const override { return WallTime(now_.time_since_epoch()); }
  SteadyTime SteadyNow() const override { return now_; }
  void Advance(milliseconds time) { now_ += time; }

 private:
  SteadyTime now_{seconds(1000)};
};

struct Sent {
  Signal signal;
  std::vector<std::string> names;  // of spans; of log records their bodies
};

// Takes what it gets, or answers as the script says.
class FakeSender : public OtlpSender {
 public:
  SendOutcome Send(Signal signal, std::string_view request, milliseconds) override {
    ++attempts;
    SendOutcome outcome;
    if (!script.empty()) {
      outcome = script.front();
      script.erase(script.begin());
    }
    if (outcome.taken()) sent.push_back(Read(signal, std::string(request)));
    return outcome;
  }

  void Cancel() override {}

  int attempts = 0;
  std::vector<SendOutcome> script;
  std::vector<Sent> sent;

 private:
  static Sent Read(Signal signal, const std::string& bytes) {
    Sent result{signal, {}};
    if (signal == Signal::kTraces) {
      opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest request;
      EXPECT_TRUE(request.ParseFromString(bytes));
      for (const auto& r : request.resource_spans()) {
        for (const auto& s : r.scope_spans()) {
          for (const auto& span : s.spans()) {
            result.names.push_back(r.resource().attributes(0).value().string_value() + "/" + span.name());
          }
        }
      }
    } else {
      opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest request;
      EXPECT_TRUE(request.ParseFromString(bytes));
      result.names.push_back(request.resource_logs(0).scope_logs(0).log_records(0).body().string_value());
    }
    return result;
  }
};

class ReplayerTest : public ::testing::Test {
 protected:
  ReplayReport Run() {
    Replayer::Hooks hooks;
    hooks.clock = clock_;
    hooks.sleep = [this](milliseconds time) {
      sleeps_.push_back(time);
      clock_->Advance(time);
      return --sleeps_left_ != 0;
    };
    hooks.stopping = [this] { return stopping_ && stopping_(); };
    hooks.random = [] { return 0.0; };
    hooks.on_progress = [](const ReplayReport&) {};
    hooks.on_problem = [this](const std::string& text) { problems_.push_back(text); };
    auto files = FindStoredFiles(directory_.path());
    EXPECT_TRUE(files.ok());
    std::unique_ptr<ReplayState> state;
    if (!options_.resume_file.empty()) {
      auto opened = ReplayState::Open(options_.resume_file, "options", clock_);
      EXPECT_TRUE(opened.ok()) << opened.status().ToString();
      state = *std::move(opened);
    }
    const ReplayReport report = Replayer(options_, senders_, hooks, state.get()).Run(*files);
    if (state) {
      EXPECT_TRUE(state->Close().ok());
    }
    return report;
  }
  void WriteTwoFiles() {
    WriteStoredFile(directory_ / "20240506T000001Z-b.arrow", Signal::kLogs, {LogRequest(3000)});
    WriteStoredFile(directory_ / "20240506T000000Z-a.arrow", Signal::kTraces,
                    {SpanRequest("shop", 3, 1000), SpanRequest("pay", 2, 2000)});
  }
  static SendOutcome Answer(Kind kind, const std::string& message, std::optional<milliseconds> retry_after = {}) {
    SendOutcome outcome;
    outcome.kind = kind;
    outcome.message = message;
    outcome.retry_after = retry_after;
    return outcome;
  }

  TestDirectory directory_;
  ReplayOptions options_;
  FakeSender sender_;
  std::vector<OtlpSender*> senders_ = {&sender_};
  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  std::vector<milliseconds> sleeps_;
  int sleeps_left_ = -1;
  std::function<bool()> stopping_;
  std::vector<std::string> problems_;
};

TEST_F(ReplayerTest, SendsEverythingInOrder) {
  WriteTwoFiles();
  options_.batch = 2;
  const ReplayReport report = Run();
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(report.files, 2);
  EXPECT_EQ(report.sent, 6);
  EXPECT_EQ(report.unsent(), 0);
  ASSERT_THAT(sender_.sent, SizeIs(4));
  EXPECT_THAT(sender_.sent[0].names, ElementsAre("shop/span 0", "shop/span 1"));
  EXPECT_THAT(sender_.sent[1].names, ElementsAre("shop/span 2"));
  EXPECT_THAT(sender_.sent[2].names, ElementsAre("pay/span 0", "pay/span 1"));
  EXPECT_EQ(sender_.sent[3].signal, Signal::kLogs);
  EXPECT_THAT(sleeps_, IsEmpty());
}

TEST_F(ReplayerTest, OnlyTheWantedSignals) {
  WriteTwoFiles();
  options_.signals = {Signal::kLogs};
  const ReplayReport report = Run();
  EXPECT_EQ(report.total, 1);
  EXPECT_EQ(report.sent, 1);
  EXPECT_THAT(sender_.sent[0].names, ElementsAre("hello"));
}

TEST_F(ReplayerTest, OnlyTheWantedTime) {
  WriteTwoFiles();
  options_.since = ReplayOptions::Time(seconds(1001));
  options_.until = ReplayOptions::Time(seconds(2001));
  const ReplayReport report = Run();
  EXPECT_EQ(report.left_out, 3);  // spans at 1000 and 2001, the log record at 3000
  EXPECT_EQ(report.sent, 3);
  EXPECT_THAT(sender_.sent[0].names, ElementsAre("shop/span 1", "shop/span 2"));
  EXPECT_THAT(sender_.sent[1].names, ElementsAre("pay/span 0"));
  options_.since = ReplayOptions::Time(seconds(3000));  // the log record has an observed time only
  options_.until.reset();
  EXPECT_EQ(Run().sent, 1);
}

TEST_F(ReplayerTest, DryRunSendsNothing) {
  WriteTwoFiles();
  options_.dry_run = true;
  const ReplayReport report = Run();
  EXPECT_EQ(report.sent, 6);
  EXPECT_GT(report.bytes, 100);
  EXPECT_EQ(sender_.attempts, 0);
}

TEST_F(ReplayerTest, RetriesAsThePeerWishes) {
  WriteTwoFiles();
  sender_.script = {Answer(Kind::kRetryable, "busy"), Answer(Kind::kRetryable, "busy"),
                    Answer(Kind::kRetryable, "full", seconds(7))};
  const ReplayReport report = Run();
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(report.sent, 6);
  EXPECT_THAT(sleeps_, ElementsAre(milliseconds(250), milliseconds(500), milliseconds(7000)));
  EXPECT_THAT(problems_, Contains("busy; next attempt in 0.5 s"));
}

TEST_F(ReplayerTest, GivesUpWhenThePeerStaysAway) {
  WriteTwoFiles();
  options_.retry_for = seconds(1);
  sender_.script.assign(100, Answer(Kind::kRetryable, "away"));
  const ReplayReport report = Run();
  EXPECT_FALSE(report.complete());
  EXPECT_TRUE(report.gave_up);
  EXPECT_EQ(report.sent, 0);
  EXPECT_EQ(report.failed, 3);
  EXPECT_EQ(report.unsent(), 3);
  EXPECT_THAT(sleeps_, ElementsAre(milliseconds(250), milliseconds(500)));
  EXPECT_THAT(problems_, Contains("gave up after 1.0 s: away"));
}

TEST_F(ReplayerTest, ARefusedRequestIsLostAndTheRestIsSent) {
  WriteTwoFiles();
  sender_.script = {Answer(Kind::kRefused, "bad")};
  const ReplayReport report = Run();
  EXPECT_FALSE(report.complete());
  EXPECT_EQ(report.failed, 3);
  EXPECT_EQ(report.sent, 3);
  EXPECT_THAT(problems_, ElementsAre("the peer refused 3 spans: bad"));
}

TEST_F(ReplayerTest, AnUnusablePeerEndsIt) {
  WriteTwoFiles();
  options_.sender.endpoint = *ParseEndpoint("http://h:4318");
  sender_.script = {Answer(Kind::kUnusable, "HTTP 401")};
  const ReplayReport report = Run();
  EXPECT_TRUE(report.gave_up);
  EXPECT_EQ(sender_.attempts, 1);
  EXPECT_THAT(problems_, ElementsAre(AllOf(HasSubstr("http://h:4318"), HasSubstr("HTTP 401"))));
}

TEST_F(ReplayerTest, CountsWhatThePeerLeftOut) {
  WriteTwoFiles();
  SendOutcome partial = Answer(Kind::kTaken, "bad ids");
  partial.rejected_items = 2;
  sender_.script = {partial};
  const ReplayReport report = Run();
  EXPECT_FALSE(report.complete());
  EXPECT_EQ(report.rejected, 2);
  EXPECT_EQ(report.sent, 4);
  EXPECT_THAT(problems_, ElementsAre("the peer left out 2 of 3 spans: bad ids"));
}

TEST_F(ReplayerTest, KeepsTheRate) {
  WriteTwoFiles();
  options_.items_per_second = 2;
  EXPECT_TRUE(Run().complete());
  EXPECT_THAT(sleeps_, ElementsAre(milliseconds(1500), milliseconds(1000)));  // 3 spans; 2 more; then the log record
}

TEST_F(ReplayerTest, StopsBetweenRequests) {
  WriteTwoFiles();
  stopping_ = [this] { return sender_.attempts == 1; };
  const ReplayReport report = Run();
  EXPECT_TRUE(report.stopped);
  EXPECT_EQ(report.sent, 3);
  EXPECT_EQ(report.failed, 0);
  EXPECT_EQ(report.unsent(), 3);
}

TEST_F(ReplayerTest, StopsWhileWaitingForTheNextAttempt) {
  WriteTwoFiles();
  sleeps_left_ = 1;
  sender_.script.assign(9, Answer(Kind::kRetryable, "busy"));
  const ReplayReport report = Run();
  EXPECT_TRUE(report.stopped);
  EXPECT_FALSE(report.gave_up);
  EXPECT_EQ(report.failed, 0);
  EXPECT_EQ(sender_.attempts, 1);
}

TEST_F(ReplayerTest, GoesOnWhereAnInterruptedReplayWas) {
  WriteTwoFiles();
  options_.batch = 2;
  options_.resume_file = ::testing::TempDir() + "replayer_test_state";
  std::filesystem::remove(options_.resume_file);
  stopping_ = [this] { return sender_.attempts == 2; };  // three of five spans are sent
  EXPECT_TRUE(Run().stopped);
  stopping_ = nullptr;
  const ReplayReport rest = Run();
  EXPECT_TRUE(rest.complete());
  EXPECT_EQ(rest.earlier, 3);
  EXPECT_EQ(rest.sent, 3);
  EXPECT_EQ(rest.unsent(), 0);
  ASSERT_THAT(sender_.sent, SizeIs(4));
  EXPECT_THAT(sender_.sent[2].names, ElementsAre("pay/span 0", "pay/span 1"));
  const ReplayReport nothing = Run();
  EXPECT_TRUE(nothing.complete());
  EXPECT_EQ(nothing.earlier, 6);
  EXPECT_EQ(nothing.sent, 0);
  WriteStoredFile(directory_ / "20240506T000002Z-c.arrow", Signal::kLogs, {LogRequest(4000)});
  EXPECT_EQ(Run().sent, 1) << "what is new";
}

TEST_F(ReplayerTest, WhatAPeerNeverTookIsSentByTheNextReplay) {
  WriteTwoFiles();
  options_.retry_for = milliseconds(0);
  options_.resume_file = ::testing::TempDir() + "replayer_test_state";
  std::filesystem::remove(options_.resume_file);
  sender_.script = {Answer(Kind::kUnusable, "HTTP 401")};
  EXPECT_TRUE(Run().gave_up);
  sender_.script = {Answer(Kind::kRetryable, "away")};
  EXPECT_TRUE(Run().gave_up);
  EXPECT_EQ(Run().sent, 6);
}

// Takes nothing before two requests are under way.
class MeetingSender : public OtlpSender {
 public:
  struct Place {
    std::mutex mutex;
    std::condition_variable met;
    int begun = 0;
  };
  explicit MeetingSender(Place* place) : place_(place) {}
  SendOutcome Send(Signal, std::string_view, milliseconds) override {
    std::unique_lock lock(place_->mutex);
    ++place_->begun;
    place_->met.notify_all();
    SendOutcome outcome;
    if (!place_->met.wait_for(lock, seconds(20), [this] { return place_->begun >= 2; })) outcome.kind = Kind::kRefused;
    return outcome;
  }
  void Cancel() override {}

 private:
  Place* place_;
};

TEST_F(ReplayerTest, SeveralRequestsAreUnderWayAtATime) {
  for (int i = 0; i < 9; ++i) WriteStoredFile(directory_ / ("2024050" + std::to_string(i) + "T000000Z-a.arrow"), Signal::kLogs, {LogRequest(3000)});
  MeetingSender::Place place;
  MeetingSender first(&place), second(&place);
  senders_ = {&first, &second};
  options_.resume_file = ::testing::TempDir() + "replayer_test_state";
  std::filesystem::remove(options_.resume_file);
  const ReplayReport report = Run();
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(report.sent, 9);
  EXPECT_EQ(Run().earlier, 9);
}

TEST_F(ReplayerTest, DamagedFilesAreNamedAndTheRestIsSent) {
  WriteTwoFiles();
  std::ofstream(directory_ / "20230506T000001Z-b.arrow") << "nonsense";
  const ReplayReport report = Run();
  EXPECT_TRUE(report.damaged);
  EXPECT_FALSE(report.complete());
  EXPECT_EQ(report.sent, 6);
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("20230506T000001Z-b.arrow")));
}

}  // namespace
}  // namespace otlp_arrow
