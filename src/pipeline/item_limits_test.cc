// What is over the limits of the configuration never gets further than the door: neither to the journal nor to files.
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/pipeline.h"
#include "random_otlp.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using testing::NamedRequest;
using testing::StoredNames;
using testing::TempDir;
using testing::TraceRequest;

constexpr auto kLong = std::chrono::seconds(60);

class ItemLimits : public ::testing::Test {
 protected:
  ItemLimits() {
    config_.output_dir = dir_.path();
    config_.workers = 1;
    config_.write_interval_secs = 3600;
    config_.limits.max_attributes = 2;
    config_.limits.max_value_depth = 3;
  }

  void Open() {
    auto pipeline = Pipeline::Open(config_);
    ASSERT_TRUE(pipeline.ok()) << pipeline.status().ToString();
    pipeline_ = *std::move(pipeline);
  }
  AcceptResult Accept(const TraceRequest& request) {
    return pipeline_->AcceptAndWait(Signal::kTraces, SharedBytes::Take(request.SerializeAsString()));
  }
  // Spans a-0 to a-3; the second has as many attributes as are allowed, the third one more, the fourth a deep value.
  static TraceRequest SpansAtTheLimits() {
    TraceRequest request;
    EXPECT_TRUE(request.ParseFromString(NamedRequest(Signal::kTraces, "a", 4)));
    auto* spans = request.mutable_resource_spans(0)->mutable_scope_spans(0)->mutable_spans();
    for (int i = 1; i < 4; ++i) (*spans)[i].clear_attributes();
    for (int i = 0; i < 2; ++i) (*spans)[1].add_attributes()->set_key("k");
    for (int i = 0; i < 3; ++i) (*spans)[2].add_attributes()->set_key("k");
    auto* value = (*spans)[3].add_attributes()->mutable_value();
    for (int i = 0; i < 4; ++i) value = value->mutable_array_value()->add_values();
    return request;
  }
  void ExpectStored(const std::vector<std::string>& names) {
    const Status status = pipeline_->Flush(kLong);
    EXPECT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(StoredNames(dir_.path(), Signal::kTraces), names);
    EXPECT_TRUE(pipeline_->GetLedger().Balances());
  }

  TempDir dir_;
  Config config_;
  std::unique_ptr<Pipeline> pipeline_;
};

TEST_F(ItemLimits, ItemsOverThemAreLeftOutCountedAndNamed) {
  Open();
  const AcceptResult result = Accept(SpansAtTheLimits());
  EXPECT_TRUE(result.status.ok());
  EXPECT_EQ(result.accepted_items, 2);
  EXPECT_EQ(result.rejected_items, 2);
  EXPECT_EQ(result.rejected_reason, "2 of 4 items rejected: a list of attributes has more than 2 entries (limits.max_attributes)");
  ExpectStored({"a-0", "a-1"});
  EXPECT_EQ(pipeline_->GetLedger()[Signal::kTraces].invalid.at("limit"), 2);
}

// The next process reads the journal of a dead one; its limits may be others.
TEST_F(ItemLimits, WhatAProcessLeftIsTheSameWithOtherLimits) {
  Open();
  ASSERT_EQ(Accept(SpansAtTheLimits()).accepted_items, 2);
  TempDir as_it_died;
  std::filesystem::copy(dir_.path(), as_it_died.path(), std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  Config other;
  other.output_dir = as_it_died.path();
  other.workers = 1;
  auto next = Pipeline::Open(other);
  ASSERT_TRUE(next.ok()) << next.status().ToString();
  EXPECT_TRUE((*next)->Flush(kLong).ok());
  EXPECT_EQ(StoredNames(as_it_died.path(), Signal::kTraces), (std::vector<std::string>{"a-0", "a-1"}));
}

TEST_F(ItemLimits, OfARequestAllOverThemNothingIsKept) {
  Open();
  TraceRequest request;
  ASSERT_TRUE(request.ParseFromString(NamedRequest(Signal::kTraces, "a", 3)));
  for (int i = 0; i < 3; ++i) request.mutable_resource_spans(0)->mutable_resource()->add_attributes()->set_key("k");
  const AcceptResult result = Accept(request);
  EXPECT_TRUE(result.status.ok());
  EXPECT_EQ(result.accepted_items, 0);
  EXPECT_EQ(result.rejected_items, 3);
  ExpectStored({});
}

TEST_F(ItemLimits, ChangeWhileItRuns) {
  Open();
  config_.limits = {};
  ASSERT_TRUE(pipeline_->Reconfigure(config_).ok());
  EXPECT_EQ(Accept(SpansAtTheLimits()).accepted_items, 4);
  config_.limits.max_value_depth = 1;
  ASSERT_TRUE(pipeline_->Reconfigure(config_).ok());
  EXPECT_EQ(Accept(SpansAtTheLimits()).accepted_items, 3);
  ExpectStored({"a-0", "a-0", "a-1", "a-1", "a-2", "a-2", "a-3"});
}

}  // namespace
}  // namespace otlp_arrow
