#include "query/put_rows.h"

#include <limits>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/read_command.h"
#include "schema/decode.h"

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Batch = std::shared_ptr<arrow::RecordBatch>;

// Columns given as a type and the JSON of their values.
struct TestColumn {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::string values;
};

Batch Table(const std::vector<TestColumn>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& column : columns) {
    fields.push_back(arrow::field(column.name, column.type));
    arrays.push_back(*arrow::json::ArrayFromJSONString(column.type, column.values));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), arrays.front()->length(), arrays);
}

// The rows as the store would have them, or the error.
Result<Batch> RoundTrip(const std::string& command, const Batch& batch, PutLimits limits = {}) {
  OTLP_ASSIGN_OR_RETURN(PutCommand parsed, ParsePutCommand(command));
  OTLP_ASSIGN_OR_RETURN(const PutRows rows, PutRows::Make(std::move(parsed), batch->schema(), {{"promoted.key"}}, limits));
  OTLP_ASSIGN_OR_RETURN(const auto requests, rows.Encode(*batch));
  if (requests.size() != 1) return Status::Export(std::to_string(requests.size()) + " requests");
  OTLP_ASSIGN_OR_RETURN(const auto decoded, DecodeOtlp(rows.signal(), requests.front().bytes));
  return decoded.at(0);
}

std::string Column(const Result<Batch>& batch, const std::string& name) {
  if (!batch.ok()) return batch.status().ToString();
  std::string text;
  for (int64_t row = 0; row < (*batch)->num_rows(); ++row) {
    auto value = *(*batch)->GetColumnByName(name)->GetScalar(row);
    if (value->type->id() == arrow::Type::DICTIONARY) value = *static_cast<const arrow::DictionaryScalar&>(*value).GetEncodedValue();
    text += (row ? "|" : "") + value->ToString();
  }
  return text;
}

TEST(PutRows, TimesOfEveryKindBecomeNanoseconds) {
  const std::string command = R"({"signal":"logs","columns":{"time":{"column":"t","unit":"ms"}}})";
  const std::string wanted = "1970-01-01 00:00:01.500000000";
  using arrow::TimeUnit;
  for (const auto& [type, values] : std::vector<std::pair<std::shared_ptr<arrow::DataType>, std::string>>{
           {arrow::int64(), "[1500]"},
           {arrow::float64(), "[1500.0]"},
           {arrow::timestamp(TimeUnit::MILLI), "[1500]"},
           {arrow::timestamp(TimeUnit::MICRO, "Europe/Berlin"), "[1500000]"},
           {arrow::utf8(), R"(["1970-01-01T00:00:01.5"])"},
           {arrow::utf8(), R"(["1970-01-01T00:00:01.5Z"])"}}) {
    EXPECT_EQ(Column(RoundTrip(command, Table({{"t", type, values}})), "time"), wanted) << type->ToString();
  }
}

TEST(PutRows, AttributesKeepTheirTypes) {
  const auto rows = RoundTrip(R"({"signal":"logs","columns":{"body":"m"},"other_columns":"attributes","scope_attributes":{"x":1.5,"y":true}})",
                              Table({{"m", arrow::utf8(), R"(["a"])"},
                                     {"i", arrow::uint8(), "[7]"},
                                     {"d", arrow::float32(), "[2]"},
                                     {"b", arrow::boolean(), "[true]"},
                                     {"n", arrow::utf8(), "[null]"},
                                     {"x", arrow::binary(), R"(["hi"])"},
                                     {"c", arrow::dictionary(arrow::int8(), arrow::utf8()), R"(["red"])"}}));
  EXPECT_EQ(Column(rows, "attributes_types"), "idbxs");
  EXPECT_THAT(Column(rows, "attributes"), AllOf(HasSubstr("2.0"), HasSubstr("true"), HasSubstr("aGk="), HasSubstr("red")));
  EXPECT_EQ(Column(rows, "scope_attributes_types"), "db");
}

TEST(PutRows, IdsInBytesBecomeHexAndDurationsEndTimes) {
  const auto rows = RoundTrip(R"({"signal":"traces","columns":{"trace_id":"id","span_id":"span","start_time":"t","duration_ns":"d","service_name":"s"}})",
                              Table({{"id", arrow::fixed_size_binary(16), R"(["0123456789abcdef"])"},
                                     {"span", arrow::utf8(), R"(["0011223344556677"])"},
                                     {"t", arrow::timestamp(arrow::TimeUnit::SECOND), "[1]"},
                                     {"d", arrow::duration(arrow::TimeUnit::MILLI), "[250]"},
                                     {"s", arrow::utf8(), R"(["shop"])"}}));
  EXPECT_EQ(Column(rows, "trace_id"), "30313233343536373839616263646566");
  EXPECT_EQ(Column(rows, "end_time"), "1970-01-01 00:00:01.250000000");
  EXPECT_EQ(Column(rows, "service_name"), "shop");
}

TEST(PutRows, OwnTablesMayNameTheServiceAlone) {
  EXPECT_EQ(Column(RoundTrip(R"({"signal":"logs"})", Table({{"body", arrow::utf8(), R"(["a","b"])"}, {"service_name", arrow::utf8(), R"(["x","y"])"}})),
                   "service_name"),
            "x|y");
}

TEST(PutRows, PromotedColumnsArePassedOverAndOthersNamed) {
  EXPECT_TRUE(RoundTrip(R"({"signal":"logs"})", Table({{"body", arrow::utf8(), R"(["a"])"}, {"promoted.key", arrow::utf8(), R"(["v"])"}})).ok());
  EXPECT_THAT(RoundTrip(R"({"signal":"logs"})", Table({{"body", arrow::utf8(), R"(["a"])"}, {"level", arrow::utf8(), R"(["v"])"}})).status().message(),
              HasSubstr("'level'"));
  EXPECT_THAT(RoundTrip(R"({"signal":"logs"})", Table({{"body", arrow::int64(), "[1]"}})).status().message(), HasSubstr("body"));
}

TEST(PutRows, WhatDoesNotConvertIsTold) {
  const auto refusal = [](const std::string& command, const TestColumn& column) { return RoundTrip(command, Table({column})).status().message(); };
  EXPECT_THAT(refusal(R"({"signal":"logs","columns":{"severity_number":"n"}})", {"n", arrow::utf8(), R"(["high"])"}),
              AllOf(HasSubstr("'n'"), HasSubstr("severity_number")));
  EXPECT_THAT(refusal(R"({"signal":"logs","columns":{"time":"n"}})", {"n", arrow::int64(), "[1]"}), HasSubstr("unit"));
  EXPECT_THAT(refusal(R"({"signal":"logs","columns":{"time":{"column":"n","unit":"s"}}})", {"n", arrow::float64(), "[1e300]"}), HasSubstr("row 0"));
  EXPECT_THAT(refusal(R"({"signal":"logs","attributes":["n"]})", {"n", arrow::list(arrow::int8()), "[[1]]"}), HasSubstr("JSON text"));
  EXPECT_THAT(refusal(R"({"signal":"logs","other_columns":"refuse","columns":{"body":{"value":"x"}}})", {"n", arrow::int8(), "[1]"}), HasSubstr("'n'"));
}

TEST(PutRows, SmallBatchesThatStandForMuchAreRefused) {
  PutLimits limits;
  limits.max_batch_bytes = 64 << 10;
  const std::string text(32 << 10, 'x');
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  std::string values = "[\"" + text + "\"";
  for (int i = 0; i < 100; ++i) values += ",\"" + text + "\"";
  const auto batch = Table({{"event_name", type, values + "]"}});
  EXPECT_THAT(RoundTrip(R"({"signal":"logs"})", batch, limits).status().message(), HasSubstr("dictionaries"));
  const auto nulls = arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::null())}), int64_t{1} << 40,
                                              {std::make_shared<arrow::NullArray>(int64_t{1} << 40)});
  EXPECT_THAT(RoundTrip(R"({"signal":"logs","attributes":["n"]})", nulls, limits).status().message(), HasSubstr("rows"));
}

TEST(ReadCommand, ReadsBackWhatItWrites) {
  const auto command = ParseReadCommand(R"({"signal":"logs","start":"1970-01-01T00:00:01","end":"1970-01-01T01:00:02+01:00","services":["a\"b"],"trace_ids":["4bf92f3577b34da6a3ce929d0e0e4736"],
                                            "columns":["body"],"include_journal":false,"compression":"none"})");
  ASSERT_TRUE(command.ok()) << command.status().ToString();
  EXPECT_EQ(command->options.start, 1'000'000'000);
  EXPECT_EQ(command->options.end, 2'000'000'000);
  const auto again = ParseReadCommand(ReadCommandText(*command));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(ReadCommandText(*again), ReadCommandText(*command));
  EXPECT_EQ(again->options.services, std::vector<std::string>{"a\"b"});
  EXPECT_EQ(again->options.trace_ids, std::vector<std::string>{"4bf92f3577b34da6a3ce929d0e0e4736"});
  EXPECT_TRUE(again->decompress);
}

}  // namespace
}  // namespace otlp_arrow
