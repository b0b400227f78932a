#include "server/grpc/grpc_status.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc_status_reference.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

AcceptResult Refusal(Status status, milliseconds retry_after = {}) {
  AcceptResult result;
  result.status = std::move(status);
  result.retry_after = retry_after;
  return result;
}

TEST(GrpcStatusTest, OkIsOk) { EXPECT_TRUE(ToGrpcStatus({}).ok()); }

TEST(GrpcStatusTest, MalformedIsNotRetryable) {
  const grpc::Status status = ToGrpcStatus(Refusal(Status::Export("byte 7 is no tag")));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "byte 7 is no tag");
  EXPECT_EQ(status.error_details(), "");
}

TEST(GrpcStatusTest, RetryableRefusalsSayWhenInTheDetails) {
  RpcStatusReader reader;
  for (const auto& [refusal, code] : {
           std::pair{Refusal(Status::BufferFull("no room"), milliseconds{1500}), grpc::StatusCode::RESOURCE_EXHAUSTED},
           std::pair{Refusal(Status::Io("disk full", true), milliseconds{1500}), grpc::StatusCode::UNAVAILABLE},
           std::pair{Refusal(Status::Shutdown("going down"), milliseconds{1500}), grpc::StatusCode::UNAVAILABLE},
       }) {
    const grpc::Status status = ToGrpcStatus(refusal);
    EXPECT_EQ(status.error_code(), code);
    const auto details = reader.Read(status.error_details());
    ASSERT_TRUE(details);
    EXPECT_EQ(details->code, static_cast<int>(code));
    EXPECT_EQ(details->message, refusal.status.message());
    EXPECT_EQ(details->retry_delay, milliseconds{1500});
  }
}

TEST(GrpcStatusTest, TooLargeIsNotRetryableAndSaysTheWayOut) {
  const grpc::Status status = TooLargeStatus("the request has 9 bytes, more than", 8);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_details(), "");
  EXPECT_THAT(status.error_message(), HasSubstr("9 bytes"));
  EXPECT_THAT(status.error_message(), HasSubstr("limit of 8 bytes"));
  EXPECT_THAT(status.error_message(), HasSubstr("grpc.max_message_bytes"));
}

TEST(GrpcStatusTest, LongMessagesFitIntoMetadata) {
  const grpc::Status status = ToGrpcStatus(Refusal(Status::BufferFull(std::string(100'000, 'x'))));
  EXPECT_LT(status.error_message().size() + status.error_details().size(), 4096u);
}

}  // namespace
}  // namespace otlp_arrow
