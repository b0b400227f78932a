#include "senders/export_response.h"

#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;

// google.rpc.Status with one detail of the given type, whose value is a RetryInfo.
std::string StatusBytes(const std::string& message, const std::string& detail_type, int64_t seconds, int32_t nanos) {
  std::string duration, retry_info, any, status;
  protozero::pbf_writer duration_writer(duration);
  duration_writer.add_int64(1, seconds);
  duration_writer.add_int32(2, nanos);
  protozero::pbf_writer(retry_info).add_message(1, duration);
  protozero::pbf_writer any_writer(any);
  any_writer.add_string(1, detail_type);
  any_writer.add_bytes(2, retry_info);
  protozero::pbf_writer status_writer(status);
  status_writer.add_int32(1, 8);
  status_writer.add_string(2, message);
  status_writer.add_message(3, any);
  return status;
}

TEST(ExportResponseTest, ReadsPartialSuccess) {
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse response;
  EXPECT_EQ(ReadExportResponse(response.SerializeAsString()).rejected_items, 0);
  response.mutable_partial_success()->set_rejected_log_records(7);
  response.mutable_partial_success()->set_error_message("bad ids");
  const SendOutcome outcome = ReadExportResponse(response.SerializeAsString());
  EXPECT_TRUE(outcome.taken());
  EXPECT_EQ(outcome.rejected_items, 7);
  EXPECT_EQ(outcome.message, "bad ids");
}

TEST(ExportResponseTest, UnreadableBytesAreAFullSuccess) {
  for (const std::string& bytes :
       {std::string("\x0a\x7f"), std::string("\xff\xff\xff"), std::string("not protobuf at all")}) {
    const SendOutcome outcome = ReadExportResponse(bytes);
    EXPECT_TRUE(outcome.taken());
    EXPECT_EQ(outcome.rejected_items, 0);
  }
}

TEST(ExportResponseTest, ReadsRetryInfo) {
  const auto status = ReadRpcStatus(StatusBytes("full", "type.googleapis.com/google.rpc.RetryInfo", 2, 500000000));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 8);
  EXPECT_EQ(status->message, "full");
  EXPECT_EQ(status->retry_delay, milliseconds(2500));
}

TEST(ExportResponseTest, OtherDetailsAreNoRetryInfo) {
  const auto status = ReadRpcStatus(StatusBytes("full", "type.googleapis.com/google.rpc.DebugInfo", 2, 0));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->retry_delay, std::nullopt);
}

TEST(ExportResponseTest, AbsurdDelaysAreBounded) {
  const std::string type = "type.googleapis.com/google.rpc.RetryInfo";
  EXPECT_EQ(ReadRpcStatus(StatusBytes("", type, INT64_MAX, 0))->retry_delay, milliseconds(86400000));
  EXPECT_EQ(ReadRpcStatus(StatusBytes("", type, -5, -1))->retry_delay, milliseconds(0));
  EXPECT_FALSE(ReadRpcStatus("\x12\x7fxx").has_value());
}

TEST(ExportResponseTest, ReadsBothFormsOfRetryAfter) {
  const auto now = std::chrono::system_clock::from_time_t(784111777);  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(ReadRetryAfter("3", now), milliseconds(3000));
  EXPECT_EQ(ReadRetryAfter("0", now), milliseconds(0));
  EXPECT_EQ(ReadRetryAfter("Sun, 06 Nov 1994 08:49:47 GMT", now), milliseconds(10000));
  EXPECT_EQ(ReadRetryAfter("Sun, 06 Nov 1994 08:00:00 GMT", now), milliseconds(0));
  EXPECT_EQ(ReadRetryAfter("", now), std::nullopt);
  EXPECT_EQ(ReadRetryAfter("soon", now), std::nullopt);
  EXPECT_EQ(ReadRetryAfter("-1", now), std::nullopt);
}

}  // namespace
}  // namespace otlp_arrow
