#include "server/http/http_status.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc_status_reference.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

HttpResponse Refused(Status status, milliseconds retry_after = milliseconds{0}) {
  AcceptResult result;
  result.status = std::move(status);
  result.retry_after = retry_after;
  return ToHttpResponse(Audience::kProtobuf, Signal::kTraces, result);
}

TEST(HttpStatusTest, AcceptedIsAnEmptyProtobuf) {
  const HttpResponse response = ToHttpResponse(Audience::kProtobuf, Signal::kTraces, {});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, kProtobufType);
  EXPECT_EQ(response.body, "");
}

TEST(HttpStatusTest, RefusalsAreWhatOtlpSays) {
  EXPECT_EQ(Refused(Status::Export("bad")).status, 400);
  EXPECT_EQ(Refused(Status::Export("bad")).retry_after_secs, 0);
  EXPECT_EQ(Refused(Status::BufferFull("full")).status, 429);
  EXPECT_EQ(Refused(Status::Io("disk full", true)).status, 503);
  EXPECT_EQ(Refused(Status::Io("broken")).status, 500);
  EXPECT_EQ(Refused(Status::Shutdown("bye")).status, 503);
}

TEST(HttpStatusTest, RetryAfterIsInWholeSecondsAndNotZero) {
  EXPECT_EQ(Refused(Status::BufferFull("full"), milliseconds{1}).retry_after_secs, 1);
  EXPECT_EQ(Refused(Status::BufferFull("full"), milliseconds{1000}).retry_after_secs, 1);
  EXPECT_EQ(Refused(Status::BufferFull("full"), milliseconds{2001}).retry_after_secs, 3);
  EXPECT_GE(Refused(Status::Shutdown("bye")).retry_after_secs, 1);
}

TEST(HttpStatusTest, ErrorsOfProtobufRequestsAreRpcStatus) {
  const HttpResponse response = Refused(Status::BufferFull("no room"), milliseconds{1500});
  EXPECT_EQ(response.content_type, kProtobufType);
  const auto status = RpcStatusReader().Read(response.body);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 8);
  EXPECT_EQ(status->message, "no room");
  EXPECT_EQ(status->retry_delay, milliseconds{1500});
}

TEST(HttpStatusTest, AnswersToJsonAreJson) {
  AcceptResult result;
  HttpResponse response = ToHttpResponse(Audience::kJson, Signal::kLogs, result);
  EXPECT_EQ(response.content_type, kJsonType);
  EXPECT_EQ(response.body, "{}");
  result.rejected_items = 3;
  result.rejected_reason = "a \"reason\"";
  EXPECT_EQ(ToHttpResponse(Audience::kJson, Signal::kLogs, result).body,
            R"({"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"a \"reason\""}})");
  result = {};
  result.status = Status::BufferFull("no room");
  result.retry_after = milliseconds{1500};
  response = ToHttpResponse(Audience::kJson, Signal::kLogs, result);
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.retry_after_secs, 2);
  EXPECT_EQ(response.body,
            R"({"code":8,"message":"no room","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"}]})"
            "\n");
}

TEST(HttpStatusTest, WhatTheRequestSaysIsShownAsAscii) {
  EXPECT_THAT(WrongContentType(Audience::kJson, "te\xffxt\x01/\"x\"").body, HasSubstr(R"('te?xt?/\"x\"')"));
  EXPECT_THAT(RpcStatusReader().Read(NotFound(Audience::kProtobuf, "/\xff").body)->message, HasSubstr("'/?'"));
}

TEST(HttpStatusTest, OtherErrorsAreALineOfText) {
  const HttpResponse response = NotFound(Audience::kText, "/nope");
  EXPECT_EQ(response.content_type, kTextType);
  EXPECT_THAT(response.body, HasSubstr("'/nope'"));
  EXPECT_THAT(response.body, EndsWith("\n"));
}

TEST(HttpStatusTest, LongTargetsAreCut) {
  EXPECT_LT(NotFound(Audience::kText, std::string(10'000, 'x')).body.size(), 500u);
}

TEST(AppendResponseTest, IsWellFormed) {
  HttpResponse response = MethodNotAllowed(Audience::kText, "PUT", "/", "GET, HEAD");
  response.retry_after_secs = 7;
  response.close = true;
  std::string out;
  AppendResponse(response, false, &out);
  EXPECT_THAT(out, StartsWith("HTTP/1.1 405 Method Not Allowed\r\nDate: "));
  EXPECT_THAT(out, HasSubstr(" GMT\r\n"));
  EXPECT_THAT(out, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  EXPECT_THAT(out, HasSubstr("\r\nRetry-After: 7\r\n"));
  EXPECT_THAT(out, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(out, HasSubstr("\r\nContent-Length: " + std::to_string(response.body.size()) + "\r\n"));
  EXPECT_THAT(out, EndsWith("\r\n\r\n" + response.body));
  out.clear();
  AppendResponse(response, true, &out);
  EXPECT_THAT(out, EndsWith("\r\n\r\n"));
  EXPECT_THAT(out, HasSubstr("Content-Length: " + std::to_string(response.body.size())));
}

TEST(AppendResponseTest, EveryStatusHasItsPhrase) {
  for (const int status : {200, 204, 400, 401, 403, 404, 405, 408, 411, 413, 415, 429, 431, 500, 503, 505}) {
    EXPECT_THAT(ReasonPhrase(status), Not("Unknown")) << status;
  }
}

}  // namespace
}  // namespace otlp_arrow
