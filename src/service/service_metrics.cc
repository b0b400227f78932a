#include "service/service_metrics.h"

#include "server/common/prometheus_writer.h"

namespace otlp_arrow {
namespace {

constexpr std::chrono::seconds kCountEvery{5};

std::string_view FormatName(FileFormat format) { return format == FileFormat::kArrow ? "arrow" : "parquet"; }

using Servers = std::vector<const MeasuredPipeline*>;

template <class Add>
void ForEachSignal(const Servers& servers, const Add& add) {
  for (const MeasuredPipeline* server : servers) {
    for (const Signal signal : kAllSignals) add(server->server(), SignalName(signal), server->RequestsOf(signal));
  }
}

void RequestsText(const Servers& servers, PrometheusWriter* to) {
  using Requests = MeasuredPipeline::Requests;
  if (servers.empty()) return;
  to->Family("otlp_arrow_requests_total", "counter", "Requests that arrived whole, by what became of them.");
  ForEachSignal(servers, [to](std::string_view server, std::string_view signal, const Requests& requests) {
    for (size_t i = 0; i < kRequestResultCount; ++i) {
      to->Sample({{"server", server}, {"signal", signal}, {"result", RequestResultName(static_cast<RequestResult>(i))}}, requests.results[i]);
    }
  });
  to->Family("otlp_arrow_request_bytes_total", "counter", "Bytes of OTLP in these requests, decompressed.");
  ForEachSignal(servers, [to](std::string_view server, std::string_view signal, const Requests& requests) {
    to->Sample({{"server", server}, {"signal", signal}}, requests.bytes);
  });
  to->Family("otlp_arrow_request_duration_seconds", "histogram", "From a request's last byte to its answer: checks, room in memory, the journal.");
  ForEachSignal(servers, [to](std::string_view server, std::string_view signal, const Requests& requests) {
    to->Histogram({{"server", server}, {"signal", signal}}, MeasuredPipeline::kDurationBounds, requests.durations, requests.duration_sum_secs);
  });
  to->Family("otlp_arrow_server_refusals_total", "counter", "Requests that a server refused before it looked into them, by reason.");
  for (const MeasuredPipeline* server : servers) {
    for (const auto& [reason, count] : server->Refusals()) to->Sample({{"server", server->server()}, {"reason", reason}}, count);
  }
}

void FilesText(const std::map<FileCounts::Key, FileCounts::Count>& files, PrometheusWriter* to) {
  to->Family("otlp_arrow_files", "gauge", "Data files in the output directory.");
  for (const auto& [key, count] : files) to->Sample({{"signal", SignalName(key.first)}, {"format", FormatName(key.second)}}, count.files);
  to->Family("otlp_arrow_file_bytes", "gauge", "Bytes of these files.");
  for (const auto& [key, count] : files) to->Sample({{"signal", SignalName(key.first)}, {"format", FormatName(key.second)}}, count.bytes);
}

}  // namespace

std::map<FileCounts::Key, FileCounts::Count> FileCounts::Get() {
  std::lock_guard lock(mutex_);
  const auto now = clock_->SteadyNow();
  if (!counts_.empty() && now - counted_at_ < kCountEvery) return counts_;
  for (const Signal signal : kAllSignals) {
    for (const FileFormat format : {FileFormat::kArrow, FileFormat::kParquet}) counts_[{signal, format}] = {};
    const auto files = ListDataFiles(layout_, signal);
    if (!files.ok()) continue;
    for (const DataFile& file : *files) {
      Count& count = counts_[{signal, file.name.format}];
      ++count.files;
      count.bytes += file.bytes;
    }
  }
  counted_at_ = now;
  return counts_;
}

std::string ServiceMetricsText(const Servers& servers, const std::map<FileCounts::Key, FileCounts::Count>& files, const ReloadCounts& reloads) {
  PrometheusWriter writer;
  writer.Family("otlp_arrow_build_info", "gauge", "1; the labels say what is running.");
  writer.Sample({{"version", OTLP_ARROW_VERSION}, {"compiler", __VERSION__}}, 1);
  RequestsText(servers, &writer);
  FilesText(files, &writer);
  writer.Family("otlp_arrow_config_reloads_total", "counter", "How often the configuration was read again (SIGHUP), and how that went.");
  writer.Sample({{"result", "ok"}}, reloads.good);
  writer.Sample({{"result", "failed"}}, reloads.failed);
  const std::chrono::duration<double> last = reloads.last_good.time_since_epoch();
  writer.Single("otlp_arrow_config_last_good_timestamp_seconds", "gauge", "When the configuration in force was read, in seconds since 1970.", last.count());
  return writer.Take();
}

}  // namespace otlp_arrow
