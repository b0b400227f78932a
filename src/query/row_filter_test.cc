#include "query/row_filter.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/stored_files_testing.h"
#include "schema/decode.h"
#include "stored_rows.h"

namespace otlp_arrow {
namespace {

using ::testing::ElementsAre;
using testing::LogRequest;
using testing::NamesIn;
using testing::SpanRequest;

constexpr int64_t kSecond = 1'000'000'000;

std::shared_ptr<arrow::RecordBatch> Decoded(Signal signal, const std::string& request) { return (*DecodeOtlp(signal, request))[0]; }

std::vector<std::string> Names(const RowFilter& filter, const std::shared_ptr<arrow::RecordBatch>& batch) {
  const auto filtered = FilterRows(Signal::kTraces, filter, batch);
  EXPECT_TRUE(filtered.ok()) << filtered.status().ToString();
  return NamesIn(Signal::kTraces, {*filtered});
}

TEST(RowFilterTest, TheStartIsInTheRangeAndTheEndIsNot) {
  const auto spans = Decoded(Signal::kTraces, SpanRequest("shop", 5, 100));
  EXPECT_THAT(Names({.start = 101 * kSecond, .end = 103 * kSecond, .services = {}}, spans), ElementsAre("span 1", "span 2"));
  EXPECT_THAT(Names({.start = 103 * kSecond, .end = {}, .services = {}}, spans), ElementsAre("span 3", "span 4"));
  EXPECT_THAT(Names({.start = {}, .end = 100 * kSecond, .services = {}}, spans), ElementsAre());
  EXPECT_EQ(Names({}, spans).size(), 5u);
}

TEST(RowFilterTest, TakesTheRowsOfTheServices) {
  const auto shop = Decoded(Signal::kTraces, SpanRequest("shop", 2, 100));
  const auto without = Decoded(Signal::kTraces, SpanRequest("", 2, 100));
  EXPECT_EQ(Names({.start = {}, .end = {}, .services = {"bank", "shop"}}, shop).size(), 2u);
  EXPECT_EQ(Names({.start = {}, .end = {}, .services = {"bank"}}, shop).size(), 0u);
  EXPECT_EQ(Names({.start = {}, .end = {}, .services = {"shop"}}, without).size(), 0u);
  EXPECT_THAT(Names({.start = 101 * kSecond, .end = {}, .services = {"shop"}}, shop), ElementsAre("span 1"));
}

TEST(RowFilterTest, ALogRecordWithoutATimeIsFoundByItsObservedTime) {
  const auto logs = Decoded(Signal::kLogs, LogRequest(50));
  EXPECT_EQ((*FilterRows(Signal::kLogs, {.start = 50 * kSecond, .end = 51 * kSecond, .services = {}}, logs))->num_rows(), 1);
  EXPECT_EQ((*FilterRows(Signal::kLogs, {.start = 51 * kSecond, .end = {}, .services = {}}, logs))->num_rows(), 0);
}

TEST(RowFilterTest, RowsWithoutATimeStayOnlyWithoutBounds) {
  const auto gauges = Decoded(Signal::kMetrics, testing::NamedRequest(Signal::kMetrics, "g", 3));
  EXPECT_EQ((*FilterRows(Signal::kMetrics, {.start = 0, .end = {}, .services = {}}, gauges))->num_rows(), 0);
  EXPECT_EQ((*FilterRows(Signal::kMetrics, {}, gauges))->num_rows(), 3);
}

TEST(RowFilterTest, NamesTheColumnsThatItLooksAt) {
  EXPECT_THAT((RowFilter{.start = 1, .end = {}, .services = {"a"}}.Columns(Signal::kTraces)), ElementsAre("start_time", "service_name"));
  EXPECT_THAT((RowFilter{.start = {}, .end = 1, .services = {}}.Columns(Signal::kLogs)), ElementsAre("time", "observed_time"));
  EXPECT_THAT(RowFilter{}.Columns(Signal::kMetrics), ElementsAre());
}

}  // namespace
}  // namespace otlp_arrow
