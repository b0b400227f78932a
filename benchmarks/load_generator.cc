// Sends ready-made OTLP requests to a server as fast as it takes them and prints, as one line of JSON, what was
// acknowledged and how long that took. `load_generator --help` lists the options.
#include <cstdio>
#include <numeric>

#include <CLI/CLI.hpp>
#include <google/protobuf/util/json_util.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>
#include <sys/resource.h>

#include "senders/gzip.h"
#include "load.h"
#include "measure.h"
#include "otlp/scan.h"
#include "sample_json.h"
#include "sample_requests.h"

namespace otlp_arrow::bench {
namespace {

using Response = opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;

// The responses of the three signals have one shape in bytes, and in JSON but for the name of one field.
bool ReadJson(std::string_view json, Response* response) {
  std::string text(json);
  for (const std::string_view name : {"rejectedDataPoints", "rejectedLogRecords"}) {
    if (const size_t at = text.find(name); at != std::string::npos) text.replace(at, name.size(), "rejectedSpans");
  }
  return google::protobuf::util::JsonStringToMessage(text, response).ok();
}

}  // namespace

Load IdleLoad(const Load& load) {
  return {.address = load.address, .signal = load.signal, .gzip = load.gzip, .json = load.json, .connections = load.idle, .requests = {load.requests.front()}};
}

void Tally::OnTaken(const LoadRequest& request, std::string_view response, bool json, double latency) {
  ++requests;
  latencies.push_back(latency);
  int64_t rejected = 0;
  if (!response.empty()) {
    Response message;
    const bool readable = json ? ReadJson(response, &message) : message.ParseFromArray(response.data(), static_cast<int>(response.size()));
    if (!readable) ++why["unreadable response"];
    rejected = message.partial_success().rejected_spans();
    if (rejected > 0) ++why["partial success: " + message.partial_success().error_message()];
  }
  items_rejected += rejected;
  items_acked += request.items - rejected;
}

void Tally::OnError(const LoadRequest& request, const std::string& reason) {
  ++requests;
  ++errors;
  items_failed += request.items;
  ++why[reason.substr(0, 120)];
}

Tally& Tally::operator+=(const Tally& other) {
  requests += other.requests;
  errors += other.errors;
  items_acked += other.items_acked;
  items_rejected += other.items_rejected;
  items_failed += other.items_failed;
  latencies.insert(latencies.end(), other.latencies.begin(), other.latencies.end());
  for (const auto& [reason, count] : other.why) why[reason] += count;
  return *this;
}

namespace {

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return quoted + '"';
}

double OwnCpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void Print(const LoadResult& result, double client_cpu) {
  const Tally& t = result.tally;
  std::printf("{\"items_acked\": %lld, \"items_rejected\": %lld, \"items_failed\": %lld, \"requests\": %lld, \"errors\": %lld, ",
              static_cast<long long>(t.items_acked), static_cast<long long>(t.items_rejected), static_cast<long long>(t.items_failed),
              static_cast<long long>(t.requests), static_cast<long long>(t.errors));
  std::printf("\"idle_items_acked\": %lld, ", static_cast<long long>(result.idle_items_acked));
  std::printf("\"seconds\": %.3f, \"items_per_s\": %.0f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, \"client_cpu_s\": %.3f, \"why\": {",
              result.seconds, static_cast<double>(t.items_acked) / result.seconds, Quantile(t.latencies, 0.5) * 1e3,
              Quantile(t.latencies, 0.99) * 1e3, Quantile(t.latencies, 1) * 1e3, client_cpu);
  const char* comma = "";
  for (const auto& [reason, count] : t.why) {
    std::printf("%s%s: %lld", comma, Quoted(reason).c_str(), static_cast<long long>(count));
    comma = ", ";
  }
  std::printf("}}\n");
}

int Main(int argc, char** argv) {
  Load load;
  std::string protocol = "grpc", signal = "traces";
  int items = 100, distinct = 500;
  uint64_t seed = 1;
  CLI::App app("Loads an OTLP server and prints what it acknowledged");
  app.add_option("--address", load.address, "host:port of the server")->required();
  app.add_option("--protocol", protocol)->check(CLI::IsMember({"grpc", "http"}))->capture_default_str();
  app.add_option("--signal", signal)->check(CLI::IsMember({"traces", "metrics", "logs"}))->capture_default_str();
  app.add_option("--connections", load.connections)->check(CLI::Range(1, 10000))->capture_default_str();
  app.add_option("--in-flight", load.in_flight, "requests under way on each connection (gRPC)")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--threads", load.threads)->check(CLI::Range(1, 64))->capture_default_str();
  app.add_option("--items", items, "spans, data points or log records in a request")->check(CLI::Range(1, 100000))->capture_default_str();
  app.add_option("--distinct", distinct, "different requests, sent round and round")->check(CLI::Range(1, 100000))->capture_default_str();
  app.add_option("--seconds", load.seconds, "how long to send")->check(CLI::Range(0.01, 86400.0))->capture_default_str();
  app.add_flag("--once", load.once, "send each different request once, instead of for some seconds");
  app.add_option("--seed", seed, "of the generated data")->capture_default_str();
  app.add_option("--idle", load.idle, "more connections, which send one request each and then stay open in silence")->check(CLI::Range(0, 100000))->capture_default_str();
  app.add_flag("--json", load.json, "send OTLP/JSON (HTTP)");
  app.add_flag("--gzip", load.gzip, "send the requests compressed (once, beforehand)");
  CLI11_PARSE(app, argc, argv);

  if (load.json && protocol != "http") return std::fprintf(stderr, "--json goes with --protocol http: gRPC has no JSON\n"), 2;
  load.signal = *SignalFromName(signal);
  load.threads = std::min(load.threads, load.connections);
  if (load.once) load.seconds = 86400;
  for (auto& bytes : SampleRequests(load.signal, distinct, items, seed)) {
    const int64_t n = ScanOtlp(load.signal, bytes).items;
    if (load.json) bytes = JsonOf(load.signal, bytes);
    load.requests.push_back({load.gzip ? GzipCompress(bytes) : std::move(bytes), n});
  }
  const double cpu_begin = OwnCpu();
  const LoadResult result = protocol == "grpc" ? RunGrpcLoad(load) : RunHttpLoad(load);
  Print(result, OwnCpu() - cpu_begin);
  return result.tally.items_acked > 0 ? 0 : 1;
}

}  // namespace
}  // namespace otlp_arrow::bench

int main(int argc, char** argv) { return otlp_arrow::bench::Main(argc, argv); }
