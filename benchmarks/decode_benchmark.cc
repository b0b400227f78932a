// How fast do OTLP bytes become finished Arrow arrays, compared with libprotobuf's parse of the same bytes into one
// reused message?
#include <cstdio>

#include <arrow/record_batch.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "measure.h"
#include "otlp/scan.h"
#include "otlp_arrow/config.h"
#include "sample_requests.h"
#include "schema/decode.h"

namespace otlp_arrow::bench {
namespace {

template <class Message>
void Compare(Signal signal, const char* wanted, bool quick) {
  const auto requests = SampleRequests(signal, quick ? 200 : 1000, 100);
  size_t bytes = 0;
  int64_t items = 0;
  for (const auto& r : requests) {
    bytes += r.size();
    items += ScanOtlp(signal, r).items;
  }
  int64_t rows = 0;
  auto promoted = ParsePromotedAttributes(Config::DefaultPromotedAttributes());
  auto decoder = TableDecoder::Make(signal, *promoted, [&](const std::shared_ptr<arrow::RecordBatch>& batch) {
    rows += batch->num_rows();
    return Status::Ok();
  });
  auto decode = [&] {
    for (const auto& r : requests) {
      int64_t n = 0;
      (void)decoder->Append(r, false, &n);
    }
    (void)decoder->Flush();
  };
  Message message;
  size_t parsed = 0;
  auto parse = [&] {
    for (const auto& r : requests) parsed += message.ParseFromString(r);
  };
  int64_t scanned = 0;
  auto scan = [&] {
    for (const auto& r : requests) scanned += ScanOtlp(signal, r).items;
  };
  const auto seconds = InTurn(quick ? 1 : 9, {parse, decode, scan});
  auto line = [&](const char* name, double s) {
    std::printf("  %-34s %6.3f GB/s  %7.1f ns/item  %5.2f x libprotobuf\n", name, static_cast<double>(bytes) / s / 1e9,
                s / static_cast<double>(items) * 1e9, seconds[0] / s);
  };
  std::printf("%s, %.1f B an item, 100 a request (aim: decode at %s)\n", std::string(SignalName(signal)).c_str(),
              static_cast<double>(bytes) / static_cast<double>(items), wanted);
  line("libprotobuf parse, message reused", seconds[0]);
  line("decode to Arrow arrays", seconds[1]);
  line("validating scan", seconds[2]);
  line("scan and decode", seconds[1] + seconds[2]);
}

}  // namespace
}  // namespace otlp_arrow::bench

int main(int argc, char** argv) {
  using namespace opentelemetry::proto::collector;  // NOLINT
  using otlp_arrow::Signal;
  const bool quick = otlp_arrow::bench::IsQuick(argc, argv);
  otlp_arrow::bench::Compare<trace::v1::ExportTraceServiceRequest>(Signal::kTraces, "4 x", quick);
  otlp_arrow::bench::Compare<metrics::v1::ExportMetricsServiceRequest>(Signal::kMetrics, "3 x", quick);
  otlp_arrow::bench::Compare<logs::v1::ExportLogsServiceRequest>(Signal::kLogs, "3 x", quick);
}
