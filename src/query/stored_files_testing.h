// Small stored files for the tests of the commands that read them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "schema/decode.h"
#include "storage/table_file.h"

namespace otlp_arrow::testing {

// An empty directory that goes with the object.
class TestDirectory {
 public:
  TestDirectory() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = ::testing::TempDir() + "otlp_arrow_" + test->test_suite_name() + "_" + test->name();
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// `count` spans of a service, one a second from `first_second` (since 1970) on, each lasting half a second.
inline std::string SpanRequest(const std::string& service, int count, uint64_t first_second) {
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest request;
  auto* resource_spans = request.add_resource_spans();
  if (!service.empty()) {
    auto* attribute = resource_spans->mutable_resource()->add_attributes();
    attribute->set_key("service.name");
    attribute->mutable_value()->set_string_value(service);
  }
  auto* scope_spans = resource_spans->add_scope_spans();
  for (int i = 0; i < count; ++i) {
    auto* span = scope_spans->add_spans();
    span->set_trace_id(std::string(15, 't') + static_cast<char>('a' + i % 26));
    span->set_span_id(std::string(7, 's') + static_cast<char>('a' + i % 26));
    span->set_name("span " + std::to_string(i));
    span->set_start_time_unix_nano((first_second + static_cast<uint64_t>(i)) * 1000000000);
    span->set_end_time_unix_nano((first_second + static_cast<uint64_t>(i)) * 1000000000 + 500000000);
  }
  return request.SerializeAsString();
}

// One log record with an observed time only.
inline std::string LogRequest(uint64_t observed_second) {
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest request;
  auto* record = request.add_resource_logs()->add_scope_logs()->add_log_records();
  record->set_observed_time_unix_nano(observed_second * 1000000000);
  record->mutable_body()->set_string_value("hello");
  return request.SerializeAsString();
}

// Each request becomes one record batch of the file.
inline void WriteStoredFile(const std::string& path, Signal signal, const std::vector<std::string>& requests) {
  TableFileOptions options;
  if (path.ends_with(".parquet")) options.format = FileFormat::kParquet;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  TableFileResources resources;
  std::unique_ptr<TableFileWriter> writer;
  auto decoder = TableDecoder::Make(signal, {}, [&](const auto& batch) { return writer->Write(*batch); });
  auto created = TableFileWriter::Create(path + ".tmp", decoder->schema(), options, &resources);
  ASSERT_TRUE(created.ok()) << created.status().ToString();
  writer = *std::move(created);
  for (const auto& r : requests) {
    int64_t items = 0;
    ASSERT_TRUE(decoder->Append(r, false, &items).ok());
    ASSERT_TRUE(decoder->Flush().ok());
  }
  const Status published = writer->Publish(*decoder->DictionaryBatch(), PublishTarget{path});
  ASSERT_TRUE(published.ok()) << published.ToString();
}

}  // namespace otlp_arrow::testing
