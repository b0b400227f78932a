// How many items go from an accepted request to a published file per CPU second, with each compression, compared with
// Arrow's own RecordBatchFileWriter (zstd level 1) writing the same rows, which it gets decoded?
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/util/compression.h>

#include "measure.h"
#include "otlp/scan.h"
#include "pipeline/pipeline.h"
#include "sample_requests.h"
#include "storage/layout.h"
#include "storage/table_file.h"
#include "temporary_directory.h"

namespace otlp_arrow::bench {
namespace {

namespace fs = std::filesystem;
using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

constexpr auto kTimeout = std::chrono::seconds(60);
constexpr Compression kCompressions[] = {Compression::kNone, Compression::kLz4, Compression::kZstd};

void Check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}
void Check(const arrow::Status& status) {
  if (!status.ok()) Check(Status::Io(status.ToString()));
}

// A pipeline of one worker in a directory of its own.
class Store {
 public:
  Store(Signal signal, Compression compression) : signal_(signal) {
    Config config;
    config.output_dir = directory_.path();
    config.compression = compression;
    config.workers = 1;
    config.write_interval_secs = 3600;
    auto pipeline = Pipeline::Open(config);
    Check(pipeline.status());
    pipeline_ = std::move(*pipeline);
  }

  fs::path data() const { return StoreLayout(directory_.path()).DataDir(signal_); }

  void Clear() {
    for (const auto& file : fs::directory_iterator(data())) fs::remove(file);
  }

  // Hands over the requests as a server does, and returns when all of them are in files.
  void Run(const std::vector<std::string>& requests) {
    for (const auto& request : requests) {
      auto bytes = pipeline_->Allocate(request.size());
      std::memcpy(bytes.data, request.data(), request.size());
      Check(pipeline_->AcceptAndWait(signal_, std::move(bytes).Share()).status);
    }
    Check(pipeline_->Flush(kTimeout));
  }

  uint64_t Bytes() const {
    uint64_t bytes = 0;
    for (const auto& file : fs::directory_iterator(data())) bytes += file.file_size();
    return bytes;
  }

 private:
  const Signal signal_;
  TemporaryDirectory directory_;
  std::unique_ptr<Pipeline> pipeline_;
};

// The rows of each stored file, in memory.
std::vector<Batches> ReadFiles(const fs::path& directory) {
  std::vector<Batches> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    auto file = arrow::io::ReadableFile::Open(entry.path().string());
    Check(file.status());
    auto reader = arrow::ipc::RecordBatchFileReader::Open(*file);
    Check(reader.status());
    Batches& batches = files.emplace_back();
    for (int i = 0; i < (*reader)->num_record_batches(); ++i) {
      auto batch = (*reader)->ReadRecordBatch(i);
      Check(batch.status());
      batches.push_back(*batch);
    }
  }
  return files;
}

void WriteWithArrow(const std::vector<Batches>& files, const fs::path& path) {
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.codec = *arrow::util::Codec::Create(arrow::Compression::ZSTD, 1);
  options.use_threads = false;
  for (const Batches& batches : files) {
    auto file = arrow::io::FileOutputStream::Open(path.string());
    Check(file.status());
    auto writer = arrow::ipc::MakeFileWriter(*file, batches[0]->schema(), options);
    Check(writer.status());
    for (const auto& batch : batches) Check((*writer)->WriteRecordBatch(*batch));
    Check((*writer)->Close());
    Check((*file)->Close());
  }
}

void WriteWithOurs(const std::vector<Batches>& files, const fs::path& path, TableFileResources* resources) {
  for (const Batches& batches : files) {
    auto writer = TableFileWriter::Create(path.string() + ".tmp", batches[0]->schema(), TableFileOptions{}, resources);
    Check(writer.status());
    for (const auto& batch : batches) Check((*writer)->Write(*batch));
    Check((*writer)->Publish(*batches.back()->Slice(0, 0), PublishTarget{path.string(), {}}));
  }
}

void Compare(Signal signal, bool quick) {
  const auto requests = SampleRequests(signal, quick ? 200 : 1000, 100);
  int64_t items = 0;
  for (const auto& r : requests) items += ScanOtlp(signal, r).items;
  std::map<Compression, std::unique_ptr<Store>> stores;
  for (Compression c : kCompressions) stores[c] = std::make_unique<Store>(signal, c);
  stores[Compression::kNone]->Run(requests);
  const auto files = ReadFiles(stores[Compression::kNone]->data());

  TemporaryDirectory directory;
  const fs::path with_arrow = directory.path() + "/arrow", with_ours = directory.path() + "/ours";
  TableFileResources resources;
  std::vector<Alternative> alternatives = {{[&] { WriteWithArrow(files, with_arrow); }}, {[&] { WriteWithOurs(files, with_ours, &resources); }}};
  for (Compression c : kCompressions) {
    alternatives.push_back({[&, c] { stores[c]->Run(requests); }, [&, c] { stores[c]->Clear(); }});
  }
  const auto costs = CostsInTurn(quick ? 1 : 7, alternatives);

  const auto n = static_cast<double>(items);
  auto line = [&](const char* name, const Cost& cost, uint64_t bytes) {
    std::printf("  %-52s %6.3f CPU s/M  %6.2f M/CPU s  %5.2f x Arrow's writer  %6.1f B/item\n", name, cost.cpu / n * 1e6, n / cost.cpu / 1e6,
                costs[0].cpu / cost.cpu, static_cast<double>(bytes) / n);
  };
  std::printf("%s: %lld items, 100 a request, %zu file(s)\n", std::string(SignalName(signal)).c_str(), static_cast<long long>(items), files.size());
  line("Arrow's RecordBatchFileWriter, zstd 1, rows decoded", costs[0], fs::file_size(with_arrow));
  line("our file writer, zstd, rows decoded", costs[1], fs::file_size(with_ours));
  line("request to file, no compression", costs[2], stores[Compression::kNone]->Bytes());
  line("request to file, lz4", costs[3], stores[Compression::kLz4]->Bytes());
  line("request to file, zstd", costs[4], stores[Compression::kZstd]->Bytes());
}

}  // namespace
}  // namespace otlp_arrow::bench

int main(int argc, char** argv) {
  std::printf("CPU seconds per million items (s/M) and million items per CPU second (M/CPU s), scan and journal included\n");
  for (otlp_arrow::Signal signal : otlp_arrow::kAllSignals) otlp_arrow::bench::Compare(signal, otlp_arrow::bench::IsQuick(argc, argv));
}
