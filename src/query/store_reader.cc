#include <filesystem>
#include <utility>

#include <arrow/c/bridge.h>

#include "otlp/scan.h"
#include "otlp_arrow/reader.h"
#include "query/stream_planner.h"
#include "query/table_union.h"

namespace otlp_arrow {
namespace {

namespace fs = std::filesystem;

Status Export(std::unique_ptr<StoreStream> stream, ArrowArrayStream* out) {
  const arrow::Status exported = arrow::ExportRecordBatchReader(std::shared_ptr<StoreStream>(std::move(stream)), out);
  return exported.ok() ? Status::Ok() : Status::Io("cannot export the Arrow stream: " + exported.message());
}

class DirectoryReader final : public StoreReader {
 public:
  explicit DirectoryReader(std::string path) : planner_(std::move(path)) {}

  Status Read(Signal signal, const ReadOptions& options, ArrowArrayStream* stream) override {
    OTLP_ASSIGN_OR_RETURN(StreamPlan plan, planner_.Plan(signal, options));
    return Export(std::make_unique<StoreStream>(std::move(plan)), stream);
  }

  Result<int64_t> CountRows(Signal signal, const ReadOptions& options) override {
    OTLP_ASSIGN_OR_RETURN(StreamPlan plan, planner_.Plan(signal, options));
    return StoreStream(std::move(plan)).Count();
  }

  const std::string& path() const override { return planner_.path(); }

 private:
  StreamPlanner planner_;
};

}  // namespace

Result<std::shared_ptr<StoreReader>> StoreReader::Open(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    return Status::Io("there is no '" + path + "'" + (error ? ": " + error.message() : "") +
                      "; name an output directory, a folder with .arrow or .parquet files, or one such file");
  }
  return std::shared_ptr<StoreReader>(std::make_shared<DirectoryReader>(path));
}

Status ReadRequests(Signal signal, const std::vector<std::string>& requests, const ReadOptions& options, ArrowArrayStream* stream) {
  OTLP_RETURN_NOT_OK(CheckTraceIds(signal, options.trace_ids));
  StreamPlan plan;
  plan.signal = signal;
  plan.filter = FilterOf(options);
  plan.promoted = DefaultPromoted();
  for (const auto& request : requests) {
    const ScanResult scan = ScanOtlp(signal, request);
    if (!scan.ok) return Status::Export("is no OTLP request of " + std::string(SignalName(signal)) + ": " + scan.error);
    plan.snapshot.requests.push_back({request, scan.items, scan.rejected_items > 0});
  }
  OTLP_ASSIGN_OR_RETURN(plan.schema, SelectColumns(TableSchema(signal, plan.promoted), options.columns, signal));
  return Export(std::make_unique<StoreStream>(std::move(plan)), stream);
}

}  // namespace otlp_arrow
