#include "server/common/otlp_response.h"

#include <chrono>

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "rpc_status_reference.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;

AcceptResult Refusal(Status status, milliseconds retry_after = {}) {
  AcceptResult result;
  result.status = std::move(status);
  result.retry_after = retry_after;
  return result;
}

TEST(ExportResponseTest, FullSuccessIsEmpty) { EXPECT_EQ(EncodeExportResponse({}), ""); }

TEST(ExportResponseTest, PartialSuccessReadsAsAnySignals) {
  AcceptResult result;
  result.rejected_items = 1'000'000'007;
  result.rejected_reason = "trace_id must be 16 bytes";
  const std::string bytes = EncodeExportResponse(result);
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse traces;
  ASSERT_TRUE(traces.ParseFromString(bytes));
  EXPECT_EQ(traces.partial_success().rejected_spans(), 1'000'000'007);
  EXPECT_EQ(traces.partial_success().error_message(), result.rejected_reason);
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceResponse metrics;
  ASSERT_TRUE(metrics.ParseFromString(bytes));
  EXPECT_EQ(metrics.partial_success().rejected_data_points(), 1'000'000'007);
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse logs;
  ASSERT_TRUE(logs.ParseFromString(bytes));
  EXPECT_EQ(logs.partial_success().rejected_log_records(), 1'000'000'007);
}

TEST(RpcStatusTest, CodeFollowsKindAndRetryability) {
  EXPECT_EQ(CodeOf({}), RpcCode::kOk);
  EXPECT_EQ(CodeOf(Refusal(Status::Export("bad"))), RpcCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Refusal(Status::BufferFull("full"))), RpcCode::kResourceExhausted);
  EXPECT_EQ(CodeOf(Refusal(Status::Io("disk full", true))), RpcCode::kUnavailable);
  EXPECT_EQ(CodeOf(Refusal(Status::Io("broken"))), RpcCode::kInternal);
  EXPECT_EQ(CodeOf(Refusal(Status::Shutdown("bye"))), RpcCode::kUnavailable);
}

TEST(RpcStatusTest, OnlyRetryableRefusalsHaveADelay) {
  EXPECT_EQ(RetryDelayOf({}), milliseconds{0});
  EXPECT_EQ(RetryDelayOf(Refusal(Status::Export("bad"), milliseconds{50})), milliseconds{0});
  EXPECT_EQ(RetryDelayOf(Refusal(Status::BufferFull("full"), milliseconds{50})), milliseconds{50});
  EXPECT_GT(RetryDelayOf(Refusal(Status::Shutdown("bye"))), milliseconds{0});
  EXPECT_GT(RetryDelayOf(Refusal(Status::Io("disk full", true))), milliseconds{0});
}

TEST(RpcStatusTest, ReadsAsGoogleRpcStatus) {
  RpcStatusReader reader;
  const auto status = reader.Read(EncodeRpcStatus(RpcCode::kResourceExhausted, "no room", milliseconds{2250}));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 8);
  EXPECT_EQ(status->message, "no room");
  EXPECT_EQ(status->retry_delay, milliseconds{2250});
}

TEST(RpcStatusTest, WithoutADelayThereIsNoRetryInfo) {
  RpcStatusReader reader;
  const std::string long_message(300, 'm');
  const auto status = reader.Read(EncodeRpcStatus(RpcCode::kInvalidArgument, long_message, milliseconds{0}));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 3);
  EXPECT_EQ(status->message, long_message);
  EXPECT_FALSE(status->retry_delay);
}

}  // namespace
}  // namespace otlp_arrow
