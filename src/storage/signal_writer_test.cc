#include "storage/signal_writer.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/platform/platform.h"
#include "manual_clock.h"
#include "random_otlp.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using testing::ItemNames;
using testing::NamedRequest;
using testing::NamesIn;
using testing::ReadBatches;

class SignalWriterTest : public ::testing::Test {
 protected:
  SignalWriterTest() : layout_(dir_.path()) {
    for (Signal s : kAllSignals) EXPECT_TRUE(platform::CreateDirectories(layout_.DataDir(s)).ok());
    EXPECT_TRUE(platform::CreateDirectories(layout_.WriterDir("w")).ok());
  }
  SignalWriter Make(Signal signal = Signal::kTraces, SignalWriterOptions options = {}) { return {signal, layout_, "w", options, clock_}; }
  PublishedFile Publish(SignalWriter& writer) {
    PublishedFile file;
    const Status status = writer.Publish(&file);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return file;
  }
  std::vector<std::string> WriterFiles() const {
    std::vector<std::string> names;
    const auto entries = platform::ListDirectory(layout_.WriterDir("w"));
    for (const auto& entry : *entries) names.push_back(entry.name);
    return names;
  }

  testing::TempDir dir_;
  StoreLayout layout_;
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
};

TEST_F(SignalWriterTest, PublishesWhatWasAdded) {
  for (Signal signal : kAllSignals) {
    SignalWriter writer = Make(signal);
    const std::string first = NamedRequest(signal, "a", 3);
    const std::string second = NamedRequest(signal, "b", 2);
    ASSERT_TRUE(writer.Add(4, first, 3, false).ok());
    ASSERT_TRUE(writer.Add(9, second, 2, false).ok());
    EXPECT_TRUE(writer.has_pending());
    EXPECT_EQ(writer.pending().first, 4u);
    EXPECT_EQ(writer.pending().last, 9u);
    EXPECT_EQ(writer.pending_items(), 5);
    EXPECT_EQ(writer.pending_bytes(), first.size() + second.size());
    EXPECT_TRUE(testing::DataFiles(dir_.path(), signal).empty());

    const PublishedFile file = Publish(writer);
    EXPECT_EQ(file.items, 5);
    EXPECT_EQ(file.rows, 5);
    EXPECT_EQ(file.range.first, 4u);
    EXPECT_EQ(file.range.last, 9u);
    EXPECT_EQ(file.path, layout_.DataDir(signal) + "/19700102T000000Z-w-0000000004_0000000009.arrow");
    EXPECT_EQ(NamesIn(signal, ReadBatches(file.path)), (std::vector<std::string>{"a-0", "a-1", "a-2", "b-0", "b-1"}));
    EXPECT_FALSE(writer.has_pending());
    EXPECT_EQ(writer.pending_items(), 0);
    EXPECT_EQ(writer.pending_bytes(), 0u);
  }
  EXPECT_TRUE(WriterFiles().empty());
}

TEST_F(SignalWriterTest, NothingToPublishIsNoError) {
  SignalWriter writer = Make();
  EXPECT_EQ(Publish(writer).items, 0);
  ASSERT_TRUE(writer.Add(1, NamedRequest(Signal::kTraces, "a", 1), 1, false).ok());
  Publish(writer);
  const PublishedFile nothing = Publish(writer);
  EXPECT_EQ(nothing.items, 0);
  EXPECT_EQ(nothing.path, "");
  EXPECT_EQ(testing::DataFiles(dir_.path(), Signal::kTraces).size(), 1u);
}

TEST_F(SignalWriterTest, AFileIsNamedByTheArrivalOfItsFirstItem) {
  SignalWriter writer = Make();
  clock_->Advance(std::chrono::milliseconds(1999));
  ASSERT_TRUE(writer.Add(1, NamedRequest(Signal::kTraces, "a", 1), 1, false).ok());
  const auto since = writer.pending_since();
  EXPECT_EQ(since, clock_->SteadyNow());
  clock_->Advance(std::chrono::seconds(60));
  ASSERT_TRUE(writer.Add(2, NamedRequest(Signal::kTraces, "b", 1), 1, false).ok());
  EXPECT_EQ(writer.pending_since(), since);
  EXPECT_EQ(Publish(writer).path, layout_.DataDir(Signal::kTraces) + "/19700102T000001Z-w-0000000001_0000000002.arrow");
  ASSERT_TRUE(writer.Add(3, NamedRequest(Signal::kTraces, "c", 1), 1, false).ok());
  EXPECT_EQ(Publish(writer).path, layout_.DataDir(Signal::kTraces) + "/19700102T000101Z-w-0000000003_0000000003.arrow");
}

TEST_F(SignalWriterTest, AbandonDropsWhatWasAddedAndItCanBeAddedAgain) {
  SignalWriter writer = Make();
  // More rows than one batch holds, so that the file is begun.
  const std::string many = NamedRequest(Signal::kTraces, "lost", 20000);
  ASSERT_TRUE(writer.Add(1, many, 20000, false).ok());
  EXPECT_EQ(WriterFiles(), std::vector<std::string>{"traces.tmp"});
  writer.Abandon();
  EXPECT_FALSE(writer.has_pending());
  EXPECT_TRUE(WriterFiles().empty());
  EXPECT_EQ(Publish(writer).items, 0);

  ASSERT_TRUE(writer.Add(1, NamedRequest(Signal::kTraces, "kept", 2), 2, false).ok());
  EXPECT_EQ(NamesIn(Signal::kTraces, ReadBatches(Publish(writer).path)), ItemNames("kept", 2));
}

TEST_F(SignalWriterTest, AfterAFailedPublishTheSameCanBeWrittenAgain) {
  SignalWriter writer = Make();
  const std::string request = NamedRequest(Signal::kTraces, "a", 3);
  ASSERT_TRUE(writer.Add(7, request, 3, false).ok());
  ASSERT_TRUE(platform::RemoveTree(layout_.DataDir(Signal::kTraces)).ok());
  ASSERT_TRUE(platform::ReplaceFile(layout_.DataDir(Signal::kTraces), "in the way", false).ok());
  PublishedFile file;
  EXPECT_EQ(writer.Publish(&file).code(), StatusCode::kIo);
  EXPECT_EQ(writer.pending().first, 7u);
  writer.Abandon();
  ASSERT_TRUE(platform::Remove(layout_.DataDir(Signal::kTraces)).ok());
  ASSERT_TRUE(platform::CreateDirectories(layout_.DataDir(Signal::kTraces)).ok());
  ASSERT_TRUE(writer.Add(7, request, 3, false).ok());
  EXPECT_EQ(NamesIn(Signal::kTraces, ReadBatches(Publish(writer).path)), ItemNames("a", 3));
  EXPECT_TRUE(WriterFiles().empty());
}

TEST_F(SignalWriterTest, FoldersThatSomebodyRemovedAreMadeAgain) {
  SignalWriter writer = Make();
  ASSERT_TRUE(writer.Add(1, NamedRequest(Signal::kTraces, "a", 3), 3, false).ok());
  ASSERT_TRUE(platform::RemoveTree(layout_.root() + "/otlp").ok());
  EXPECT_EQ(NamesIn(Signal::kTraces, ReadBatches(Publish(writer).path)), ItemNames("a", 3));
}

TEST_F(SignalWriterTest, AFailedAddKeepsItsRangeForTheNextTry) {
  SignalWriter writer = Make();
  ASSERT_TRUE(platform::RemoveTree(layout_.WriterDir("w")).ok());
  const std::string request = NamedRequest(Signal::kTraces, "a", 20000);
  EXPECT_EQ(writer.Add(5, request, 20000, false).code(), StatusCode::kIo);
  EXPECT_EQ(writer.pending().first, 5u);
  EXPECT_EQ(writer.pending().last, 5u);
  writer.Abandon();
  ASSERT_TRUE(platform::CreateDirectories(layout_.WriterDir("w")).ok());
  ASSERT_TRUE(writer.Add(5, request, 20000, false).ok());
  const PublishedFile file = Publish(writer);
  EXPECT_EQ(file.rows, 20000);
  EXPECT_EQ(NamesIn(Signal::kTraces, ReadBatches(file.path)), ItemNames("a", 20000));
}

TEST_F(SignalWriterTest, RejectedItemsAreLeftOut) {
  testing::TraceRequest message;
  ASSERT_TRUE(message.ParseFromString(NamedRequest(Signal::kTraces, "a", 3)));
  message.mutable_resource_spans(0)->mutable_scope_spans(0)->mutable_spans(1)->set_trace_id("short");
  const std::string request = message.SerializeAsString();
  SignalWriter writer = Make();
  ASSERT_TRUE(writer.Add(1, request, 2, true).ok());
  const PublishedFile file = Publish(writer);
  EXPECT_EQ(file.items, 2);
  EXPECT_EQ(file.rows, 2);
  EXPECT_EQ(NamesIn(Signal::kTraces, ReadBatches(file.path)), (std::vector<std::string>{"a-0", "a-2"}));
}

TEST_F(SignalWriterTest, SaysWhenTheDictionariesAreFull) {
  SignalWriterOptions options;
  options.max_dictionary_bytes = 10'000;
  SignalWriter writer = Make(Signal::kTraces, options);
  EXPECT_FALSE(writer.dictionaries_full());
  ASSERT_TRUE(writer.Add(1, NamedRequest(Signal::kTraces, "few", 10), 10, false).ok());
  EXPECT_FALSE(writer.dictionaries_full());
  ASSERT_TRUE(writer.Add(2, NamedRequest(Signal::kTraces, "many", 5000), 5000, false).ok());
  EXPECT_TRUE(writer.dictionaries_full());
  EXPECT_EQ(Publish(writer).rows, 5010);
  EXPECT_FALSE(writer.dictionaries_full());
}

TEST_F(SignalWriterTest, PromotedAttributesGetTheirColumn) {
  SignalWriterOptions options;
  options.promoted = {{"padding", PromotedAttribute::Type::kString}};
  SignalWriter writer = Make(Signal::kLogs, options);
  ASSERT_TRUE(writer.Add(1, NamedRequest(Signal::kLogs, "a", 1, 3), 1, false).ok());
  const auto batches = ReadBatches(Publish(writer).path);
  ASSERT_EQ(batches.size(), 1u);
  const auto column = batches[0]->GetColumnByName("padding");
  ASSERT_TRUE(column);
  const auto& texts = static_cast<const arrow::DictionaryArray&>(*column);
  EXPECT_EQ(static_cast<const arrow::StringArray&>(*texts.dictionary()).GetString(texts.GetValueIndex(0)), "ppp");
}

}  // namespace
}  // namespace otlp_arrow
