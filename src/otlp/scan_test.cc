// The scan against libprotobuf, which is the judge of what a request is.
#include "otlp/scan.h"

#include <functional>
#include <random>
#include <string>

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include "odd_wire.h"
#include "random_otlp.h"
#include "reference_otlp.h"

namespace otlp_arrow {
namespace {

using opentelemetry::proto::common::v1::AnyValue;
using opentelemetry::proto::metrics::v1::Metric;
using testing::LogsRequest;
using testing::MetricsRequest;
using testing::RandomOtlp;
using testing::TestSeeds;
using testing::TraceRequest;

constexpr char kBadUtf8[] = "\xff\xfe";
const google::protobuf::LogSilencer kNoWordsOnBadUtf8;

int64_t Points(const Metric& m) {
  return m.gauge().data_points_size() + m.sum().data_points_size() + m.histogram().data_points_size() +
         m.exponential_histogram().data_points_size() + m.summary().data_points_size();
}

int64_t CountItems(const TraceRequest& request) {
  int64_t items = 0;
  for (const auto& resource : request.resource_spans()) {
    for (const auto& scope : resource.scope_spans()) items += scope.spans_size();
  }
  return items;
}
int64_t CountItems(const LogsRequest& request) {
  int64_t items = 0;
  for (const auto& resource : request.resource_logs()) {
    for (const auto& scope : resource.scope_logs()) items += scope.log_records_size();
  }
  return items;
}
int64_t CountItems(const MetricsRequest& request) {
  int64_t items = 0;
  for (const auto& resource : request.resource_metrics()) {
    for (const auto& scope : resource.scope_metrics()) {
      for (const auto& metric : scope.metrics()) items += Points(metric);
    }
  }
  return items;
}

// -1 where libprotobuf does not take the bytes.
int64_t ReferenceCount(Signal signal, const std::string& bytes) {
  auto count = [&](auto request) { return testing::ParseDeep(bytes, &request) ? CountItems(request) : -1; };
  switch (signal) {
    case Signal::kTraces: return count(TraceRequest{});
    case Signal::kMetrics: return count(MetricsRequest{});
    case Signal::kLogs: return count(LogsRequest{});
  }
  return -1;
}

// The entity references of resources, which these generated messages do not know, are not for libprotobuf to judge.
std::string WithoutUnknownFields(Signal signal, const std::string& bytes) {
  auto strip = [&](auto request) {
    EXPECT_TRUE(testing::ParseDeep(bytes, &request));
    testing::StripUnknownFields(&request, 1);
    return request.SerializeAsString();
  };
  switch (signal) {
    case Signal::kTraces: return strip(TraceRequest{});
    case Signal::kMetrics: return strip(MetricsRequest{});
    case Signal::kLogs: return strip(LogsRequest{});
  }
  return "";
}

void ExpectTaken(Signal signal, const std::string& bytes, const std::string& what) {
  const int64_t wanted = ReferenceCount(signal, bytes);
  ASSERT_GE(wanted, 0) << what;
  const ScanResult scan = ScanOtlp(signal, bytes);
  EXPECT_TRUE(scan.ok) << what << ": " << scan.error;
  EXPECT_EQ(scan.items, wanted) << what;
  EXPECT_EQ(scan.rejected_items, 0) << what << ": " << ItemFaultMessage(scan.fault);
  EXPECT_EQ(scan.fault, ItemFault::kNone) << what;
}

void ExpectFault(Signal signal, const google::protobuf::Message& request, int64_t items, int64_t rejected, ItemFault fault,
                 const std::string& what) {
  const ScanResult scan = ScanOtlp(signal, request.SerializePartialAsString());
  EXPECT_TRUE(scan.ok) << what << ": " << scan.error;
  EXPECT_EQ(scan.items, items) << what;
  EXPECT_EQ(scan.rejected_items, rejected) << what;
  EXPECT_EQ(ItemFaultName(scan.fault), ItemFaultName(fault)) << what;
}

// --- what is accepted ---

TEST(Scan, TakesWhatLibprotobufTakes) {
  for (const Signal signal : kAllSignals) {
    const auto seeds = TestSeeds(300);
    for (uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
      ExpectTaken(signal, RandomOtlp(seed).Request(signal), std::string(SignalName(signal)) + ", seed " + std::to_string(seed));
    }
  }
}

TEST(Scan, TakesEverySerializationThatTheRulesAllow) {
  const auto seeds = TestSeeds(300);
  for (uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    RandomOtlp otlp(seed);
    std::mt19937_64 random(seed);
    const std::string what = "seed " + std::to_string(seed);
    ExpectTaken(Signal::kTraces, testing::SerializeOddly(otlp.Traces(), &random), what);
    ExpectTaken(Signal::kMetrics, testing::SerializeOddly(otlp.Metrics(), &random), what);
    ExpectTaken(Signal::kLogs, testing::SerializeOddly(otlp.Logs(), &random), what);
  }
}

TEST(Scan, AnEmptyRequestHasNoItems) {
  for (const Signal signal : kAllSignals) {
    const ScanResult scan = ScanOtlp(signal, "");
    EXPECT_TRUE(scan.ok);
    EXPECT_EQ(scan.items, 0);
  }
}

// --- what is refused ---

TEST(Scan, RefusesTruncatedRequests) {
  for (const Signal signal : kAllSignals) {
    int truncations = 0, refused = 0;
    const auto seeds = TestSeeds(20);
    for (uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
      const std::string whole = RandomOtlp(seed).Request(signal);
      for (size_t size = 0; size < whole.size(); ++size) {
        // In memory of its own, so that AddressSanitizer sees a step over the end.
        const std::string part(whole.data(), size);
        const int64_t wanted = ReferenceCount(signal, part);
        const ScanResult scan = ScanOtlp(signal, part);
        ++truncations;
        // A request cut between two resources is a request.
        ASSERT_EQ(scan.ok, wanted >= 0) << SignalName(signal) << ", seed " << seed << ", " << size << " of " << whole.size() << " bytes";
        if (wanted >= 0) {
          EXPECT_EQ(scan.items, wanted);
        } else {
          ++refused;
        }
      }
    }
    EXPECT_GT(refused, truncations * 9 / 10);
  }
}

TEST(Scan, JudgesDamagedRequestsAsLibprotobufDoes) {
  // Where libprotobuf takes damaged bytes, so does the scan, with the same number of items; where it does not, the scan
  // refuses, or finds a fault in an item (libprotobuf makes bad UTF-8 and too much nesting an error of the whole).
  int taken = 0, refused = 0;
  for (const Signal signal : kAllSignals) {
    const auto seeds = TestSeeds(1000);
    for (uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
      std::mt19937_64 random(seed);
      std::string bytes = WithoutUnknownFields(signal, RandomOtlp(seed % 50).Request(signal));
      if (bytes.empty()) continue;
      for (uint64_t hits = 1 + random() % 3; hits > 0; --hits) bytes[random() % bytes.size()] = static_cast<char>(random());
      const int64_t wanted = ReferenceCount(signal, bytes);
      if (wanted < 0) continue;
      const ScanResult scan = ScanOtlp(signal, bytes);
      scan.ok ? ++taken : ++refused;
      if (!scan.ok) continue;
      EXPECT_EQ(scan.items + scan.rejected_items, wanted) << SignalName(signal) << ", seed " << seed;
    }
  }
  EXPECT_GT(taken, 500);
  // Only tags over 32 bits, which libprotobuf cuts and the rules forbid.
  EXPECT_LE(refused, taken / 200);
}

TEST(Scan, SaysWhereARequestBreaks) {
  TraceRequest request;
  request.add_resource_spans()->set_schema_url("first");
  const std::string whole = request.SerializeAsString();
  const ScanResult scan = ScanOtlp(Signal::kTraces, whole + "\x0a\x05x");
  EXPECT_FALSE(scan.ok);
  EXPECT_NE(scan.error.find("not a well-formed OTLP traces request"), std::string::npos) << scan.error;
  EXPECT_NE(scan.error.find(std::to_string(whole.size() + 3) + " bytes"), std::string::npos) << scan.error;
}

TEST(Scan, RefusesBytesOfAnotherKind) {
  for (const Signal signal : kAllSignals) {
    for (const std::string& bytes : {std::string("{\"resourceSpans\":[]}"), std::string("\x1f\x8b\x08"), std::string(100, '\0'),
                                     std::string(100, '\xff'), std::string("\x0c"), std::string("\x0b"), std::string("\x0e\x01"), std::string("\x0a")}) {
      EXPECT_FALSE(ScanOtlp(signal, bytes).ok) << bytes;
    }
  }
}

// --- faults of items ---

class SpanFaults : public ::testing::Test {
 protected:
  using Span = opentelemetry::proto::trace::v1::Span;
  // Three spans, one of which is spoilt.
  void Expect(ItemFault fault, const std::string& what, const std::function<void(Span*)>& spoil) {
    TraceRequest request;
    auto* scope = request.add_resource_spans()->add_scope_spans();
    for (int i = 0; i < 3; ++i) {
      auto* span = scope->add_spans();
      span->set_trace_id(std::string(16, 't'));
      span->set_span_id(std::string(8, 's'));
      span->set_name("name");
      if (i == 1) spoil(span);
    }
    const bool good = fault == ItemFault::kNone;
    ExpectFault(Signal::kTraces, request, good ? 3 : 2, good ? 0 : 1, fault, what);
    EXPECT_EQ(ItemFaultName(CheckSpan(scope->spans(1).SerializePartialAsString())), ItemFaultName(fault)) << what;
    EXPECT_EQ(CheckSpan(scope->spans(0).SerializePartialAsString()), ItemFault::kNone) << what;
  }
};

TEST_F(SpanFaults, Ids) {
  Expect(ItemFault::kNone, "as it should be", [](Span*) {});
  Expect(ItemFault::kNone, "no ids", [](Span* s) { s->clear_trace_id(), s->clear_span_id(); });
  Expect(ItemFault::kNone, "a parent", [](Span* s) { s->set_parent_span_id("parent!!"); });
  for (const size_t size : {1, 8, 15, 17, 32}) {
    Expect(ItemFault::kBadTraceId, "trace_id", [&](Span* s) { s->set_trace_id(std::string(size, 't')); });
    Expect(ItemFault::kBadTraceId, "link", [&](Span* s) { s->add_links()->set_trace_id(std::string(size, 't')); });
  }
  for (const size_t size : {1, 7, 9, 16}) {
    Expect(ItemFault::kBadSpanId, "span_id", [&](Span* s) { s->set_span_id(std::string(size, 's')); });
    Expect(ItemFault::kBadSpanId, "parent", [&](Span* s) { s->set_parent_span_id(std::string(size, 's')); });
    Expect(ItemFault::kBadSpanId, "link", [&](Span* s) { s->add_links()->set_span_id(std::string(size, 's')); });
  }
}

TEST_F(SpanFaults, Texts) {
  const auto bad = ItemFault::kBadUtf8;
  Expect(ItemFault::kNone, "UTF-8", [](Span* s) { s->set_name("größer ☃ 𝄞"); });
  Expect(bad, "name", [](Span* s) { s->set_name(kBadUtf8); });
  Expect(bad, "a surrogate", [](Span* s) { s->set_name("\xed\xa0\x80"); });
  Expect(bad, "half a character", [](Span* s) { s->set_name("abcdefgh\xe2\x98"); });
  Expect(bad, "trace_state", [](Span* s) { s->set_trace_state(kBadUtf8); });
  Expect(bad, "status", [](Span* s) { s->mutable_status()->set_message(kBadUtf8); });
  Expect(bad, "event", [](Span* s) { s->add_events()->set_name(kBadUtf8); });
  Expect(bad, "event attribute", [](Span* s) { s->add_events()->add_attributes()->set_key(kBadUtf8); });
  Expect(bad, "link state", [](Span* s) { s->add_links()->set_trace_state(kBadUtf8); });
  Expect(bad, "link attribute", [](Span* s) { s->add_links()->add_attributes()->mutable_value()->set_string_value(kBadUtf8); });
  Expect(bad, "key", [](Span* s) { s->add_attributes()->set_key(kBadUtf8); });
  Expect(bad, "value", [](Span* s) {
    auto* a = s->add_attributes();
    a->set_key("k");
    a->mutable_value()->set_string_value(kBadUtf8);
  });
  Expect(bad, "key beside a number", [](Span* s) {
    auto* a = s->add_attributes();
    a->set_key("bad key \xff");
    a->mutable_value()->set_int_value(1);
  });
  Expect(bad, "value in an array", [](Span* s) {
    s->add_attributes()->mutable_value()->mutable_array_value()->add_values()->set_string_value(kBadUtf8);
  });
  Expect(bad, "key in a map", [](Span* s) { s->add_attributes()->mutable_value()->mutable_kvlist_value()->add_values()->set_key(kBadUtf8); });
  Expect(ItemFault::kNone, "bytes", [](Span* s) { s->add_attributes()->mutable_value()->set_bytes_value(kBadUtf8); });
}

TEST_F(SpanFaults, TheFirstOneIsNamed) {
  Expect(ItemFault::kBadTraceId, "trace_id before name", [](Span* s) { s->set_trace_id("x"), s->set_name(kBadUtf8); });
}

void NestArrays(AnyValue* value, int depth) {
  for (int i = 0; i < depth; ++i) value = value->mutable_array_value()->add_values();
  value->set_int_value(7);
}
void NestMaps(AnyValue* value, int depth) {
  for (int i = 0; i < depth; ++i) value = value->mutable_kvlist_value()->add_values()->mutable_value();
  value->set_int_value(7);
}

TEST_F(SpanFaults, DeepNesting) {
  for (auto nest : {NestArrays, NestMaps}) {
    Expect(ItemFault::kNone, "as deep as allowed", [&](Span* s) { nest(s->add_attributes()->mutable_value(), kMaxValueDepth); });
    Expect(ItemFault::kTooDeep, "one deeper", [&](Span* s) { nest(s->add_attributes()->mutable_value(), kMaxValueDepth + 1); });
    Expect(ItemFault::kTooDeep, "much deeper", [&](Span* s) { nest(s->add_attributes()->mutable_value(), 1000); });
  }
}

TEST(Scan, NestingOfAnyDepthIsRead) {
  // A value that nests 100,000 deep, built from the inside.
  auto wrap = [](int field, const std::string& body) {
    std::string head(1, static_cast<char>(field << 3 | 2));
    for (size_t size = body.size();; size >>= 7) {
      head.push_back(static_cast<char>(size >= 128 ? size | 128 : size));
      if (size < 128) break;
    }
    return head + body;
  };
  std::string value;
  for (int i = 0; i < 3000; ++i) value = wrap(5, wrap(1, value));
  const std::string log = wrap(1, wrap(2, wrap(2, wrap(5, value))));
  const ScanResult scan = ScanOtlp(Signal::kLogs, log);
  EXPECT_TRUE(scan.ok);
  EXPECT_EQ(scan.rejected_items, 1);
  EXPECT_EQ(scan.fault, ItemFault::kTooDeep);
}

TEST(Scan, FaultsOfLogRecords) {
  using Record = opentelemetry::proto::logs::v1::LogRecord;
  auto expect = [](ItemFault fault, const std::string& what, const std::function<void(Record*)>& spoil) {
    LogsRequest request;
    auto* scope = request.add_resource_logs()->add_scope_logs();
    scope->add_log_records()->mutable_body()->set_string_value("good");
    spoil(scope->add_log_records());
    const bool good = fault == ItemFault::kNone;
    ExpectFault(Signal::kLogs, request, good ? 2 : 1, good ? 0 : 1, fault, what);
    EXPECT_EQ(CheckLogRecord(scope->log_records(1).SerializePartialAsString()), fault) << what;
  };
  expect(ItemFault::kNone, "ids", [](Record* r) { r->set_trace_id("0123456789abcdef"), r->set_span_id("01234567"); });
  expect(ItemFault::kBadTraceId, "trace_id", [](Record* r) { r->set_trace_id("0123456789abcde"); });
  expect(ItemFault::kBadSpanId, "span_id", [](Record* r) { r->set_span_id("0123456789abcdef"); });
  expect(ItemFault::kBadUtf8, "severity", [](Record* r) { r->set_severity_text(kBadUtf8); });
  expect(ItemFault::kBadUtf8, "event name", [](Record* r) { r->set_event_name(kBadUtf8); });
  expect(ItemFault::kBadUtf8, "body", [](Record* r) { r->mutable_body()->set_string_value(kBadUtf8); });
  expect(ItemFault::kBadUtf8, "attribute", [](Record* r) { r->add_attributes()->set_key(kBadUtf8); });
  expect(ItemFault::kTooDeep, "body", [](Record* r) { NestArrays(r->mutable_body(), kMaxValueDepth + 1); });
  expect(ItemFault::kNone, "deep body", [](Record* r) { NestArrays(r->mutable_body(), kMaxValueDepth); });
}

TEST(Scan, FaultsOfDataPoints) {
  // Each kind of metric with three points, of which the second is spoilt, where it has what `spoil` wants to.
  auto expect = [](ItemFault fault, const std::string& what, auto spoil) {
    auto try_kind = [&](uint32_t field, auto mutable_data) {
      MetricsRequest request;
      auto* data = mutable_data(request.add_resource_metrics()->add_scope_metrics()->add_metrics());
      for (int i = 0; i < 3; ++i) data->add_data_points()->set_time_unix_nano(5);
      if (!spoil(data->mutable_data_points(1))) return 0;
      EXPECT_EQ(CheckDataPoint(field, data->data_points(1).SerializePartialAsString()), fault) << what << ", field " << field;
      EXPECT_EQ(CheckDataPoint(field, data->data_points(0).SerializePartialAsString()), ItemFault::kNone) << what << ", field " << field;
      ExpectFault(Signal::kMetrics, request, 2, 1, fault, what + ", field " + std::to_string(field));
      return 1;
    };
    return try_kind(5, [](Metric* m) { return m->mutable_gauge(); }) + try_kind(7, [](Metric* m) { return m->mutable_sum(); }) +
           try_kind(9, [](Metric* m) { return m->mutable_histogram(); }) +
           try_kind(10, [](Metric* m) { return m->mutable_exponential_histogram(); }) +
           try_kind(11, [](Metric* m) { return m->mutable_summary(); });
  };
  auto exemplar = [](auto spoil) {
    return [spoil](auto* point) {
      constexpr bool kHasExemplars = requires { point->add_exemplars(); };
      if constexpr (kHasExemplars) spoil(point->add_exemplars());
      return kHasExemplars;
    };
  };
  EXPECT_EQ(5, expect(ItemFault::kBadUtf8, "attribute", [](auto* p) { return p->add_attributes()->set_key(kBadUtf8), true; }));
  EXPECT_EQ(5, expect(ItemFault::kTooDeep, "attribute",
                      [](auto* p) { return NestMaps(p->add_attributes()->mutable_value(), kMaxValueDepth + 1), true; }));
  EXPECT_EQ(4, expect(ItemFault::kBadTraceId, "exemplar", exemplar([](auto* e) { e->set_trace_id("x"); })));
  EXPECT_EQ(4, expect(ItemFault::kBadSpanId, "exemplar", exemplar([](auto* e) { e->set_span_id("x"); })));
  EXPECT_EQ(4, expect(ItemFault::kBadUtf8, "exemplar", exemplar([](auto* e) { e->add_filtered_attributes()->set_key(kBadUtf8); })));
}

TEST(Scan, AFaultOfAContainerRejectsAllThatItHolds) {
  auto request_with = [](const std::function<void(TraceRequest*)>& spoil) {
    TraceRequest request;
    for (int i = 0; i < 2; ++i) {
      auto* resource = request.add_resource_spans();
      for (int j = 0; j < 2; ++j) {
        auto* scope = resource->add_scope_spans();
        for (int k = 0; k < 3; ++k) scope->add_spans()->set_name("x");
      }
    }
    spoil(&request);
    return request;
  };
  auto expect = [&](int64_t rejected, Container container, const std::string& what, const std::function<void(TraceRequest*)>& spoil) {
    const TraceRequest request = request_with(spoil);
    ExpectFault(Signal::kTraces, request, 12 - rejected, rejected, ItemFault::kBadUtf8, what);
    const auto& resource = request.resource_spans(1);
    const std::string bytes =
        container == Container::kResource ? resource.SerializePartialAsString() : resource.scope_spans(1).SerializePartialAsString();
    EXPECT_EQ(CheckContainer(container, bytes), ItemFault::kBadUtf8) << what;
  };
  auto resource = [](TraceRequest* r) { return r->mutable_resource_spans(1); };
  auto scope = [](TraceRequest* r) { return r->mutable_resource_spans(1)->mutable_scope_spans(1); };
  expect(6, Container::kResource, "schema_url", [&](TraceRequest* r) { resource(r)->set_schema_url(kBadUtf8); });
  expect(6, Container::kResource, "attribute", [&](TraceRequest* r) { resource(r)->mutable_resource()->add_attributes()->set_key(kBadUtf8); });
  expect(3, Container::kScope, "schema_url", [&](TraceRequest* r) { scope(r)->set_schema_url(kBadUtf8); });
  expect(3, Container::kScope, "name", [&](TraceRequest* r) { scope(r)->mutable_scope()->set_name(kBadUtf8); });
  expect(3, Container::kScope, "version", [&](TraceRequest* r) { scope(r)->mutable_scope()->set_version(kBadUtf8); });
  expect(3, Container::kScope, "attribute", [&](TraceRequest* r) { scope(r)->mutable_scope()->add_attributes()->set_key(kBadUtf8); });
  // Of the items inside, those with faults of their own are counted once.
  expect(3, Container::kScope, "both", [&](TraceRequest* r) {
    scope(r)->set_schema_url(kBadUtf8);
    scope(r)->mutable_spans(0)->set_name(kBadUtf8);
  });
}

TEST(Scan, AFaultOfAMetricRejectsItsPoints) {
  auto expect = [](const std::string& what, const std::function<void(Metric*)>& spoil) {
    MetricsRequest request;
    auto* scope = request.add_resource_metrics()->add_scope_metrics();
    for (int i = 0; i < 2; ++i) {
      auto* metric = scope->add_metrics();
      for (int j = 0; j < 4; ++j) metric->mutable_gauge()->add_data_points();
    }
    spoil(scope->mutable_metrics(0));
    ExpectFault(Signal::kMetrics, request, 4, 4, ItemFault::kBadUtf8, what);
    EXPECT_EQ(CheckContainer(Container::kMetric, scope->metrics(0).SerializePartialAsString()), ItemFault::kBadUtf8) << what;
    EXPECT_EQ(CheckContainer(Container::kMetric, scope->metrics(1).SerializePartialAsString()), ItemFault::kNone) << what;
  };
  expect("name", [](Metric* m) { m->set_name(kBadUtf8); });
  expect("description", [](Metric* m) { m->set_description(kBadUtf8); });
  expect("unit", [](Metric* m) { m->set_unit(kBadUtf8); });
  expect("metadata", [](Metric* m) { m->add_metadata()->set_key(kBadUtf8); });
}

TEST(Scan, AContainerWithAFaultAndNoItemsRejectsNothing) {
  TraceRequest request;
  request.add_resource_spans()->set_schema_url(kBadUtf8);
  ExpectFault(Signal::kTraces, request, 0, 0, ItemFault::kNone, "empty");
}

// --- oddities of the wire ---

TEST(Scan, DataGivenTwiceCountsAsLibprotobufMergesIt) {
  auto metric_with = [](const std::function<void(Metric*)>& fill) {
    Metric metric;
    fill(&metric);
    return metric.SerializeAsString();
  };
  const std::string gauge2 = metric_with([](Metric* m) { m->mutable_gauge()->add_data_points(), m->mutable_gauge()->add_data_points(); });
  const std::string sum3 = metric_with([](Metric* m) {
    for (int i = 0; i < 3; ++i) m->mutable_sum()->add_data_points();
  });
  const std::string no_sum = metric_with([](Metric* m) { m->mutable_sum(); });
  const std::string bad_gauge = metric_with([](Metric* m) { m->mutable_gauge()->add_data_points()->add_exemplars()->set_trace_id("x"); });
  struct Case {
    std::string bytes;
    int64_t items, rejected;
  };
  for (const Case& c : {Case{gauge2 + gauge2, 4, 0}, Case{gauge2 + sum3, 3, 0}, Case{sum3 + gauge2, 2, 0}, Case{gauge2 + sum3 + gauge2, 2, 0},
                        Case{gauge2 + no_sum, 0, 0}, Case{bad_gauge + gauge2, 2, 1}, Case{bad_gauge + sum3, 3, 0}}) {
    Metric merged;
    ASSERT_TRUE(merged.ParseFromString(c.bytes));
    EXPECT_EQ(Points(merged), c.items + c.rejected);
    auto wrap = [](int field, const std::string& body) {
      return std::string(1, static_cast<char>(field << 3 | 2)) + static_cast<char>(body.size()) + body;
    };
    const ScanResult scan = ScanOtlp(Signal::kMetrics, wrap(1, wrap(2, wrap(2, c.bytes))));
    EXPECT_TRUE(scan.ok);
    EXPECT_EQ(scan.items, c.items);
    EXPECT_EQ(scan.rejected_items, c.rejected);
  }
}

TEST(Scan, UnknownFieldsAndGroupsAreSkipped) {
  TraceRequest request;
  auto add_unknown = [](google::protobuf::Message* message) {
    auto* unknown = message->GetReflection()->MutableUnknownFields(message);
    unknown->AddVarint(1000, UINT64_MAX);
    unknown->AddFixed32(1001, 5);
    unknown->AddFixed64(1002, 5);
    unknown->AddLengthDelimited(1003, "\xff\xff");
    auto* group = unknown->AddGroup(1004);
    group->AddVarint(1, 5);
    group->AddGroup(2)->AddLengthDelimited(3, "inner");
  };
  auto* resource = request.add_resource_spans();
  auto* scope = resource->add_scope_spans();
  auto* span = scope->add_spans();
  auto* attribute = span->add_attributes();
  for (google::protobuf::Message* m : std::initializer_list<google::protobuf::Message*>{
           &request, resource, resource->mutable_resource(), scope, scope->mutable_scope(), span, span->add_events(), span->add_links(),
           span->mutable_status(), attribute, attribute->mutable_value(), attribute->mutable_value()->mutable_array_value()->add_values()}) {
    add_unknown(m);
  }
  ExpectTaken(Signal::kTraces, request.SerializeAsString(), "unknown fields everywhere");
  // A group without its end.
  EXPECT_FALSE(ScanOtlp(Signal::kTraces, request.SerializeAsString() + "\xe3\x3e").ok);
}

TEST(Scan, KnownFieldsOfAnotherWireTypeAreUnknownFields) {
  for (const std::string& bytes : {std::string("\x08\x05"), std::string("\x0d" "1234"), std::string("\x09" "12345678"), std::string("\x0b\x0c")}) {
    for (const Signal signal : kAllSignals) ExpectTaken(signal, bytes, bytes);
  }
}

TEST(Scan, FaultsHaveNamesAndSentences) {
  EXPECT_EQ(ItemFaultName(ItemFault::kBadTraceId), "bad_trace_id");
  EXPECT_EQ(ItemFaultName(ItemFault::kBadSpanId), "bad_span_id");
  EXPECT_EQ(ItemFaultName(ItemFault::kBadUtf8), "bad_utf8");
  EXPECT_EQ(ItemFaultName(ItemFault::kTooDeep), "too_deep");
  for (const ItemFault f : {ItemFault::kBadTraceId, ItemFault::kBadSpanId, ItemFault::kBadUtf8, ItemFault::kTooDeep}) {
    EXPECT_FALSE(ItemFaultMessage(f).empty());
  }
}

}  // namespace
}  // namespace otlp_arrow
