#include "storage/retention.h"

#include <gtest/gtest.h>

#include "base/platform/platform.h"
#include "manual_clock.h"
#include "storage/signal_writer.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;
using testing::NamedRequest;

constexpr sys_seconds kNow{seconds(1'700'000'000)};

bool Anyone(const std::string&) { return true; }

class Retention : public ::testing::Test {
 protected:
  Retention() : layout_(dir_.path()) {
    for (Signal s : kAllSignals) EXPECT_TRUE(platform::CreateDirectories(layout_.DataDir(s)).ok());
  }

  // A file of so many bytes that is no Arrow file: only name and size matter to the rules.
  std::string Put(Signal signal, seconds age, uint64_t bytes = 10, const std::string& writer = "w") {
    const DataFileName name{kNow - age, writer, {++sequence_, sequence_}};
    return PutNamed(signal, name.ToString(), bytes);
  }
  std::string PutNamed(Signal signal, const std::string& name, uint64_t bytes = 10) {
    const std::string path = layout_.DataDir(signal) + "/" + name;
    EXPECT_TRUE(platform::ReplaceFile(path, std::string(bytes, 'x'), false).ok());
    return path;
  }
  std::vector<std::string> Expire(const RetentionRules& rules, const std::function<bool(const std::string&)>& may_delete = Anyone) {
    auto expired = ExpireFiles(layout_, rules, kNow, may_delete);
    EXPECT_TRUE(expired.ok());
    std::vector<std::string> paths;
    for (const ExpiredFile& file : *expired) {
      paths.push_back(file.path);
      EXPECT_FALSE(platform::Exists(file.path));
    }
    return paths;
  }
  using Paths = std::vector<std::string>;

  testing::TempDir dir_;
  StoreLayout layout_;
  uint64_t sequence_ = 0;
};

TEST_F(Retention, RulesComeFromTheConfiguration) {
  Config config;
  config.trace_cleanup_interval_secs = 1;
  config.metric_cleanup_interval_secs = 2;
  config.log_cleanup_interval_secs = 3;
  config.max_total_bytes = 4;
  RetentionRules rules = RetentionRules::From(config);
  EXPECT_EQ(rules.max_age, (std::array{seconds(1), seconds(2), seconds(3)}));
  EXPECT_EQ(rules.max_total_bytes, 4u);
  EXPECT_TRUE(rules.any());
  rules.max_age = {};
  EXPECT_TRUE(rules.any());
  rules.max_total_bytes = 0;
  EXPECT_FALSE(rules.any());
  rules.max_age[2] = seconds(1);
  EXPECT_TRUE(rules.any());
}

TEST_F(Retention, DeletesByAgeOfEachSignal) {
  RetentionRules rules;
  rules.max_age = {seconds(100), seconds(200), seconds(0)};
  const std::string at_limit = Put(Signal::kTraces, seconds(100));
  const std::string old_trace = Put(Signal::kTraces, seconds(101));
  const std::string young_metric = Put(Signal::kMetrics, seconds(150));
  const std::string old_metric = Put(Signal::kMetrics, seconds(300));
  const std::string eternal = Put(Signal::kLogs, seconds(1'000'000));
  EXPECT_EQ(Expire(rules), (Paths{old_metric, old_trace}));
  for (const auto& kept : {at_limit, young_metric, eternal}) EXPECT_TRUE(platform::Exists(kept)) << kept;
  EXPECT_EQ(Expire(rules), Paths{});
}

TEST_F(Retention, DeletesTheOldestOfAllSignalsWhereThereIsTooMuch) {
  RetentionRules rules;
  rules.max_total_bytes = 250;
  const std::string second = Put(Signal::kLogs, seconds(40), 100);
  const std::string first = Put(Signal::kTraces, seconds(50), 100);
  const std::string third = Put(Signal::kMetrics, seconds(30), 100);
  const std::string fourth = Put(Signal::kLogs, seconds(20), 100);
  EXPECT_EQ(Expire(rules), (Paths{first, second}));
  rules.max_total_bytes = 200;
  EXPECT_EQ(Expire(rules), Paths{}) << "the limit itself is allowed";
  rules.max_total_bytes = 199;
  EXPECT_EQ(Expire(rules), Paths{third});
  rules.max_total_bytes = 1;
  EXPECT_EQ(Expire(rules), Paths{fourth});
}

TEST_F(Retention, WhatWentByAgeCountsForTheSize) {
  RetentionRules rules;
  rules.max_age = {seconds(10), seconds(0), seconds(0)};
  rules.max_total_bytes = 100;
  const std::string log = Put(Signal::kLogs, seconds(30), 60);
  const std::string trace = Put(Signal::kTraces, seconds(40), 60);
  EXPECT_EQ(Expire(rules), Paths{trace});
}

TEST_F(Retention, LeavesFilesOfOthersAlone) {
  RetentionRules rules;
  rules.max_age = {seconds(1), seconds(1), seconds(1)};
  rules.max_total_bytes = 1;
  const std::string notes = PutNamed(Signal::kTraces, "notes.txt", 1000);
  const std::string table = PutNamed(Signal::kTraces, "compacted.arrow", 1000);
  const std::string temporary = PutNamed(Signal::kTraces, "20231114T221320Z-w-0000000001_0000000002.arrow.tmp", 1000);
  const std::string live = Put(Signal::kTraces, seconds(1000), 10, "live");
  const std::string dead = Put(Signal::kTraces, seconds(500), 10, "dead");
  EXPECT_EQ(Expire(rules, [](const std::string& writer) { return writer != "live"; }), Paths{dead});
  for (const auto& kept : {notes, table, temporary, live}) EXPECT_TRUE(platform::Exists(kept)) << kept;
}

TEST_F(Retention, FilesOfLaterTimesStay) {
  RetentionRules rules;
  rules.max_age = {seconds(1), seconds(1), seconds(1)};
  Put(Signal::kTraces, seconds(-3600));
  EXPECT_EQ(Expire(rules), Paths{});
}

TEST_F(Retention, CountsTheRowsThatGo) {
  SignalWriter writer(Signal::kLogs, layout_, "w", {}, std::make_shared<ManualClock>());
  ASSERT_TRUE(platform::CreateDirectories(layout_.WriterDir("w")).ok());
  ASSERT_TRUE(writer.Add(1, NamedRequest(Signal::kLogs, "a", 7), 7, false).ok());
  PublishedFile file;
  ASSERT_TRUE(writer.Publish(&file).ok());
  const std::string unreadable = Put(Signal::kLogs, seconds(1000));
  RetentionRules rules;
  rules.max_age = {seconds(1), seconds(1), seconds(1)};
  const auto expired = ExpireFiles(layout_, rules, kNow, Anyone);
  ASSERT_TRUE(expired.ok());
  ASSERT_EQ(expired->size(), 2u);
  EXPECT_EQ((*expired)[0].path, file.path);  // the clock of its writer stands in 1970
  EXPECT_EQ((*expired)[0].items, 7);
  EXPECT_EQ((*expired)[0].writer, "w");
  EXPECT_EQ((*expired)[0].signal, Signal::kLogs);
  EXPECT_EQ((*expired)[1].path, unreadable);
  EXPECT_EQ((*expired)[1].items, 0);
}

TEST_F(Retention, AnEmptyStoreHasNothingToDelete) {
  RetentionRules rules;
  rules.max_total_bytes = 1;
  const auto expired = ExpireFiles(StoreLayout(dir_ / "none"), rules, kNow, Anyone);
  ASSERT_TRUE(expired.ok());
  EXPECT_TRUE(expired->empty());
}

}  // namespace
}  // namespace otlp_arrow
