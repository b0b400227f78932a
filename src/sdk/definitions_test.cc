#include "otlp_arrow/sdk/definitions.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "child_process.h"
#include "otlp_arrow/sdk/ids.h"
#include "otlp_arrow/sdk/recorder.h"
#include "ring/records.h"
#include "ring/ring_reader.h"
#include "temp_dir.h"

namespace otlp_arrow::sdk {
namespace {

using testing::ChildProcess;
using testing::TempDir;

std::shared_ptr<Recorder> OpenRecorder(const std::string& path) {
  auto recorder = OpenFileRecorder({.path = path, .ring = {}});
  EXPECT_TRUE(recorder.ok()) << recorder.status().ToString();
  return *recorder;
}

std::shared_ptr<ScopeDefinition> ShopScope(const std::shared_ptr<Recorder>& recorder) {
  auto resource = std::make_shared<Resource>();
  resource->attributes = {{"service.name", "shop"}};
  InstrumentationScope scope;
  scope.name = "shop.checkout";
  scope.version = "1.2";
  scope.attributes = {{"list", Array{1, "two", Attributes{{"deep", true}}}}};
  return std::make_shared<ScopeDefinition>(recorder, resource, scope);
}

TEST(Definition, GivesTheSameReferenceToAllThreads) {
  const TempDir dir;
  const auto scope = ShopScope(OpenRecorder(dir.path() + "/ring"));
  std::vector<ring::Ref> refs(8);
  std::vector<std::thread> threads;
  for (ring::Ref& ref : refs) threads.emplace_back([&] { ref = scope->Get().ref; });
  for (auto& thread : threads) thread.join();
  EXPECT_NE(refs[0], 0);
  for (const ring::Ref ref : refs) EXPECT_EQ(ref, refs[0]);
}

TEST(Definition, IsInTheFileWithWhatItIsMadeOf) {
  const TempDir dir;
  const auto recorder = OpenRecorder(dir.path() + "/ring");
  const auto scope = ShopScope(recorder);
  MetricStreamDefinition stream;
  stream.name = "latency";
  stream.unit = "s";
  stream.aggregation = AggregationKind::kHistogram;
  stream.temporality = ring::Temporality::kDelta;
  stream.bucket_boundaries = {0.1, 1};
  MetricDefinition metric(scope, stream);
  const Binding binding = metric.Get();
  ASSERT_TRUE(binding);
  EXPECT_TRUE(binding.writer->IsKnown(binding.ref, ring::EntryKind::kMetric));

  auto reader = ring::RingReader::Open(dir.path() + "/ring");
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  const auto entry = (*reader)->Entry(binding.ref);
  ASSERT_TRUE(entry.ok());
  const auto read = ring::ReadMetric(*entry);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, "latency");
  EXPECT_EQ(read->unit, "s");
  EXPECT_EQ(read->scope, scope->Get().ref);
  const auto& histogram = std::get<ring::HistogramView>(read->aggregation);
  EXPECT_EQ(histogram.temporality, ring::Temporality::kDelta);
  EXPECT_EQ(histogram.bucket_boundaries, stream.bucket_boundaries);
}

TEST(Definition, HasNoWriterAfterShutdown) {
  const TempDir dir;
  const auto recorder = OpenRecorder(dir.path() + "/ring");
  const auto scope = ShopScope(recorder);
  EXPECT_TRUE(scope->Get());
  ASSERT_TRUE(recorder->Shutdown(std::chrono::seconds(1)).ok());
  EXPECT_FALSE(scope->Get());
  EXPECT_FALSE(recorder->Writer().ok());
}

TEST(FileRecorder, AForkedChildHasAFileOfItsOwn) {
  const TempDir dir;
  const auto recorder = OpenRecorder(dir.path() + "/shop-{pid}.mmap");
  const auto scope = ShopScope(recorder);
  const Binding parents = scope->Get();
  EXPECT_EQ(parents.writer->path(), dir.path() + "/shop-" + std::to_string(::getpid()) + ".mmap");
  ChildProcess child([&] {
    const Binding own = scope->Get();
    const std::string expected = dir.path() + "/shop-" + std::to_string(::getpid()) + ".mmap";
    return own && own.writer != parents.writer && own.writer->path() == expected ? 0 : 1;
  });
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_EQ(scope->Get().writer, parents.writer);
}

TEST(FileRecorder, AForkedChildSharesAFileThatNamesNoProcess) {
  const TempDir dir;
  const auto scope = ShopScope(OpenRecorder(dir.path() + "/shop.mmap"));
  const Binding parents = scope->Get();
  ChildProcess child([&] {
    const Binding own = scope->Get();
    return own.writer == parents.writer && own.ref == parents.ref ? 0 : 1;
  });
  EXPECT_EQ(child.Wait(), 0);
}

TEST(FileRecorder, TellsWhatIsWrongWithItsOptions) {
  EXPECT_EQ(OpenFileRecorder({}).status().code(), StatusCode::kConfig);
  EXPECT_EQ(OpenFileRecorder({.path = "/there/is/no/such/folder/ring", .ring = {}}).status().code(), StatusCode::kIo);
}

}  // namespace
}  // namespace otlp_arrow::sdk
