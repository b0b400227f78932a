#include "service/measured_pipeline.h"

#include <chrono>
#include <numeric>
#include <thread>

#include <gtest/gtest.h>

#include "fake_pipeline.h"

namespace otlp_arrow {
namespace {

uint64_t Count(const MeasuredPipeline::Requests& requests) { return std::accumulate(requests.durations.begin(), requests.durations.end(), uint64_t{0}); }

SharedBytes Bytes(size_t size) { return SharedBytes::Take(std::string(size, 'x')); }

TEST(MeasuredPipeline, CountsByWhatBecameOfRequests) {
  FakePipeline inner;
  MeasuredPipeline measured("grpc", &inner);
  const auto send = [&](AcceptResult answer) {
    inner.AnswerWith(answer);
    AcceptResult got;
    measured.Accept(Signal::kLogs, Bytes(10), [&](AcceptResult result) { got = std::move(result); });
    EXPECT_EQ(got.status.message(), answer.status.message());
    EXPECT_EQ(got.rejected_items, answer.rejected_items);
  };
  send({});
  send({});
  AcceptResult partial;
  partial.rejected_items = 1;
  send(partial);
  AcceptResult refused;
  refused.status = Status::BufferFull("no room");
  send(refused);
  AcceptResult invalid;
  invalid.status = Status::Export("no OTLP");
  send(invalid);
  const auto requests = measured.RequestsOf(Signal::kLogs);
  EXPECT_EQ(requests.results, (std::array<uint64_t, kRequestResultCount>{2, 1, 1, 1}));
  EXPECT_EQ(requests.bytes, 50u);
  EXPECT_EQ(Count(requests), 5u);
  EXPECT_GT(requests.duration_sum_secs, 0);
  EXPECT_EQ(Count(measured.RequestsOf(Signal::kTraces)), 0u);
  EXPECT_EQ(inner.requests().size(), 5u);
}

TEST(MeasuredPipeline, MeasuresUntilTheAnswer) {
  FakePipeline inner;
  MeasuredPipeline measured("http", &inner);
  inner.Defer();
  const auto start = std::chrono::steady_clock::now();
  bool answered = false;
  measured.Accept(Signal::kTraces, Bytes(1), [&](const AcceptResult&) { answered = true; });
  EXPECT_EQ(Count(measured.RequestsOf(Signal::kTraces)), 0u);
  std::this_thread::sleep_until(start + std::chrono::milliseconds(2));
  inner.Release();
  EXPECT_TRUE(answered);
  const auto requests = measured.RequestsOf(Signal::kTraces);
  EXPECT_EQ(Count(requests), 1u);
  EXPECT_GE(requests.duration_sum_secs, 0.0015);
  EXPECT_EQ(requests.durations[0] + requests.durations[1] + requests.durations[2] + requests.durations[3], 0u);
}

TEST(MeasuredPipeline, CountsWhatTheServerRefusedItself) {
  FakePipeline inner;
  MeasuredPipeline measured("http", &inner);
  measured.CountRefused(Signal::kLogs, 0, "unauthenticated");
  measured.CountRefused(Signal::kTraces, 3, "unauthenticated");
  measured.CountRefused(Signal::kTraces, 0, "too_large");
  EXPECT_EQ(measured.Refusals(), (std::map<std::string, uint64_t, std::less<>>{{"too_large", 1}, {"unauthenticated", 2}}));
  ASSERT_EQ(inner.refusals().size(), 3u);
  EXPECT_EQ(inner.refusals()[1].items, 3);
}

}  // namespace
}  // namespace otlp_arrow
