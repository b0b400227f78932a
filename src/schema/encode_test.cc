#include "schema/encode.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "reference_otlp.h"
#include "schema/schemas.h"

namespace otlp_arrow {
namespace {

using ::testing::HasSubstr;
using testing::LogsRequest;
using testing::MetricsRequest;
using testing::TraceRequest;

using Column = std::pair<std::string, std::shared_ptr<arrow::Array>>;
using Texts = std::vector<const char*>;  // null pointers are nulls

std::shared_ptr<arrow::Array> Text(const Texts& values) {
  arrow::StringBuilder builder;
  for (const char* v : values) EXPECT_TRUE((v ? builder.Append(v) : builder.AppendNull()).ok());
  return *builder.Finish();
}

template <class Builder, class T>
std::shared_ptr<arrow::Array> Numbers(const std::vector<T>& values, std::shared_ptr<arrow::DataType> type = nullptr) {
  std::shared_ptr<arrow::Array> array;
  Builder builder;
  for (const T& v : values) EXPECT_TRUE(builder.Append(v).ok());
  EXPECT_TRUE(builder.Finish(&array).ok());
  return type ? *array->View(type) : array;
}

// Maps as keys and values in turn: {{"a", "1", "b", nullptr}, {}}.
std::shared_ptr<arrow::Array> Maps(const std::vector<Texts>& rows) {
  auto keys = std::make_shared<arrow::StringBuilder>();
  auto values = std::make_shared<arrow::StringBuilder>();
  arrow::MapBuilder builder(arrow::default_memory_pool(), keys, values);
  for (const Texts& row : rows) {
    EXPECT_TRUE(builder.Append().ok());
    for (size_t i = 0; i < row.size(); i += 2) {
      EXPECT_TRUE(keys->Append(row[i]).ok());
      EXPECT_TRUE((row[i + 1] ? values->Append(row[i + 1]) : values->AppendNull()).ok());
    }
  }
  return *builder.Finish();
}

std::shared_ptr<arrow::RecordBatch> Batch(const std::vector<Column>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), arrays.at(0)->length(), arrays);
}

template <class Request>
Request EncodeOne(Signal signal, const std::vector<Column>& columns) {
  Request request;
  auto requests = EncodeOtlp(signal, *Batch(columns));
  EXPECT_TRUE(requests.ok()) << requests.status().ToString();
  if (!requests.ok()) return request;
  EXPECT_EQ(requests->size(), 1u);
  EXPECT_TRUE(request.ParseFromString(requests->at(0).bytes));
  return request;
}

std::string ErrorOf(Signal signal, const std::vector<Column>& columns) {
  auto requests = EncodeOtlp(signal, *Batch(columns));
  EXPECT_FALSE(requests.ok());
  EXPECT_EQ(requests.status().code(), StatusCode::kExport);
  return requests.status().message();
}

TEST(EncodeOtlp, NoRowsMakeNoRequests) {
  for (Signal signal : kAllSignals) {
    auto batch = *arrow::RecordBatch::MakeEmpty(TableSchema(signal, {}));
    auto requests = EncodeOtlp(signal, *batch);
    ASSERT_TRUE(requests.ok()) << requests.status().ToString();
    EXPECT_TRUE(requests->empty());
  }
}

TEST(EncodeOtlp, MissingColumnsAreNullAndUnknownOnesAreSkipped) {
  const auto request = EncodeOne<TraceRequest>(Signal::kTraces, {{"name", Text({"GET /"})}, {"my_own_column", Text({"x"})}});
  TraceRequest wanted;
  wanted.add_resource_spans()->add_scope_spans()->add_spans()->set_name("GET /");
  EXPECT_EQ(testing::Difference(wanted, request), "");
}

TEST(EncodeOtlp, ColumnsOfNullTypeCountAsMissing) {
  const auto request = EncodeOne<LogsRequest>(
      Signal::kLogs, {{"body", Text({"hello"})}, {"attributes", *arrow::MakeArrayOfNull(arrow::null(), 1)}, {"time", *arrow::MakeArrayOfNull(arrow::null(), 1)}});
  EXPECT_EQ(request.resource_logs(0).scope_logs(0).log_records(0).body().string_value(), "hello");
}

TEST(EncodeOtlp, NeighboursWithTheSameResourceAndScopeShareTheirMessages) {
  const auto request = EncodeOne<TraceRequest>(
      Signal::kTraces, {{"name", Text({"a", "b", "c", "d", "e"})},
                        {"scope_name", Text({"s", "s", "t", "t", "s"})},
                        {"resource_attributes", Maps({{"h", "1"}, {"h", "1"}, {"h", "1"}, {"h", "2"}, {"h", "2"}})}});
  ASSERT_EQ(request.resource_spans_size(), 2);
  ASSERT_EQ(request.resource_spans(0).scope_spans_size(), 2);
  EXPECT_EQ(request.resource_spans(0).scope_spans(0).spans_size(), 2);
  EXPECT_EQ(request.resource_spans(0).scope_spans(1).spans_size(), 1);
  ASSERT_EQ(request.resource_spans(1).scope_spans_size(), 2);
  EXPECT_EQ(request.resource_spans(1).scope_spans(1).scope().name(), "s");
}

TEST(EncodeOtlp, NullAndEmptyResourceAttributesAreNotTheSame) {
  arrow::MapBuilder builder(arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>(), std::make_shared<arrow::StringBuilder>());
  ASSERT_TRUE(builder.AppendNull().ok());
  ASSERT_TRUE(builder.Append().ok());
  const auto request = EncodeOne<TraceRequest>(Signal::kTraces, {{"name", Text({"a", "b"})}, {"resource_attributes", *builder.Finish()}});
  ASSERT_EQ(request.resource_spans_size(), 2);
  EXPECT_FALSE(request.resource_spans(0).has_resource());
  EXPECT_TRUE(request.resource_spans(1).has_resource());
}

TEST(EncodeOtlp, RequestsEndAtTheItemLimit) {
  EncodeOptions options;
  options.max_items_per_request = 2;
  auto requests = EncodeOtlp(Signal::kTraces, *Batch({{"name", Text({"a", "b", "c", "d", "e"})}}), options);
  ASSERT_TRUE(requests.ok());
  ASSERT_EQ(requests->size(), 3u);
  EXPECT_EQ(requests->at(0).items, 2);
  EXPECT_EQ(requests->at(2).items, 1);
}

TEST(EncodeOtlp, RequestsEndAtTheByteLimitButHoldAtLeastOneItem) {
  const std::string big(1000, 'x');
  EncodeOptions options;
  options.max_bytes_per_request = 1500;
  auto requests = EncodeOtlp(Signal::kTraces, *Batch({{"name", Text({big.c_str(), big.c_str(), big.c_str()})}}), options);
  ASSERT_TRUE(requests.ok());
  ASSERT_EQ(requests->size(), 2u);
  EXPECT_EQ(requests->at(0).items, 2);
  options.max_bytes_per_request = 0;
  options.max_items_per_request = 0;
  requests = EncodeOtlp(Signal::kTraces, *Batch({{"name", Text({big.c_str(), "b"})}}), options);
  ASSERT_TRUE(requests.ok());
  EXPECT_EQ(requests->size(), 2u);
}

TEST(EncodeOtlp, DictionaryIndicesOfAnyWidth) {
  for (const auto& type : {arrow::int8(), arrow::uint8(), arrow::int16(), arrow::uint16(), arrow::uint32(), arrow::int64(), arrow::uint64()}) {
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ASSERT_TRUE(arrow::MakeBuilder(arrow::default_memory_pool(), type, &builder).ok());
    for (int i : {1, 0, 1}) ASSERT_TRUE(builder->AppendScalar(**arrow::MakeScalar(type, i)).ok());
    auto names = arrow::DictionaryArray::FromArrays(arrow::dictionary(type, arrow::utf8()), *builder->Finish(), Text({"a", "b"}));
    ASSERT_TRUE(names.ok()) << names.status();
    const auto request = EncodeOne<TraceRequest>(Signal::kTraces, {{"name", (*names)->Slice(1)}});
    const auto& spans = request.resource_spans(0).scope_spans(0).spans();
    ASSERT_EQ(spans.size(), 2);
    EXPECT_EQ(spans[0].name(), "a");
    EXPECT_EQ(spans[1].name(), "b");
  }
}

TEST(EncodeOtlp, NullsWithinADictionaryAreNull) {
  auto names = arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int32(), arrow::utf8()),
                                                  Numbers<arrow::Int32Builder, int32_t>({0, 1}), Text({nullptr, "ERROR"}));
  const auto request = EncodeOne<TraceRequest>(Signal::kTraces, {{"status_code", *names}});
  const auto& spans = request.resource_spans(0).scope_spans(0).spans();
  EXPECT_FALSE(spans[0].has_status());
  EXPECT_EQ(spans[1].status().code(), 2);
}

TEST(EncodeOtlp, EnumerationsAreNamesOrNumbers) {
  const auto request = EncodeOne<TraceRequest>(
      Signal::kTraces, {{"kind", Text({"SERVER", "77", nullptr, "-1"})}, {"status_code", Text({nullptr, "UNSET", "OK", "9"})},
                        {"status_message", Text({"lost without a code", "m", nullptr, nullptr})}});
  const auto& spans = request.resource_spans(0).scope_spans(0).spans();
  EXPECT_EQ(spans[0].kind(), 2);
  EXPECT_EQ(static_cast<int>(spans[1].kind()), 77);
  EXPECT_EQ(spans[2].kind(), 0);
  EXPECT_EQ(static_cast<int>(spans[3].kind()), -1);
  EXPECT_FALSE(spans[0].has_status());
  EXPECT_TRUE(spans[1].has_status());
  EXPECT_EQ(spans[1].status().message(), "m");
  EXPECT_EQ(static_cast<int>(spans[3].status().code()), 9);
}

TEST(EncodeOtlp, IdsMayBeUpperCase) {
  const auto request = EncodeOne<TraceRequest>(Signal::kTraces, {{"span_id", Text({"00FFaBcd00000001"})}});
  EXPECT_EQ(request.resource_spans(0).scope_spans(0).spans(0).span_id(), std::string("\x00\xff\xab\xcd\x00\x00\x00\x01", 8));
}

TEST(EncodeOtlp, TypedAttributes) {
  const auto request = EncodeOne<LogsRequest>(
      Signal::kLogs, {{"attributes", Maps({{"s", "x", "i", "-7", "d", "0.5", "b", "true", "x", "Zm9v", "a", "[1,\"y\"]", "m", "{\"k\":null}",
                                            "n", nullptr, "-", nullptr}})},
                      {"attributes_types", Text({"sidbxamn-"})}});
  const auto& attributes = request.resource_logs(0).scope_logs(0).log_records(0).attributes();
  ASSERT_EQ(attributes.size(), 9);
  EXPECT_EQ(attributes[0].value().string_value(), "x");
  EXPECT_EQ(attributes[1].value().int_value(), -7);
  EXPECT_EQ(attributes[2].value().double_value(), 0.5);
  EXPECT_TRUE(attributes[3].value().bool_value());
  EXPECT_EQ(attributes[4].value().bytes_value(), "foo");
  EXPECT_EQ(attributes[5].value().array_value().values(0).int_value(), 1);
  EXPECT_EQ(attributes[6].value().kvlist_value().values(0).key(), "k");
  EXPECT_TRUE(attributes[6].value().kvlist_value().values(0).has_value());
  EXPECT_TRUE(attributes[7].has_value());
  EXPECT_EQ(attributes[7].value().value_case(), 0);
  EXPECT_FALSE(attributes[8].has_value());
}

TEST(EncodeOtlp, ExactAttributesWinOverTheMap) {
  opentelemetry::proto::common::v1::KeyValueList list;
  for (int i = 0; i < 2; ++i) {
    auto* entry = list.add_values();
    entry->set_key("twice");
    entry->mutable_value()->set_int_value(i);
  }
  std::string types = "=";
  AppendBase64(list.SerializeAsString(), &types);
  const auto request =
      EncodeOne<LogsRequest>(Signal::kLogs, {{"attributes", Maps({{"twice", "0"}})}, {"attributes_types", Text({types.c_str()})}});
  const auto& attributes = request.resource_logs(0).scope_logs(0).log_records(0).attributes();
  ASSERT_EQ(attributes.size(), 2);
  EXPECT_EQ(attributes[1].value().int_value(), 1);
}

TEST(EncodeOtlp, LogBodies) {
  std::string exact = "=";
  AppendBase64("\x0a\x02hi", &exact);
  const auto request = EncodeOne<LogsRequest>(
      Signal::kLogs, {{"body", Text({nullptr, "plain", "", "true", "5", "1.5", "Zm9v", "[1]", "{}", nullptr, "for readers"})},
                      {"body_type", Text({nullptr, nullptr, "STRING", "BOOL", "INT", "DOUBLE", "BYTES", "ARRAY", "KVLIST", "EMPTY", exact.c_str()})}});
  const auto& records = request.resource_logs(0).scope_logs(0).log_records();
  ASSERT_EQ(records.size(), 11);
  EXPECT_FALSE(records[0].has_body());
  EXPECT_EQ(records[1].body().string_value(), "plain");
  EXPECT_TRUE(records[2].body().has_string_value());
  EXPECT_TRUE(records[3].body().bool_value());
  EXPECT_EQ(records[4].body().int_value(), 5);
  EXPECT_EQ(records[5].body().double_value(), 1.5);
  EXPECT_EQ(records[6].body().bytes_value(), "foo");
  EXPECT_EQ(records[7].body().array_value().values_size(), 1);
  EXPECT_TRUE(records[8].body().has_kvlist_value());
  EXPECT_TRUE(records[9].has_body());
  EXPECT_EQ(records[9].body().value_case(), 0);
  EXPECT_EQ(records[10].body().string_value(), "hi");
}

TEST(EncodeOtlp, MetricsOfOneIdentityShareAMessage) {
  const auto request = EncodeOne<MetricsRequest>(
      Signal::kMetrics, {{"metric_name", Text({"m", "m", "m", "n"})},
                         {"metric_type", Text({"SUM", "SUM", "GAUGE", "GAUGE"})},
                         {"aggregation_temporality", Text({"DELTA", "DELTA", nullptr, nullptr})},
                         {"is_monotonic", Numbers<arrow::BooleanBuilder, bool>({true, true, true, false})},
                         {"value_int", Numbers<arrow::Int64Builder, int64_t>({1, -2, 3, 4})}});
  const auto& metrics = request.resource_metrics(0).scope_metrics(0).metrics();
  ASSERT_EQ(metrics.size(), 3);
  EXPECT_EQ(metrics[0].sum().data_points_size(), 2);
  EXPECT_EQ(metrics[0].sum().data_points(1).as_int(), -2);
  EXPECT_TRUE(metrics[0].sum().is_monotonic());
  EXPECT_EQ(metrics[0].sum().aggregation_temporality(), 1);
  EXPECT_EQ(metrics[1].gauge().data_points_size(), 1);
}

TEST(EncodeOtlp, ErrorsNameTheColumnAndTheRow) {
  EXPECT_THAT(ErrorOf(Signal::kTraces, {{"trace_id", Numbers<arrow::Int64Builder, int64_t>({1})}}),
              AllOf(HasSubstr("'trace_id'"), HasSubstr("int64"), HasSubstr("utf8")));
  EXPECT_THAT(ErrorOf(Signal::kTraces, {{"start_time", Numbers<arrow::Int64Builder, int64_t>({1})}}), HasSubstr("timestamp[ns]"));
  EXPECT_THAT(ErrorOf(Signal::kTraces, {{"flags", Text({"1"})}}), AllOf(HasSubstr("'flags'"), HasSubstr("uint32")));
  EXPECT_THAT(ErrorOf(Signal::kTraces, {{"events", Text({"[]"})}}), AllOf(HasSubstr("'events'"), HasSubstr("list")));
  EXPECT_THAT(ErrorOf(Signal::kTraces, {{"span_id", Text({"0000000000000001", "00"})}}),
              AllOf(HasSubstr("row 1 of traces"), HasSubstr("'span_id'"), HasSubstr("16 hex digits")));
  EXPECT_THAT(ErrorOf(Signal::kTraces, {{"span_id", Text({"000000000000000g"})}}), HasSubstr("16 hex digits"));
  EXPECT_THAT(ErrorOf(Signal::kTraces, {{"kind", Text({"SERVER", "BROWSER"})}}), AllOf(HasSubstr("row 1"), HasSubstr("'BROWSER'")));
  EXPECT_THAT(ErrorOf(Signal::kTraces, {{"attributes", Maps({{"k", "x"}})}, {"attributes_types", Text({"i"})}}),
              AllOf(HasSubstr("attributes['k']"), HasSubstr("'x'"), HasSubstr("64-bit integer")));
  EXPECT_THAT(ErrorOf(Signal::kTraces, {{"attributes", Maps({{"k", "x"}})}, {"attributes_types", Text({"ss"})}}), HasSubstr("attributes_types"));
  EXPECT_THAT(ErrorOf(Signal::kTraces, {{"attributes", Maps({{}})}, {"attributes_types", Text({"=AAAA"})}}), HasSubstr("KeyValueList"));
  EXPECT_THAT(ErrorOf(Signal::kTraces, {{"attributes", Maps({{}})}, {"attributes_types", Text({"=?"})}}), HasSubstr("KeyValueList"));
  EXPECT_THAT(ErrorOf(Signal::kLogs, {{"body", Text({"x"})}, {"body_type", Text({"INT"})}}), AllOf(HasSubstr("'body'"), HasSubstr("INT")));
  EXPECT_THAT(ErrorOf(Signal::kLogs, {{"body", Text({"x"})}, {"body_type", Text({"int"})}}), HasSubstr("STRING, BOOL"));
  EXPECT_THAT(ErrorOf(Signal::kMetrics, {{"metric_name", Text({"m"})}}), HasSubstr("'metric_type' is null"));
  EXPECT_THAT(ErrorOf(Signal::kMetrics, {{"metric_type", Text({"COUNTER"})}}), HasSubstr("'COUNTER'"));
}

}  // namespace
}  // namespace otlp_arrow
