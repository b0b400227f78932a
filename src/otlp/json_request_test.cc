// OTLP/JSON against libprotobuf: the same request as JSON and as protobuf is the same message.
#include "otlp/json_request.h"

#include <functional>
#include <random>
#include <string>
#include <vector>

#include <google/protobuf/util/json_util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "odd_json.h"
#include "odd_wire.h"
#include "otlp/scan.h"
#include "random_otlp.h"
#include "reference_otlp.h"

namespace otlp_arrow {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using ::testing::HasSubstr;
using testing::LogsRequest;
using testing::MetricsRequest;
using testing::OddJson;
using testing::PlainJson;
using testing::RandomOtlp;
using testing::TestSeeds;
using testing::TraceRequest;

// Calls `check(signal, message)` with random requests of every signal. Entity references, which these generated messages do not know,
// are left out.
void ForRandomRequests(uint64_t cases, const std::function<void(Signal, Message*)>& check) {
  const auto seeds = TestSeeds(cases);
  for (uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomOtlp random(seed);
    TraceRequest traces = random.Traces();
    MetricsRequest metrics = random.Metrics();
    LogsRequest logs = random.Logs();
    const std::pair<Signal, Message*> requests[] = {{Signal::kTraces, &traces}, {Signal::kMetrics, &metrics}, {Signal::kLogs, &logs}};
    for (const auto& [signal, request] : requests) {
      testing::StripUnknownFields(request, 1);
      testing::NormalizeNans(request);
      check(signal, request);
    }
    if (::testing::Test::HasFailure()) return;
  }
}

void ExpectMeans(const std::string& json, Signal signal, const Message& wanted, JsonRequestReader* reader) {
  std::string wire;
  const Status status = reader->ToWire(signal, json, &wire);
  ASSERT_TRUE(status.ok()) << status.message() << "\n" << json;
  std::unique_ptr<Message> got(wanted.New());
  ASSERT_TRUE(testing::ParseDeep(wire, got.get())) << json;
  EXPECT_EQ(testing::Difference(wanted, *got), "") << json;
}

// "OK", or the message without what all messages begin with.
std::string Outcome(Signal signal, std::string_view json, std::string* wire = nullptr) {
  std::string ignored;
  const Status status = JsonRequestReader().ToWire(signal, json, wire ? wire : &ignored);
  if (status.ok()) return "OK";
  EXPECT_EQ(status.code(), StatusCode::kExport);
  EXPECT_FALSE(status.retryable());
  EXPECT_THAT(status.message(), ::testing::StartsWith("not an OTLP/JSON request of " + std::string(SignalName(signal)) + ": "));
  return status.message().substr(status.message().find(": ") + 2);
}

template <class Request>
Request Read(Signal signal, const std::string& json) {
  std::string wire;
  EXPECT_EQ(Outcome(signal, json, &wire), "OK") << json;
  Request request;
  EXPECT_TRUE(testing::ParseDeep(wire, &request));
  return request;
}

TraceRequest ReadTraces(const std::string& json) { return Read<TraceRequest>(Signal::kTraces, json); }
LogsRequest ReadLogs(const std::string& json) { return Read<LogsRequest>(Signal::kLogs, json); }
MetricsRequest ReadMetrics(const std::string& json) { return Read<MetricsRequest>(Signal::kMetrics, json); }

// A request with one span, log record or metric of these fields.
std::string SpanJson(const std::string& fields) { return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{)" + fields + "}]}]}]}"; }
std::string LogJson(const std::string& fields) { return R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{)" + fields + "}]}]}]}"; }
std::string MetricJson(const std::string& fields) { return R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{)" + fields + "}]}]}]}"; }
std::string PointJson(const std::string& fields) { return MetricJson(R"("gauge":{"dataPoints":[{)" + fields + "}]}"); }
std::string BodyJson(const std::string& value) { return LogJson("\"body\":" + value); }

auto SpanOf(const std::string& fields) { return ReadTraces(SpanJson(fields)).resource_spans(0).scope_spans(0).spans(0); }
auto RecordOf(const std::string& fields) { return ReadLogs(LogJson(fields)).resource_logs(0).scope_logs(0).log_records(0); }
auto BodyOf(const std::string& value) { return RecordOf("\"body\":" + value).body(); }
auto PointOf(const std::string& fields) { return ReadMetrics(PointJson(fields)).resource_metrics(0).scope_metrics(0).metrics(0).gauge().data_points(0); }

TEST(JsonRequest, PlainFormIsTheWireOfLibprotobuf) {
  JsonRequestReader reader;
  std::string wire;
  ForRandomRequests(150, [&](Signal signal, Message* message) {
    const Status status = reader.ToWire(signal, PlainJson(*message), &wire);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_TRUE(wire == message->SerializeAsString()) << message->DebugString();
  });
}

TEST(JsonRequest, OddFormsMeanTheSameWhateverTheWindows) {
  std::mt19937_64 random(11);
  JsonRequestReader readers[] = {JsonRequestReader(), JsonRequestReader(1), JsonRequestReader(100), JsonRequestReader(1000)};
  ForRandomRequests(100, [&](Signal signal, Message* message) {
    const std::string json = OddJson(*message, &random);
    for (JsonRequestReader& reader : readers) ExpectMeans(json, signal, *message, &reader);
  });
}

// libprotobuf writes ids in base64: bytes of which that is the hex form.
void ChangeIds(Message* message) {
  std::vector<const FieldDescriptor*> fields;
  const auto* r = message->GetReflection();
  r->ListFields(*message, &fields);
  for (const FieldDescriptor* f : fields) {
    if (f->name().ends_with("trace_id") || f->name().ends_with("span_id")) {
      std::string bytes;
      const std::string hex = testing::HexText(r->GetString(*message, f));
      for (size_t i = 0; i < hex.size(); i += 4) {
        uint32_t bits = 0;
        for (size_t k = i; k < i + 4; ++k) {
          const char c = hex[k];
          bits = bits << 6 | static_cast<uint32_t>(c >= 'a' ? c - 'a' + 26 : c - '0' + 52);
        }
        for (int shift : {16, 8, 0}) bytes += static_cast<char>(bits >> shift);
      }
      r->SetString(message, f, bytes);
    } else if (f->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!f->is_repeated()) ChangeIds(r->MutableMessage(message, f));
      for (int i = 0; f->is_repeated() && i < r->FieldSize(*message, f); ++i) ChangeIds(r->MutableRepeatedMessage(message, f, i));
    }
  }
}

TEST(JsonRequest, ReadsWhatLibprotobufWrites) {
  JsonRequestReader reader;
  int read = 0;
  ForRandomRequests(60, [&](Signal signal, Message* message) {
    std::unique_ptr<Message> changed(message->New());
    changed->CopyFrom(*message);
    ChangeIds(changed.get());
    for (const bool other : {false, true}) {
      google::protobuf::util::JsonPrintOptions options;
      options.add_whitespace = options.always_print_enums_as_ints = options.preserve_proto_field_names = other;
      std::string json;
      if (!google::protobuf::util::MessageToJsonString(*changed, &json, options).ok()) continue;  // it writes no values that nest deep
      ExpectMeans(json, signal, *message, &reader);
      ++read;
    }
  });
  EXPECT_GT(read, 200);
}

// Every field of the generated messages, found by its name alone.
TEST(JsonRequest, KnowsEveryField) {
  const TraceRequest traces = ReadTraces(SpanJson(
      R"("traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174","traceState":"a=b","parentSpanId":"EEE19B7EC3C1B173","name":"n",
      "kind":2,"startTimeUnixNano":"1544712660000000000","endTimeUnixNano":1544712661000000000,"attributes":[{"key":"k","value":{"intValue":"1"}}],
      "droppedAttributesCount":1,"events":[{"timeUnixNano":"1","name":"e","attributes":[{}],"droppedAttributesCount":2}],"droppedEventsCount":3,
      "links":[{"traceId":"00","spanId":"01","traceState":"s","attributes":[{}],"droppedAttributesCount":4,"flags":256}],"droppedLinksCount":5,
      "status":{"message":"m","code":2},"flags":257)"));
  EXPECT_EQ(traces.resource_spans(0).scope_spans(0).spans(0).ShortDebugString(),
            R"(trace_id: "[\216\377\367\230\003\201\003\322i\2663\201?\306\014" span_id: "\356\341\233~\303\301\261t" trace_state: "a=b" )"
            R"(parent_span_id: "\356\341\233~\303\301\261s" name: "n" kind: SPAN_KIND_SERVER start_time_unix_nano: 1544712660000000000 )"
            R"(end_time_unix_nano: 1544712661000000000 attributes { key: "k" value { int_value: 1 } } dropped_attributes_count: 1 )"
            R"(events { time_unix_nano: 1 name: "e" attributes { } dropped_attributes_count: 2 } dropped_events_count: 3 )"
            R"(links { trace_id: "\000" span_id: "\001" trace_state: "s" attributes { } dropped_attributes_count: 4 flags: 256 } )"
            R"(dropped_links_count: 5 status { message: "m" code: STATUS_CODE_ERROR } flags: 257)");
}

// Entity references came after the generated messages of some systems: field 3 of a resource, by the .proto of 1.5.
TEST(JsonRequest, EntityReferences) {
  std::string wire;
  ASSERT_EQ(Outcome(Signal::kLogs,
                    R"({"resourceLogs":[{"resource":{"entityRefs":[{"schemaUrl":"u","type":"t","idKeys":["a","b"],"descriptionKeys":["c"]}]}}]})", &wire),
            "OK");
  EXPECT_EQ(wire, "\n\x13\n\x11\x1a\x0f\n\x01u\x12\x01t\x1a\x01" "a\x1a\x01" "b\"\x01" "c");
}

TEST(JsonRequest, ExampleOfTraces) {
  const TraceRequest request = ReadTraces(R"({
    "resourceSpans": [ {
        "resource": { "attributes": [ { "key": "service.name", "value": { "stringValue": "my.service" } } ] },
        "scopeSpans": [ {
            "scope": { "name": "my.library", "version": "1.0.0", "attributes": [ { "key": "my.scope.attribute", "value": { "stringValue": "x" } } ] },
            "spans": [ {
                "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "parentSpanId": "EEE19B7EC3C1B173",
                "name": "I'm a server span", "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000", "kind": 2,
                "attributes": [ { "key": "my.span.attr", "value": { "stringValue": "some value" } } ] } ] } ] } ]
  })");
  const auto& resource = request.resource_spans(0);
  EXPECT_EQ(resource.resource().attributes(0).value().string_value(), "my.service");
  EXPECT_EQ(resource.scope_spans(0).scope().version(), "1.0.0");
  const auto& span = resource.scope_spans(0).spans(0);
  EXPECT_EQ(testing::HexText(span.trace_id()), "5b8efff798038103d269b633813fc60c");
  EXPECT_EQ(span.name(), "I'm a server span");
  EXPECT_EQ(span.start_time_unix_nano(), 1544712660000000000u);
  EXPECT_EQ(span.attributes(0).value().string_value(), "some value");
}

TEST(JsonRequest, ExampleOfLogs) {
  const auto record = RecordOf(R"("timeUnixNano":"1544712660300000000","observedTimeUnixNano":"1544712660300000000","severityNumber":10,
      "severityText":"Information","traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","body":{"stringValue":"Example log record"},
      "attributes":[{"key":"boolean.attribute","value":{"boolValue":true}},{"key":"int.attribute","value":{"intValue":"10"}},
        {"key":"double.attribute","value":{"doubleValue":637.704}},
        {"key":"array.attribute","value":{"arrayValue":{"values":[{"stringValue":"many"},{"stringValue":"values"}]}}},
        {"key":"map.attribute","value":{"kvlistValue":{"values":[{"key":"some.map.key","value":{"stringValue":"some value"}}]}}}])");
  EXPECT_EQ(record.severity_number(), 10);
  EXPECT_EQ(record.observed_time_unix_nano(), 1544712660300000000u);
  EXPECT_TRUE(record.attributes(0).value().bool_value());
  EXPECT_EQ(record.attributes(1).value().int_value(), 10);
  EXPECT_EQ(record.attributes(2).value().double_value(), 637.704);
  EXPECT_EQ(record.attributes(3).value().array_value().values(1).string_value(), "values");
  EXPECT_EQ(record.attributes(4).value().kvlist_value().values(0).key(), "some.map.key");
}

TEST(JsonRequest, ExampleOfMetrics) {
  const std::string times = R"("startTimeUnixNano":"1544712660300000000","timeUnixNano":"1544712660300000000","attributes":[])";
  const MetricsRequest request = ReadMetrics(
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[
      {"name":"my.counter","unit":"1","description":"I am a Counter","sum":{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{"asDouble":5,)" + times + R"(}]}},
      {"name":"my.gauge","gauge":{"dataPoints":[{"asDouble":10,)" + times + R"(}]}},
      {"name":"my.histogram","histogram":{"aggregationTemporality":1,"dataPoints":[{"count":2,"sum":2,"bucketCounts":[1,1],"explicitBounds":[1],"min":0,"max":2,)" + times + R"(}]}},
      {"name":"my.exponential","exponentialHistogram":{"aggregationTemporality":1,"dataPoints":[{"count":3,"sum":10,"scale":-1,"zeroCount":1,
        "positive":{"offset":-1,"bucketCounts":[0,"2"]},"min":0,"max":5,"zeroThreshold":0,)" + times + R"(}]}},
      {"name":"my.summary","summary":{"dataPoints":[{"count":"3","sum":10,"quantileValues":[{"quantile":0.5,"value":"Infinity"}],)" + times + R"(}]}}
      ]}]}]})");
  const auto& metrics = request.resource_metrics(0).scope_metrics(0).metrics();
  EXPECT_EQ(metrics[0].sum().data_points(0).as_double(), 5);
  EXPECT_TRUE(metrics[0].sum().is_monotonic());
  EXPECT_EQ(metrics[1].gauge().data_points(0).as_double(), 10);
  EXPECT_EQ(metrics[2].histogram().data_points(0).bucket_counts_size(), 2);
  EXPECT_TRUE(metrics[2].histogram().data_points(0).has_min());
  EXPECT_EQ(metrics[3].exponential_histogram().data_points(0).scale(), -1);
  EXPECT_EQ(metrics[3].exponential_histogram().data_points(0).positive().offset(), -1);
  EXPECT_EQ(metrics[3].exponential_histogram().data_points(0).positive().bucket_counts(1), 2u);
  EXPECT_EQ(metrics[4].summary().data_points(0).quantile_values(0).value(), std::numeric_limits<double>::infinity());
}

TEST(JsonRequest, EmptyRequests) {
  std::string wire = "old";
  for (const char* json : {"{}", " \n{ }\r\n", "\xef\xbb\xbf{}", R"({"resourceSpans":[]})", R"({"resourceSpans":null})"}) {
    EXPECT_EQ(Outcome(Signal::kTraces, json, &wire), "OK") << json;
    EXPECT_EQ(wire, "");
  }
}

TEST(JsonRequest, Numbers) {
  for (const char* text : {"1544712660000000000", "\"1544712660000000000\"", "1544712660000000000.000", "1.54471266e18", "\"15447126600000000E2\"",
                           "154471266000000000000e-2"}) {
    EXPECT_EQ(SpanOf("\"startTimeUnixNano\":" + std::string(text)).start_time_unix_nano(), 1544712660000000000u) << text;
  }
  EXPECT_EQ(SpanOf(R"("endTimeUnixNano":18446744073709551615)").end_time_unix_nano(), UINT64_MAX);
  EXPECT_EQ(SpanOf(R"("endTimeUnixNano":-0)").end_time_unix_nano(), 0u);
  EXPECT_EQ(BodyOf(R"({"intValue":"-9223372036854775808"})").int_value(), INT64_MIN);
  EXPECT_EQ(BodyOf(R"({"intValue":9223372036854775807})").int_value(), INT64_MAX);
  EXPECT_EQ(BodyOf(R"({"intValue":0e99999999999999999999})").int_value(), 0);
  EXPECT_EQ(BodyOf(R"({"doubleValue":7})").double_value(), 7);
  EXPECT_EQ(BodyOf(R"({"doubleValue":"1e-400"})").double_value(), 0);
  EXPECT_EQ(BodyOf(R"({"doubleValue":-1e-99999999999999999999})").double_value(), 0);
  EXPECT_EQ(BodyOf(R"({"doubleValue":0.1})").double_value(), 0.1);
  EXPECT_EQ(PointOf(R"("asInt":0)").value_case(), opentelemetry::proto::metrics::v1::NumberDataPoint::kAsInt);
}

TEST(JsonRequest, NumbersThatAreNone) {
  for (const char* text : {"18446744073709551616", "-1", "1.5", "1e-1", "1e20", "01", "0x10", "\"\"", "\" 1\"", "\"abc\"", "true", "[]", "+1", "1e", "-", ".5", "5.",
                           "99999999999999999999999999", "1e99999999999999999999"}) {
    EXPECT_THAT(Outcome(Signal::kTraces, SpanJson("\"startTimeUnixNano\":" + std::string(text))),
                HasSubstr("resourceSpans[0].scopeSpans[0].spans[0].startTimeUnixNano: ")) << text;
  }
  for (const char* text : {"1e400", "-1e400", "NaN", "Infinity", "\"nan\"", "01.5", "\"0x1p3\"", "{}"}) {
    EXPECT_THAT(Outcome(Signal::kLogs, BodyJson("{\"doubleValue\":" + std::string(text) + "}")), HasSubstr("body.doubleValue: ")) << text;
  }
  EXPECT_THAT(Outcome(Signal::kTraces, SpanJson(R"("droppedLinksCount":4294967296)")), HasSubstr("an integer from 0 to 4294967295"));
  EXPECT_THAT(Outcome(Signal::kTraces, SpanJson(R"("kind":2147483648)")), HasSubstr("\"SPAN_KIND_INTERNAL\""));
}

TEST(JsonRequest, EnumerationsByNumberOrName) {
  EXPECT_EQ(SpanOf(R"("kind":3)").kind(), 3);
  EXPECT_EQ(SpanOf(R"("kind":"SPAN_KIND_CLIENT")").kind(), 3);
  EXPECT_EQ(SpanOf(R"("kind":"3")").kind(), 3);
  EXPECT_EQ(SpanOf(R"("kind":-7)").kind(), -7);
  EXPECT_EQ(RecordOf(R"("severityNumber":"SEVERITY_NUMBER_ERROR2")").severity_number(), 18);
}

TEST(JsonRequest, Texts) {
  EXPECT_EQ(BodyOf(R"({"stringValue":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude80\u0000"})").string_value(), std::string("\"\\/\b\f\n\r\té🚀\0", 15));
  // Halves of a pair: in front, behind, twice, before another escape.
  EXPECT_EQ(BodyOf(R"({"stringValue":"\ud83d"})").string_value(), "\uFFFD");
  EXPECT_EQ(BodyOf(R"({"stringValue":"\ude80x\ud83d\ud83d\u0041\ud83d\n"})").string_value(), "\uFFFDx\uFFFD\uFFFDA\uFFFD\n");
  for (const char* escape : {"\\x41", "\\u12", "\\u12g4", "\\ud83d\\u12", "\\U0001", "\\'"}) {
    EXPECT_THAT(Outcome(Signal::kLogs, BodyJson("{\"stringValue\":\"a" + std::string(escape) + "\"}")), HasSubstr("body.stringValue: has an escape")) << escape;
  }
  EXPECT_EQ(BodyOf("{\"stringValue\":\"\"}").value_case(), opentelemetry::proto::common::v1::AnyValue::kStringValue);
  EXPECT_THAT(Outcome(Signal::kLogs, BodyJson("{\"stringValue\":\"a\xff\"}")), HasSubstr("the text is not valid UTF-8"));
  EXPECT_THAT(Outcome(Signal::kLogs, BodyJson("{\"stringValue\":\"a\x01\"}")), HasSubstr("control character"));
  EXPECT_THAT(Outcome(Signal::kLogs, BodyJson("{\"stringValue\":5}")), HasSubstr("5 where a text in double quotes is expected"));
}

TEST(JsonRequest, BytesInBase64) {
  for (const char* text : {"+/8=", "-_8=", "-_8", "+\\/8="}) EXPECT_EQ(BodyOf("{\"bytesValue\":\"" + std::string(text) + "\"}").bytes_value(), "\xfb\xff") << text;
  for (const char* text : {"a", "ab=", "ab===", "a b=", "====", "YWJ$"}) {
    EXPECT_THAT(Outcome(Signal::kLogs, BodyJson("{\"bytesValue\":\"" + std::string(text) + "\"}")), HasSubstr("where base64 is expected")) << text;
  }
}

// Digits make bytes, of whatever number: the scan judges those. Anything else is the wrong encoding of all ids.
TEST(JsonRequest, Ids) {
  std::string wire;
  ASSERT_EQ(Outcome(Signal::kTraces, SpanJson(R"("traceId":"abcd","name":"a"},{"traceId":"5B8EFFF798038103D269B633813FC60C")"), &wire), "OK");
  const ScanResult scan = ScanOtlp(Signal::kTraces, wire);
  EXPECT_EQ(scan.items, 1);
  EXPECT_EQ(scan.rejected_items, 1);
  EXPECT_EQ(scan.fault, ItemFault::kBadTraceId);
  EXPECT_THAT(Outcome(Signal::kTraces, SpanJson(R"("traceId":"W47/95gDgQPSabYzgT/GDA==")")),
              HasSubstr("spans[0].traceId: \"W47/95gDgQPSabYzgT/GDA==\" where hexadecimal digits, 32 of a trace id"));
  EXPECT_THAT(Outcome(Signal::kTraces, SpanJson(R"("spanId":"abc")")), HasSubstr("spans[0].spanId: \"abc\""));
}

TEST(JsonRequest, NullIsAbsent) {
  const auto span = SpanOf(R"("name":null,"traceId":null,"kind":null,"startTimeUnixNano":null,"attributes":null,"status":null,
                              "events":[null,{"name":"e"},null],"flags":null)");
  EXPECT_EQ(span.ShortDebugString(), R"(events { name: "e" })");
  const auto body = BodyOf(R"({"arrayValue":{"values":[null,{"intValue":1},{}]}})");
  EXPECT_EQ(body.array_value().values_size(), 3);
  EXPECT_EQ(body.array_value().values(1).int_value(), 1);
  EXPECT_THAT(Outcome(Signal::kTraces, SpanJson(R"("name":nul)")), HasSubstr("spans[0].name: nul where a value is expected"));
}

TEST(JsonRequest, FieldsThatComeTwice) {
  EXPECT_EQ(SpanOf(R"("name":"a","name":"b")").name(), "b");
  EXPECT_EQ(SpanOf(R"("attributes":[{"key":"a"}],"attributes":[{"key":"b"}])").attributes_size(), 2);
  EXPECT_EQ(BodyOf(R"({"stringValue":"a","intValue":1})").int_value(), 1);
}

TEST(JsonRequest, UnknownFieldsAreSteppedOver) {
  EXPECT_EQ(SpanOf(R"("a":1,"b":[],"c":{},"d":[{"e":[[null,true,false,-1.5e+3,"x\u0041"]],"f":{"g":{}}},[]],"name":"n","z":"")").name(), "n");
  const std::string levels(1000, '[');
  EXPECT_EQ(SpanOf("\"deep\":" + levels + std::string(1000, ']') + ",\"name\":\"n\"").name(), "n");
  for (const char* value : {"tru", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{1:2}", "[1 2]", "{\"a\":1 \"b\":2}", "[}", "{]", "\"\\x\"", "01", "{\"\\x\":1}", ""}) {
    EXPECT_THAT(Outcome(Signal::kTraces, SpanJson("\"other\":" + std::string(value))), HasSubstr("spans[0].other")) << value;
  }
}

TEST(JsonRequest, NotJson) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "the text ends where an object"},
      {"  ", "the text ends where an object"},
      {"null", "null where an object, such as {\"resourceSpans\":[...]} is expected"},
      {"[]", "[ where an object"},
      {"hello", "hello where an object"},
      {"{\"a\":1", "the text ends where a comma or the end of the object is expected"},
      {"{\"a\":1} x", "x where nothing more"},
      {"{}{}", "{ where nothing more"},
      {"{'a':1}", "'a' where a name in double quotes is expected"},
      {"{\"a\" 1}", "1 where a colon"},
      {"{\"a", "a string does not end"},
      {"{\"resourceSpans\":[{]}", "resourceSpans[0]: ] where a name"},
      {"{\"resourceSpans\":{}}", "resourceSpans: { where an array is expected"},
      {"{\"resourceSpans\":[[]]}", "resourceSpans[0]: [ where an object is expected"},
      {"{\"resourceLogs\":[]}", "resourceLogs: belongs to a request of logs, which goes to /v1/logs"},
      {"\\\"{}", "where an object"},
  };
  EXPECT_THAT(Outcome(Signal::kTraces, std::string("{}\0", 3)), HasSubstr("where nothing more behind the request"));
  EXPECT_THAT(Outcome(Signal::kTraces, std::string("{}\0{\"resourceSpans\":[]}", 23)), HasSubstr("where nothing more behind the request"));
  for (const auto& [json, message] : cases) EXPECT_THAT(Outcome(Signal::kTraces, json), HasSubstr(message)) << json;
}

TEST(JsonRequest, MessagesStayShort) {
  const std::string outcome = Outcome(Signal::kTraces, SpanJson("\"" + std::string(1000, 'k') + "\":" + std::string(999, 'x')));
  EXPECT_LT(outcome.size(), 300u);
  // Never cut within a character.
  EXPECT_THAT(Outcome(Signal::kTraces, SpanJson("\"kind\":\"a" + std::string(20, ' ') + "ééééééééééééééé\"")), HasSubstr("é... where"));
}

std::string DeepValue(size_t levels, bool as_map) {
  std::string open, close;
  for (size_t i = 0; i < levels; ++i) {
    open += as_map ? R"({"kvlistValue":{"values":[{"key":"k","value":)" : R"({"arrayValue":{"values":[)";
    close += as_map ? "}]}}" : "]}}";
  }
  return open + R"({"stringValue":"x"})" + close;
}

// What nests too deep makes its item invalid, as in protobuf; the others stay.
TEST(JsonRequest, DeepValues) {
  for (const bool as_map : {false, true}) {
    for (const size_t levels : {size_t{64}, size_t{65}, size_t{66}, size_t{100}, size_t{300}}) {
      std::string wire;
      ASSERT_EQ(Outcome(Signal::kLogs, LogJson("\"body\":" + DeepValue(levels, as_map) + R"(},{"severityText":"other")"), &wire), "OK") << levels;
      const ScanResult scan = ScanOtlp(Signal::kLogs, wire);
      EXPECT_TRUE(scan.ok);
      EXPECT_EQ(scan.items, levels > 64 ? 1 : 2) << levels;
      EXPECT_EQ(scan.fault, levels > 64 ? ItemFault::kTooDeep : ItemFault::kNone);
    }
    EXPECT_THAT(Outcome(Signal::kLogs, BodyJson(DeepValue(20000, as_map))), HasSubstr("nests deeper than 1024 levels"));
  }
}

// Many tokens or none; nothing of it is held.
TEST(JsonRequest, Bombs) {
  constexpr size_t kSize = 4 << 20;
  EXPECT_THAT(Outcome(Signal::kTraces, "{\"a\":" + std::string(kSize, '[')), HasSubstr("nests deeper than 1024 levels"));
  EXPECT_THAT(Outcome(Signal::kTraces, std::string(kSize, '{')), HasSubstr("{ where a name"));
  EXPECT_THAT(Outcome(Signal::kTraces, std::string(kSize, ' ')), HasSubstr("the text ends"));
  EXPECT_THAT(Outcome(Signal::kTraces, std::string(kSize, '"')), HasSubstr("where an object"));
  EXPECT_THAT(Outcome(Signal::kTraces, std::string(kSize, '\\')), HasSubstr("where an object"));
  EXPECT_THAT(Outcome(Signal::kTraces, "{\"a\":" + std::string(kSize, '1') + "}"), "OK");
  EXPECT_THAT(Outcome(Signal::kTraces, "{\"a\":\"" + std::string(kSize, '\\') + "\"}"), "OK");
  EXPECT_THAT(Outcome(Signal::kTraces, "{\"a\":\"" + std::string(kSize + 1, '\\') + "\"}"), HasSubstr("a string does not end"));
  EXPECT_EQ(BodyOf("{\"stringValue\":\"" + std::string(kSize, 'x') + "\"}").string_value().size(), kSize);
}

// Cut anywhere it is no request, whatever was asked before; nothing is left in `wire`.
TEST(JsonRequest, CutAnywhere) {
  std::string whole;
  for (uint64_t seed = 1; whole.size() < 3000; ++seed) whole = PlainJson(RandomOtlp(seed).Traces());
  JsonRequestReader reader, small_windows(16);
  std::string wire;
  ASSERT_TRUE(reader.ToWire(Signal::kTraces, whole, &wire).ok());
  for (size_t size = 0; size < 3000; ++size) {
    // In memory of its own, so that sanitizers see reads behind it.
    const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    for (JsonRequestReader* each : {&reader, &small_windows}) {
      EXPECT_FALSE(each->ToWire(Signal::kTraces, {cut.data(), cut.size()}, &wire).ok()) << size;
      EXPECT_EQ(wire, "");
    }
  }
  EXPECT_TRUE(reader.ToWire(Signal::kTraces, whole, &wire).ok());
}

// Windows of any size see the same, in sound texts and in broken ones.
TEST(JsonRequest, DamagedAnywhere) {
  std::mt19937_64 random(3);
  JsonRequestReader reader, small_windows(1), other_windows(50);
  std::string wire, small_wire;
  for (int round = 0; round < 3000; ++round) {
    std::string json = OddJson(RandomOtlp(round % 40).Logs(), &random).substr(0, 2000);
    constexpr char kBytes[] = "{}[]\",:\\ 0a\n\xc3\xa9";
    for (int i = 0; i < 1 + round % 3 && !json.empty(); ++i) json[random() % json.size()] = kBytes[random() % (sizeof(kBytes) - 1)];
    const bool ok = reader.ToWire(Signal::kLogs, json, &wire).ok();
    EXPECT_TRUE(!ok || ScanOtlp(Signal::kLogs, wire).ok);
    for (JsonRequestReader* each : {&small_windows, &other_windows}) {
      ASSERT_EQ(each->ToWire(Signal::kLogs, json, &small_wire).ok(), ok) << json;
      ASSERT_EQ(small_wire, wire);
    }
  }
}

}  // namespace
}  // namespace otlp_arrow
