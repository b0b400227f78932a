#include "query/table_union.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Type = PromotedAttribute::Type;

std::shared_ptr<arrow::Array> Ints(std::vector<int64_t> values) {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return *builder.Finish();
}

std::shared_ptr<arrow::Array> Texts(const std::vector<std::string>& values) {
  arrow::StringDictionary32Builder builder;
  for (const auto& value : values) EXPECT_TRUE(builder.Append(value).ok());
  return *builder.Finish();
}

std::vector<std::string> ExtraNames(const TableUnion& all, Signal signal) {
  auto names = all.schema()->field_names();
  names.erase(names.begin(), names.begin() + TableSchema(signal, {})->num_fields());
  return names;
}

TEST(TableUnionTest, HasTheTablesColumnsThenThoseOfTheFilesAsTheyCome) {
  TableUnion all(Signal::kLogs);
  EXPECT_TRUE(all.schema()->Equals(*TableSchema(Signal::kLogs, {}), true));
  all.Add(*TableSchema(Signal::kLogs, {{"b"}, {"a", Type::kInt64}}));
  all.Add(*TableSchema(Signal::kLogs, {{"c", Type::kBool}, {"a", Type::kInt64}}));
  EXPECT_THAT(ExtraNames(all, Signal::kLogs), ElementsAre("b", "a", "c"));
  ASSERT_EQ(all.Promoted().size(), 3u);
  EXPECT_EQ(all.Promoted()[1].type, Type::kInt64);
  EXPECT_EQ(all.Promoted()[2].type, Type::kBool);
}

TEST(TableUnionTest, TypesThatDifferBecomeDoubleOrText) {
  TableUnion all(Signal::kTraces);
  all.Add(*TableSchema(Signal::kTraces, {{"number", Type::kInt64}, {"mixed", Type::kInt64}, {"flag", Type::kBool}}));
  all.Add(*TableSchema(Signal::kTraces, {{"number", Type::kDouble}, {"mixed"}, {"flag", Type::kBool}}));
  EXPECT_EQ(all.schema()->GetFieldByName("number")->type()->id(), arrow::Type::DOUBLE);
  EXPECT_EQ(all.schema()->GetFieldByName("mixed")->type()->id(), arrow::Type::DICTIONARY);
  EXPECT_EQ(all.schema()->GetFieldByName("flag")->type()->id(), arrow::Type::BOOL);
}

TEST(TableUnionTest, ColumnsAreSelectedInTheOrderThatIsAskedFor) {
  const auto schema = TableSchema(Signal::kTraces, {});
  const auto selected = SelectColumns(schema, {"name", "trace_id"}, Signal::kTraces);
  ASSERT_TRUE(selected.ok());
  EXPECT_THAT((*selected)->field_names(), ElementsAre("name", "trace_id"));
  EXPECT_EQ(*SelectColumns(schema, {}, Signal::kTraces), schema);
}

TEST(TableUnionTest, AColumnThatIsNotThereIsAnErrorThatNamesThoseThatAre) {
  const auto schema = TableSchema(Signal::kTraces, {});
  const auto unknown = SelectColumns(schema, {"nmae"}, Signal::kTraces);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.status().code(), StatusCode::kConfig);
  EXPECT_THAT(unknown.status().message(), HasSubstr("no column 'nmae' in traces"));
  EXPECT_THAT(unknown.status().message(), HasSubstr("status_message"));
  const auto twice = SelectColumns(schema, {"name", "name"}, Signal::kTraces);
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(twice.status().message(), HasSubstr("asked for twice"));
}

TEST(ConformTest, DropsFillsAndConverts) {
  const auto number = Ints({1, 2});
  const auto text = Texts({"7", "x"});
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("dropped", number->type()), arrow::field("to_double", number->type()),
                     arrow::field("to_text", number->type()), arrow::field("kept", text->type())}),
      2, {number, number, number, text});
  const auto wanted = arrow::schema({arrow::field("kept", text->type()), arrow::field("missing", arrow::utf8()),
                                     arrow::field("to_double", arrow::float64()), arrow::field("to_text", text->type())});
  const auto conformed = Conform(*batch, wanted);
  ASSERT_TRUE(conformed.ok()) << conformed.status().ToString();
  EXPECT_TRUE((*conformed)->ValidateFull().ok());
  EXPECT_TRUE((*conformed)->schema()->Equals(*wanted));
  EXPECT_TRUE((*conformed)->column(0)->Equals(text));
  EXPECT_EQ((*conformed)->column(1)->null_count(), 2);
  EXPECT_EQ(static_cast<const arrow::DoubleArray&>(*(*conformed)->column(2)).Value(1), 2.0);
  EXPECT_TRUE((*conformed)->column(3)->Equals(Texts({"1", "2"})));
}

TEST(ConformTest, ATypeWithoutConversionIsAnErrorThatNamesTheColumn) {
  const auto number = Ints({1});
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("events", number->type())}), 1, {number});
  const auto conformed = Conform(*batch, arrow::schema({arrow::field("events", arrow::list(arrow::utf8()))}));
  ASSERT_FALSE(conformed.ok());
  EXPECT_EQ(conformed.status().code(), StatusCode::kExport);
  EXPECT_THAT(conformed.status().message(), HasSubstr("its column 'events' cannot be read as list"));
}

}  // namespace
}  // namespace otlp_arrow
