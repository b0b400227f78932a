#include "stored_rows.h"

#include <algorithm>
#include <filesystem>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>

#include "plain_batch.h"
#include "random_otlp.h"

namespace otlp_arrow::testing {
namespace {

std::string IdOf(const std::string& name, size_t size) {
  std::string id = name.substr(0, size);
  id.resize(size, '.');
  return id;
}

template <class List>
void Pad(size_t padding, List* attributes) {
  if (padding == 0) return;
  auto* attribute = attributes->Add();
  attribute->set_key("padding");
  attribute->mutable_value()->set_string_value(std::string(padding, 'p'));
}

std::string SpansRequest(const std::vector<std::string>& names, size_t padding) {
  TraceRequest request;
  auto* spans = request.add_resource_spans()->add_scope_spans();
  for (const std::string& name : names) {
    auto* span = spans->add_spans();
    span->set_name(name);
    span->set_trace_id(IdOf(name, 16));
    span->set_span_id(IdOf(name, 8));
    span->set_start_time_unix_nano(1'700'000'000'000'000'000);
    span->set_end_time_unix_nano(1'700'000'000'000'001'000);
    Pad(padding, span->mutable_attributes());
  }
  return request.SerializeAsString();
}

std::string GaugesRequest(const std::vector<std::string>& names, size_t padding) {
  MetricsRequest request;
  auto* metrics = request.add_resource_metrics()->add_scope_metrics();
  for (const std::string& name : names) {
    auto* metric = metrics->add_metrics();
    metric->set_name(name);
    auto* point = metric->mutable_gauge()->add_data_points();
    point->set_as_int(1);
    Pad(padding, point->mutable_attributes());
  }
  return request.SerializeAsString();
}

std::string LogsRequestOf(const std::vector<std::string>& names, size_t padding) {
  LogsRequest request;
  auto* records = request.add_resource_logs()->add_scope_logs();
  for (const std::string& name : names) {
    auto* record = records->add_log_records();
    record->mutable_body()->set_string_value(name);
    Pad(padding, record->mutable_attributes());
  }
  return request.SerializeAsString();
}

const char* NameColumn(Signal signal) {
  return signal == Signal::kTraces ? "name" : signal == Signal::kMetrics ? "metric_name" : "body";
}

std::vector<std::shared_ptr<arrow::RecordBatch>> ReadParquet(const std::string& path) {
  auto reader = *parquet::arrow::FileReader::Make(arrow::default_memory_pool(), parquet::ParquetFileReader::OpenFile(path));
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (int group = 0; group < reader->num_row_groups(); ++group) {
    std::shared_ptr<arrow::Table> table;
    const arrow::Status read = reader->ReadRowGroup(group, &table);
    if (!read.ok() || !table->ValidateFull().ok()) {
      ADD_FAILURE() << path << ", row group " << group << ": " << (read.ok() ? table->ValidateFull() : read);
      return batches;
    }
    batches.push_back(*table->CombineChunksToBatch());
  }
  return batches;
}

}  // namespace

std::vector<std::string> ItemNames(const std::string& prefix, int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(prefix + "-" + std::to_string(i));
  return names;
}

std::string NamedRequest(Signal signal, const std::string& prefix, int count, size_t padding) {
  const auto names = ItemNames(prefix, count);
  switch (signal) {
    case Signal::kTraces: return SpansRequest(names, padding);
    case Signal::kMetrics: return GaugesRequest(names, padding);
    case Signal::kLogs: return LogsRequestOf(names, padding);
  }
  return "";
}

std::vector<std::shared_ptr<arrow::RecordBatch>> ReadBatches(const std::string& path) {
  if (path.ends_with(".parquet")) return ReadParquet(path);
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  auto file = arrow::io::ReadableFile::Open(path);
  if (!file.ok()) {
    ADD_FAILURE() << file.status();
    return batches;
  }
  auto reader = arrow::ipc::RecordBatchFileReader::Open(*file);
  if (!reader.ok()) {
    ADD_FAILURE() << path << ": " << reader.status();
    return batches;
  }
  for (int i = 0; i < (*reader)->num_record_batches(); ++i) {
    auto batch = (*reader)->ReadRecordBatch(i);
    if (!batch.ok() || !(*batch)->ValidateFull().ok()) {
      ADD_FAILURE() << path << ", batch " << i << ": " << (batch.ok() ? (*batch)->ValidateFull() : batch.status());
      return batches;
    }
    batches.push_back(*batch);
  }
  return batches;
}

std::vector<std::string> NamesIn(Signal signal, const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
  std::vector<std::string> names;
  for (const auto& batch : batches) {
    const auto column = PlainBatch(*batch)->GetColumnByName(NameColumn(signal));
    const auto& texts = static_cast<const arrow::StringArray&>(*column);
    for (int64_t i = 0; i < texts.length(); ++i) names.push_back(texts.GetString(i));
  }
  return names;
}

std::vector<std::string> DataFiles(const std::string& output_dir, Signal signal) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(output_dir + "/otlp/" + std::string(SignalName(signal)), error)) {
    paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<std::string> StoredNames(const std::string& output_dir, Signal signal) {
  std::vector<std::string> names;
  for (const std::string& path : DataFiles(output_dir, signal)) {
    for (std::string& name : NamesIn(signal, ReadBatches(path))) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace otlp_arrow::testing
