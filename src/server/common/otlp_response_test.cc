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

TEST(JsonResponseTest, NamesAreTheSignals) {
  AcceptResult result;
  EXPECT_EQ(ExportResponseJson(Signal::kTraces, result), "{}");
  result.rejected_items = 9'007'199'254'740'993;
  EXPECT_EQ(ExportResponseJson(Signal::kTraces, result), R"({"partialSuccess":{"rejectedSpans":"9007199254740993"}})");
  EXPECT_EQ(ExportResponseJson(Signal::kMetrics, result), R"({"partialSuccess":{"rejectedDataPoints":"9007199254740993"}})");
  result.rejected_reason = "\"a\"\n\\";
  EXPECT_EQ(ExportResponseJson(Signal::kLogs, result),
            R"({"partialSuccess":{"rejectedLogRecords":"9007199254740993","errorMessage":"\"a\"\u000a\\"}})");
}

TEST(JsonResponseTest, StatusReadsAsJsonWhateverTheMessage) {
  EXPECT_EQ(RpcStatusJson(RpcCode::kInvalidArgument, "gr\xc3\xbc\xc3\x9f", milliseconds{0}), "{\"code\":3,\"message\":\"gr\xc3\xbc\xc3\x9f\"}");
  EXPECT_EQ(RpcStatusJson(RpcCode::kInvalidArgument, "no UTF-8: \xff\xc3", milliseconds{0}), R"({"code":3,"message":"no UTF-8: ??"})");
  EXPECT_EQ(RpcStatusJson(RpcCode::kUnavailable, "later", milliseconds{2005}),
            R"({"code":14,"message":"later","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2.005s"}]})");
}

}  // namespace
}  // namespace otlp_arrow
