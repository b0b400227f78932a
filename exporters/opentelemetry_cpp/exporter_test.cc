// What exporters do with batches, answers, failures and time-outs; the library is a fake.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/sdk/instrumentationscope/instrumentation_scope.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/span_data.h>

#include "exporter_core.h"
#include "fake_library_testing.h"
#include "otlp_arrow/opentelemetry_exporters.h"
#include "record_export.h"
#include "reference_otlp.h"

namespace otlp_arrow {
namespace {

using exporters::ExportResult;
using opentelemetry::sdk::instrumentationscope::InstrumentationScope;
using opentelemetry::sdk::resource::Resource;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::FakeLibrary;
using testing::LogsRequest;
using testing::SdkLog;
using testing::TraceRequest;
namespace sdk = opentelemetry::sdk;
namespace nostd = opentelemetry::nostd;
using Spans = std::vector<std::unique_ptr<sdk::trace::Recordable>>;

template <class Message>
Message Parse(const std::string& bytes) {
  Message message;
  EXPECT_TRUE(message.ParseFromString(bytes));
  return message;
}

ExportResult ExportAll(OtlpSpanExporter* exporter, Spans spans) {
  return exporter->Export(nostd::span<std::unique_ptr<sdk::trace::Recordable>>(spans.data(), spans.size()));
}

class ExporterTest : public ::testing::Test {
 protected:
  std::unique_ptr<sdk::trace::Recordable> Span(const std::string& name, const Resource& resource, const InstrumentationScope& scope) {
    auto span = exporter_->MakeRecordable();
    span->SetName(name);
    span->SetResource(resource);
    span->SetInstrumentationScope(scope);
    return span;
  }
  std::unique_ptr<sdk::trace::Recordable> Span(const std::string& name) { return Span(name, resource_, *scope_); }
  Spans One(const std::string& name = "span") {
    Spans spans;
    spans.push_back(Span(name));
    return spans;
  }

  const std::shared_ptr<FakeLibrary> library_ = std::make_shared<FakeLibrary>();
  const std::unique_ptr<OtlpSpanExporter> exporter_ = MakeSpanExporter(library_);
  const Resource resource_ = Resource::Create({{"service.name", "shop"}}, "https://example.com/resource");
  const Resource other_resource_ = Resource::Create({{"service.name", "other"}});
  const std::unique_ptr<InstrumentationScope> scope_ =
      InstrumentationScope::Create("scope", "1.2", "https://example.com/scope", {{"of", "scope"}});
  const std::unique_ptr<InstrumentationScope> other_scope_ = InstrumentationScope::Create("other scope");
};

TEST_F(ExporterTest, GroupsByResourceAndScope) {
  Spans spans;
  spans.push_back(Span("a1", resource_, *scope_));
  spans.push_back(Span("b1", other_resource_, *scope_));
  spans.push_back(Span("a2", resource_, *other_scope_));
  spans.push_back(Span("a3", resource_, *scope_));
  EXPECT_EQ(ExportAll(exporter_.get(), std::move(spans)), ExportResult::kSuccess);
  ASSERT_EQ(library_->requests().size(), 1u);
  EXPECT_EQ(library_->requests()[0].first, Signal::kTraces);
  const auto request = Parse<TraceRequest>(library_->requests()[0].second);
  ASSERT_EQ(request.resource_spans_size(), 2);
  const auto& first = request.resource_spans(0);
  EXPECT_EQ(first.schema_url(), "https://example.com/resource");
  ASSERT_EQ(first.scope_spans_size(), 2);
  EXPECT_EQ(first.scope_spans(0).scope().name(), "scope");
  EXPECT_EQ(first.scope_spans(0).scope().version(), "1.2");
  EXPECT_EQ(first.scope_spans(0).scope().attributes(0).value().string_value(), "scope");
  EXPECT_EQ(first.scope_spans(0).schema_url(), "https://example.com/scope");
  ASSERT_EQ(first.scope_spans(0).spans_size(), 2);
  EXPECT_EQ(first.scope_spans(0).spans(0).name(), "a1");
  EXPECT_EQ(first.scope_spans(0).spans(1).name(), "a3");
  EXPECT_EQ(first.scope_spans(1).scope().name(), "other scope");
  EXPECT_EQ(first.scope_spans(1).spans(0).name(), "a2");
  EXPECT_EQ(request.resource_spans(1).scope_spans(0).spans(0).name(), "b1");
}

TEST_F(ExporterTest, SpansWithoutResourceAndScope) {
  Spans spans;
  spans.push_back(exporter_->MakeRecordable());
  EXPECT_EQ(ExportAll(exporter_.get(), std::move(spans)), ExportResult::kSuccess);
  const auto request = Parse<TraceRequest>(library_->requests()[0].second);
  EXPECT_EQ(request.resource_spans(0).scope_spans(0).spans_size(), 1);
}

TEST_F(ExporterTest, AnEmptyBatchSucceedsAndIsNotSent) {
  EXPECT_EQ(ExportAll(exporter_.get(), {}), ExportResult::kSuccess);
  EXPECT_TRUE(library_->requests().empty());
}

TEST_F(ExporterTest, LargeBatchesGoInSeveralRequests) {
  Spans spans;
  const std::string text(1 << 20, 'x');
  for (int i = 0; i < 10; ++i) {
    spans.push_back(Span("span " + std::to_string(i)));
    spans.back()->SetAttribute("large", nostd::string_view(text));
  }
  EXPECT_EQ(ExportAll(exporter_.get(), std::move(spans)), ExportResult::kSuccess);
  ASSERT_EQ(library_->requests().size(), 3u);
  int found = 0;
  for (const auto& [signal, bytes] : library_->requests()) {
    EXPECT_LT(bytes.size(), exporters::kRequestBytes + 2 * text.size());
    const auto request = Parse<TraceRequest>(bytes);
    for (const auto& span : request.resource_spans(0).scope_spans(0).spans()) {
      EXPECT_EQ(span.name(), "span " + std::to_string(found++));
    }
  }
  EXPECT_EQ(found, 10);
}

// The SDK would not do it; a processor of the program's own might.
TEST_F(ExporterTest, ForeignAndMissingRecordablesAreLeftOut) {
  SdkLog log;
  Spans spans = One("ours");
  spans.push_back(std::make_unique<sdk::trace::SpanData>());
  spans.push_back(nullptr);
  EXPECT_EQ(ExportAll(exporter_.get(), std::move(spans)), ExportResult::kSuccess);
  EXPECT_EQ(Parse<TraceRequest>(library_->requests()[0].second).resource_spans(0).scope_spans(0).spans_size(), 1);
  EXPECT_THAT(log.lines(), ElementsAre(HasSubstr("2 spans were left out as invalid: it was not made by this exporter's MakeRecordable")));

  Spans foreign;
  foreign.push_back(std::make_unique<sdk::trace::SpanData>());
  EXPECT_EQ(ExportAll(exporter_.get(), std::move(foreign)), ExportResult::kFailureInvalidArgument);
}

TEST_F(ExporterTest, LogRecordsToo) {
  const auto exporter = MakeLogRecordExporter(library_);
  std::vector<std::unique_ptr<sdk::logs::Recordable>> records;
  records.push_back(exporter->MakeRecordable());
  records[0]->SetBody("body");
  records[0]->SetResource(resource_);
  records[0]->SetInstrumentationScope(*scope_);
  EXPECT_EQ(exporter->Export({records.data(), records.size()}), ExportResult::kSuccess);
  EXPECT_EQ(library_->requests()[0].first, Signal::kLogs);
  const auto request = Parse<LogsRequest>(library_->requests()[0].second);
  EXPECT_EQ(request.resource_logs(0).scope_logs(0).scope().name(), "scope");
  EXPECT_EQ(request.resource_logs(0).scope_logs(0).log_records(0).body().string_value(), "body");
}

TEST_F(ExporterTest, FailuresBecomeResultsAndKeepTheirReason) {
  const std::pair<Status, ExportResult> cases[] = {
      {Status::BufferFull("no room"), ExportResult::kFailureFull},
      {Status::Export("malformed"), ExportResult::kFailureInvalidArgument},
      {Status::Io("the disk says no"), ExportResult::kFailure},
      {Status::Shutdown("it is over"), ExportResult::kFailure},
  };
  SdkLog log;
  for (const auto& [status, result] : cases) {
    library_->Answer(status);
    EXPECT_EQ(ExportAll(exporter_.get(), One()), result);
    EXPECT_EQ(exporter_->last_error().message(), status.message());
    EXPECT_EQ(exporter_->last_error().retryable(), status.retryable());
  }
  EXPECT_THAT(log.lines(), ElementsAre("[otlp-arrow] 1 spans were not recorded: no room", "[otlp-arrow] 1 spans were not recorded: malformed",
                                       "[otlp-arrow] 1 spans were not recorded: the disk says no",
                                       "[otlp-arrow] 1 spans were not recorded: it is over (told once)"));
  library_->Answer(Status::Ok());
  EXPECT_EQ(ExportAll(exporter_.get(), One()), ExportResult::kSuccess);
  EXPECT_TRUE(exporter_->last_error().ok());
}

TEST_F(ExporterTest, AFailureThatLastsIsToldOnce) {
  SdkLog log;
  library_->Answer(Status::Shutdown("it is over"));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ExportAll(exporter_.get(), One()), ExportResult::kFailure);
  EXPECT_EQ(log.lines().size(), 1u);
}

TEST_F(ExporterTest, ItemsThatTheLibraryRejects) {
  SdkLog log;
  library_->Answer(ExportOutcome{3, 2, "a name is no UTF-8"});
  EXPECT_EQ(ExportAll(exporter_.get(), One()), ExportResult::kSuccess);
  EXPECT_THAT(log.lines(), ElementsAre("[otlp-arrow] 2 spans were left out as invalid: a name is no UTF-8"));
  library_->Answer(ExportOutcome{0, 2, "a name is no UTF-8"});
  EXPECT_EQ(ExportAll(exporter_.get(), One()), ExportResult::kFailureInvalidArgument);
  EXPECT_THAT(exporter_->last_error().message(), HasSubstr("a name is no UTF-8"));
}

TEST_F(ExporterTest, NothingIsThrownIntoTheSdk) {
  SdkLog log;
  library_->Throw();
  EXPECT_EQ(ExportAll(exporter_.get(), One()), ExportResult::kFailureInvalidArgument);
  EXPECT_THAT(exporter_->last_error().message(), HasSubstr("thrown by the library"));
  EXPECT_FALSE(exporter_->ForceFlush(seconds(1)));
  EXPECT_FALSE(exporter_->Shutdown(seconds(1)));
}

TEST_F(ExporterTest, FlushTakesTheTimeOut) {
  EXPECT_TRUE(exporter_->ForceFlush(seconds(2)));
  EXPECT_TRUE(exporter_->ForceFlush(microseconds(1)));
  EXPECT_TRUE(exporter_->ForceFlush(microseconds(0)));      // no limit, as the batch processor says it
  EXPECT_TRUE(exporter_->ForceFlush(microseconds::max()));  // no limit, as callers say it
  EXPECT_TRUE(exporter_->ForceFlush(hours(1'000'000)));
  EXPECT_THAT(library_->flushes(), ElementsAre(seconds(2), milliseconds(1), seconds(30), seconds(30), hours(24)));
  library_->AnswerFlush(Status::BufferFull("the time is over"));
  EXPECT_FALSE(exporter_->ForceFlush(milliseconds(5)));
  EXPECT_EQ(exporter_->last_error().message(), "the time is over");
}

TEST_F(ExporterTest, ShutdownEndsTheExporterAndNotTheLibrary) {
  SdkLog log;
  EXPECT_TRUE(exporter_->Shutdown(seconds(2)));
  EXPECT_TRUE(exporter_->Shutdown(seconds(2)));
  EXPECT_THAT(library_->flushes(), ElementsAre(seconds(2)));
  EXPECT_EQ(library_->shutdowns(), 0);
  EXPECT_EQ(ExportAll(exporter_.get(), One()), ExportResult::kFailure);
  EXPECT_TRUE(library_->requests().empty());
  EXPECT_THAT(log.lines(), ElementsAre(HasSubstr("the exporter is shut down")));
  EXPECT_EQ(ExportAll(MakeSpanExporter(library_).get(), {}), ExportResult::kSuccess);
}

TEST_F(ExporterTest, ShutdownThatRunsOutOfTimeLeavesTheRestToTheLibrary) {
  library_->AnswerFlush(Status::BufferFull("the time is over"));
  EXPECT_TRUE(exporter_->Shutdown(microseconds(1)));
  const auto other = MakeSpanExporter(library_);
  library_->AnswerFlush(Status::Io("the disk says no"));
  EXPECT_FALSE(other->Shutdown(seconds(1)));
  EXPECT_EQ(other->last_error().message(), "the disk says no");
}

TEST_F(ExporterTest, WithoutALibrary) {
  SdkLog log;
  const auto exporter = MakeSpanExporter(nullptr);
  Spans spans;
  spans.push_back(exporter->MakeRecordable());
  EXPECT_EQ(ExportAll(exporter.get(), std::move(spans)), ExportResult::kFailure);
  EXPECT_THAT(exporter->last_error().message(), HasSubstr("without a library"));
  EXPECT_FALSE(exporter->ForceFlush(seconds(1)));
  EXPECT_TRUE(exporter->Shutdown(seconds(1)));
}

TEST_F(ExporterTest, EmptyMetricsSucceedAndAreNotSent) {
  EXPECT_EQ(MakeMetricExporter(library_)->Export({}), ExportResult::kSuccess);
  const auto outcome = ExportMetricsRef(*library_, {});
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->accepted_items, 0);
  EXPECT_TRUE(library_->requests().empty());
}

TEST_F(ExporterTest, Temporality) {
  using sdk::metrics::AggregationTemporality;
  using sdk::metrics::InstrumentType;
  const auto cumulative = MakeMetricExporter(library_);
  const auto delta = MakeMetricExporter(library_, {TemporalityPreference::kDelta});
  const auto low_memory = MakeMetricExporter(library_, {TemporalityPreference::kLowMemory});
  struct Case {
    InstrumentType type;
    bool delta, low_memory;
  };
  for (const Case& c : {Case{InstrumentType::kCounter, true, true}, Case{InstrumentType::kObservableCounter, true, false},
                        Case{InstrumentType::kHistogram, true, true}, Case{InstrumentType::kUpDownCounter, false, false},
                        Case{InstrumentType::kObservableUpDownCounter, false, false}}) {
    const auto expected = [](bool is_delta) { return is_delta ? AggregationTemporality::kDelta : AggregationTemporality::kCumulative; };
    EXPECT_EQ(cumulative->GetAggregationTemporality(c.type), AggregationTemporality::kCumulative);
    EXPECT_EQ(delta->GetAggregationTemporality(c.type), expected(c.delta));
    EXPECT_EQ(low_memory->GetAggregationTemporality(c.type), expected(c.low_memory));
  }
}

TEST_F(ExporterTest, AReaderWithoutAProviderSaysSo) {
  const auto reader = MakeMetricReader(library_);
  EXPECT_FALSE(reader->CollectAndExport());
  EXPECT_TRUE(library_->requests().empty());
}

}  // namespace
}  // namespace otlp_arrow
