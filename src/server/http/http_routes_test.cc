#include "server/http/http_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_pipeline.h"

namespace otlp_arrow {
namespace {

using Kind = Route::Kind;
using testing::HasSubstr;

TEST(FindRouteTest, ExportsBySignal) {
  for (const Signal signal : kAllSignals) {
    const Route route = FindRoute("POST", "/v1/" + std::string(SignalName(signal)));
    EXPECT_EQ(route.kind, Kind::kExport);
    EXPECT_EQ(route.signal, signal);
  }
}

TEST(FindRouteTest, PathsMayHaveQueryAndSlashAndAuthority) {
  EXPECT_EQ(FindRoute("POST", "/v1/logs/").kind, Kind::kExport);
  EXPECT_EQ(FindRoute("POST", "/v1/logs?a=/b").kind, Kind::kExport);
  EXPECT_EQ(FindRoute("POST", "http://host:4318/v1/logs").kind, Kind::kExport);
  EXPECT_EQ(FindRoute("GET", "http://host:4318").kind, Kind::kHome);
  EXPECT_EQ(FindRoute("GET", "/?x").kind, Kind::kHome);
}

TEST(FindRouteTest, UnknownPathsAreNotFoundWhateverTheMethod) {
  for (const char* target : {"", "*", "/v1", "/v1/", "/v1/profiles", "/v1/tracesx", "/V1/traces", "/v1/traces/x"}) {
    EXPECT_EQ(FindRoute("POST", target).kind, Kind::kNotFound) << target;
    EXPECT_EQ(FindRoute("GET", target).kind, Kind::kNotFound) << target;
  }
}

TEST(FindRouteTest, WrongMethodsSayWhichAreRight) {
  EXPECT_EQ(FindRoute("GET", "/v1/traces").kind, Kind::kMethodNotAllowed);
  EXPECT_EQ(FindRoute("GET", "/v1/traces").allow, "POST");
  for (const char* target : {"/", "/healthz", "/readyz", "/metrics"}) {
    EXPECT_EQ(FindRoute("POST", target).kind, Kind::kMethodNotAllowed);
    EXPECT_EQ(FindRoute("POST", target).allow, "GET, HEAD");
    EXPECT_NE(FindRoute("HEAD", target).kind, Kind::kMethodNotAllowed);
  }
}

TEST(FindRouteTest, OptionsAskWhatAnExportMayBe) {
  const Route route = FindRoute("OPTIONS", "/v1/logs");
  EXPECT_EQ(route.kind, Kind::kOptions);
  EXPECT_EQ(route.signal, Signal::kLogs);
  EXPECT_EQ(route.allow, "POST");
  EXPECT_EQ(FindRoute("OPTIONS", "/metrics").kind, Kind::kMethodNotAllowed);
}

TEST(BodyTypeOfTest, TakesParametersAndAnyCase) {
  EXPECT_EQ(BodyTypeOf("application/x-protobuf"), BodyType::kProtobuf);
  EXPECT_EQ(BodyTypeOf("Application/X-Protobuf ; charset=utf-8"), BodyType::kProtobuf);
  EXPECT_EQ(BodyTypeOf("application/json"), BodyType::kJson);
  EXPECT_EQ(BodyTypeOf("application/JSON;charset=UTF-8"), BodyType::kJson);
  for (const char* other : {"", "application/x-protobuf2", "text/json", "application/json2", "application/json, application/x-protobuf"}) {
    EXPECT_EQ(BodyTypeOf(other), BodyType::kOther) << other;
  }
}

TEST(ServePageTest, ReadinessIsThePipelines) {
  FakePipeline pipeline;
  EXPECT_EQ(ServePage(Kind::kReadyz, pipeline).status, 200);
  pipeline.SetNotReady("the disk is full");
  EXPECT_EQ(ServePage(Kind::kReadyz, pipeline).status, 503);
  EXPECT_THAT(ServePage(Kind::kReadyz, pipeline).body, HasSubstr("the disk is full"));
  EXPECT_EQ(ServePage(Kind::kHealthz, pipeline).status, 200);
}

TEST(ServePageTest, HomeSaysWhereToSendAndHowToQuery) {
  const std::string home = ServePage(Kind::kHome, FakePipeline()).body;
  EXPECT_THAT(home, HasSubstr("/v1/traces"));
  EXPECT_THAT(home, HasSubstr("otlp-arrow query"));
}

TEST(ServePageTest, MetricsTellTheLedger) {
  FakePipeline pipeline;
  Ledger ledger;
  SignalLedger& traces = ledger[Signal::kTraces];
  traces.received = 100;
  traces.stored = 50;
  traces.in_flight = 20;
  traces.expired = 15;
  traces.refused["memory_budget"] = 10;
  traces.invalid["bad \"id\"\\\n"] = 5;
  ledger.unreadable_requests["bad_framing"] = 2;
  pipeline.SetLedger(ledger);
  const HttpResponse response = ServePage(Kind::kMetrics, pipeline);
  EXPECT_THAT(response.content_type, HasSubstr("version=0.0.4"));
  for (const char* line : {
           "otlp_arrow_items_total{signal=\"traces\",state=\"received\",reason=\"\"} 100\n",
           "otlp_arrow_items_total{signal=\"traces\",state=\"expired\",reason=\"\"} 15\n",
           "otlp_arrow_items_total{signal=\"traces\",state=\"refused\",reason=\"memory_budget\"} 10\n",
           "otlp_arrow_items_total{signal=\"traces\",state=\"invalid\",reason=\"bad \\\"id\\\"\\\\\\n\"} 5\n",
           "otlp_arrow_items_total{signal=\"logs\",state=\"received\",reason=\"\"} 0\n",
           "otlp_arrow_items_stored{signal=\"traces\"} 50\n",
           "otlp_arrow_items_in_flight{signal=\"traces\"} 20\n",
           "otlp_arrow_unreadable_requests_total{reason=\"bad_framing\"} 2\n",
           "otlp_arrow_queued_bytes 4711\n",
           "otlp_arrow_ready 1\n",
           "\nprocess_start_time_seconds 1",
       }) {
    EXPECT_THAT(response.body, HasSubstr(line));
  }
}

TEST(ServePageTest, MetricsTellOfDestinations) {
  FakePipeline pipeline;
  EXPECT_THAT(ServePage(Kind::kMetrics, pipeline).body, Not(HasSubstr("otlp_arrow_forward_"))) << "nothing is forwarded";
  DestinationStats stats;
  stats.name = "the \"main\"";
  stats.signals[static_cast<size_t>(Signal::kLogs)] = {.accepted = 100, .sent = 60, .rejected = 5, .given_up = {1, 2, 3, 4, 5}, .backlog = 20};
  stats.breaker = "half_open";
  stats.backlog_bytes = 1234;
  stats.oldest_unsent_age_secs = 1.5;
  stats.requests = 7;
  stats.retries = 3;
  stats.failures = 2;
  stats.bytes_sent = 999;
  stats.in_flight = 4;
  stats.send_latency[0] = 1;
  stats.send_latency[3] = 2;
  stats.send_latency.back() = 3;
  stats.send_latency_sum_secs = 0.125;
  DestinationStats other;
  other.name = "other";
  other.breaker = "closed";
  pipeline.SetForwardingStats({stats, other});
  const std::string body = ServePage(Kind::kMetrics, pipeline).body;
  const std::string main = "{destination=\"the \\\"main\\\"\"";
  for (const std::string& line : {
           "items_total" + main + ",signal=\"logs\",state=\"accepted\",reason=\"\"} 100\n",
           "items_total" + main + ",signal=\"logs\",state=\"sent\",reason=\"\"} 60\n",
           "items_total" + main + ",signal=\"logs\",state=\"rejected\",reason=\"\"} 5\n",
           "items_total" + main + ",signal=\"logs\",state=\"given_up\",reason=\"backlog_full\"} 1\n",
           "items_total" + main + ",signal=\"logs\",state=\"given_up\",reason=\"damaged\"} 5\n",
           "backlog_items" + main + ",signal=\"logs\"} 20\n",
           "backlog_bytes" + main + "} 1234\n",
           "oldest_unsent_age_seconds" + main + "} 1.5\n",
           "requests_total" + main + "} 7\n",
           "retries_total" + main + "} 3\n",
           "failures_total" + main + "} 2\n",
           "sent_bytes_total" + main + "} 999\n",
           "in_flight" + main + "} 4\n",
           "breaker_state" + main + ",state=\"half_open\"} 1\n",
           "breaker_state" + main + ",state=\"closed\"} 0\n",
           "send_latency_seconds_bucket" + main + ",le=\"0.001\"} 1\n",
           "send_latency_seconds_bucket" + main + ",le=\"0.01\"} 3\n",
           "send_latency_seconds_bucket" + main + ",le=\"10\"} 3\n",
           "send_latency_seconds_bucket" + main + ",le=\"+Inf\"} 6\n",
           "send_latency_seconds_sum" + main + "} 0.125\n",
           "send_latency_seconds_count" + main + "} 6\n",
           std::string("breaker_state{destination=\"other\",state=\"closed\"} 1\n"),
       }) {
    EXPECT_THAT(body, HasSubstr("\notlp_arrow_forward_" + line));
  }
}

}  // namespace
}  // namespace otlp_arrow
