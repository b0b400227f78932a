// How fast does an OTLP/JSON request become protobuf bytes, compared with simdjson's bare parse of it and with libprotobuf's
// JsonStringToMessage and serialization?
#include <cstdio>
#include <string>
#include <vector>

#include <google/protobuf/util/json_util.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>
#include <simdjson.h>

#include "measure.h"
#include "otlp/json_request.h"
#include "sample_json.h"
#include "sample_requests.h"

namespace otlp_arrow::bench {
namespace {

constexpr int kItems = 100;

template <class Message>
void Compare(Signal signal, bool quick) {
  std::vector<std::string> requests;
  size_t bytes = 0;
  for (const std::string& request : SampleRequests(signal, quick ? 50 : 300, kItems)) {
    bytes += requests.emplace_back(JsonOf(signal, request)).size();
  }
  JsonRequestReader reader;
  std::string wire;
  size_t wire_bytes = 0, parsed = 0, failed = 0;
  simdjson::dom::parser parser;
  const std::vector<double> seconds = InTurn(
      quick ? 1 : 9, {[&] {
                        wire_bytes = 0;
                        for (const std::string& json : requests) {
                          failed += !reader.ToWire(signal, json, &wire).ok();
                          wire_bytes += wire.size();
                        }
                      },
                      [&] {
                        for (const std::string& json : requests) parsed += parser.parse(json).error() == simdjson::SUCCESS;
                      },
                      [&] {
                        Message message;
                        for (const std::string& json : requests) {
                          failed += !google::protobuf::util::JsonStringToMessage(json, &message).ok();
                          message.SerializeToString(&wire);
                        }
                      }});
  std::printf("%s, %zu B of JSON and %zu B of protobuf an item, %d items a request%s\n", std::string(SignalName(signal)).c_str(),
              bytes / requests.size() / kItems, wire_bytes / requests.size() / kItems, kItems, failed ? " (SOME FAILED)" : "");
  const auto line = [&](const char* name, double s) {
    std::printf("  %-44s %7.1f MB/s  %5.2f x simdjson's parse\n", name, static_cast<double>(bytes) / s / 1e6, s / seconds[1]);
  };
  line("simdjson's parse into its DOM", seconds[1]);
  line("JSON to protobuf bytes", seconds[0]);
  line("libprotobuf's JsonStringToMessage, serialized", seconds[2]);
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
