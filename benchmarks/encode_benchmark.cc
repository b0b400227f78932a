// How fast do stored rows become OTLP requests again (replay wants a million spans a second), compared with
// libprotobuf's serialization of ready-made messages of the same requests (no message is built, so it is a floor)?
#include <cstdio>

#include <arrow/device.h>
#include <arrow/record_batch.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "measure.h"
#include "otlp_arrow/config.h"
#include "sample_requests.h"
#include "schema/decode.h"
#include "schema/encode.h"

namespace otlp_arrow::bench {
namespace {

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

Batches DecodeAll(Signal signal, const std::vector<std::string>& requests) {
  Batches batches;
  auto decoder = TableDecoder::Make(signal, {}, [&](const std::shared_ptr<arrow::RecordBatch>& batch) {
    batches.push_back(*batch->CopyTo(arrow::default_cpu_memory_manager()));
    return Status::Ok();
  });
  for (const auto& r : requests) {
    int64_t n = 0;
    (void)decoder->Append(r, false, &n);
  }
  (void)decoder->Flush();
  return batches;
}

template <class Message>
void Compare(Signal signal, bool quick) {
  const auto requests = SampleRequests(signal, 300, 100);
  const Batches batches = DecodeAll(signal, requests);
  int64_t items = 0;
  for (const auto& batch : batches) items += batch->num_rows();
  std::vector<Message> messages(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) (void)messages[i].ParseFromString(requests[i]);
  size_t bytes = 0;
  size_t serialized = 0;
  std::string out;
  auto serialize = [&] {
    serialized = 0;
    for (const auto& m : messages) {
      (void)m.SerializeToString(&out);
      serialized += out.size();
    }
  };
  auto encode = [&] {
    bytes = 0;
    for (const auto& batch : batches) {
      auto encoded = EncodeOtlp(signal, *batch);
      for (const EncodedRequest& request : *encoded) bytes += request.bytes.size();
    }
  };
  const auto seconds = InTurn(quick ? 1 : 15, {serialize, encode});
  auto line = [&](const char* name, double s, size_t n) {
    std::printf("  %-38s %6.3f GB/s  %6.3f CPU s/M  %6.2f M rows/s  %5.2f x libprotobuf\n", name, static_cast<double>(n) / s / 1e9,
                s / static_cast<double>(items) * 1e6, static_cast<double>(items) / s / 1e6, seconds[0] / s);
  };
  std::printf("%s: %lld rows (aim: encode a million rows/s)\n", std::string(SignalName(signal)).c_str(), static_cast<long long>(items));
  line("libprotobuf serialize, messages ready", seconds[0], serialized);
  line("encode from Arrow arrays", seconds[1], bytes);
}

}  // namespace
}  // namespace otlp_arrow::bench

int main(int argc, char** argv) {
  using namespace opentelemetry::proto::collector;  // NOLINT
  using otlp_arrow::Signal;
  const bool quick = otlp_arrow::bench::IsQuick(argc, argv);
  otlp_arrow::bench::Compare<trace::v1::ExportTraceServiceRequest>(Signal::kTraces, quick);
  otlp_arrow::bench::Compare<metrics::v1::ExportMetricsServiceRequest>(Signal::kMetrics, quick);
  otlp_arrow::bench::Compare<logs::v1::ExportLogsServiceRequest>(Signal::kLogs, quick);
}
