#include "server/http/prometheus_text.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/platform/process_stats.h"
#include "server/common/prometheus_writer.h"

namespace otlp_arrow {
namespace {

using Counts = std::map<std::string, int64_t, std::less<>>;

void ItemsByReason(Signal signal, std::string_view state, const Counts& counts, PrometheusWriter* to) {
  const auto add = [&](std::string_view reason, int64_t count) {
    to->Sample({{"signal", SignalName(signal)}, {"state", state}, {"reason", reason}}, count);
  };
  if (counts.empty()) add("", 0);
  for (const auto& [reason, count] : counts) add(reason, count);
}

void SignalGauge(std::string_view name, std::string_view help, const Ledger& ledger, int64_t SignalLedger::*count, PrometheusWriter* to) {
  to->Family(name, "gauge", help);
  for (const Signal signal : kAllSignals) to->Sample({{"signal", SignalName(signal)}}, ledger[signal].*count);
}

void LedgerText(const Ledger& ledger, PrometheusWriter* to) {
  to->Family("otlp_arrow_items_total", "counter", "Spans, data points and log records: all that came, and those that are not kept, by reason.");
  for (const Signal signal : kAllSignals) {
    const SignalLedger& counts = ledger[signal];
    ItemsByReason(signal, "received", {{"", counts.received}}, to);
    ItemsByReason(signal, "expired", {{"", counts.expired}}, to);
    ItemsByReason(signal, "relayed", {{"", counts.relayed}}, to);
    ItemsByReason(signal, "refused", counts.refused, to);
    ItemsByReason(signal, "invalid", counts.invalid, to);
  }
  SignalGauge("otlp_arrow_items_stored", "Items in files now; those that expired are no longer counted.", ledger, &SignalLedger::stored, to);
  SignalGauge("otlp_arrow_items_in_flight", "Items acknowledged and not yet in a readable file.", ledger, &SignalLedger::in_flight, to);
  to->Family("otlp_arrow_unreadable_requests_total", "counter", "Requests refused whole, with an unknown number of items.");
  for (const auto& [reason, count] : ledger.unreadable_requests) to->Sample({{"reason", reason}}, count);
}

void CompactionText(const CompactionStats& stats, PrometheusWriter* to) {
  to->Family("otlp_arrow_compaction_files_total", "counter", "Data files that were merged, those written instead, and those left out because they cannot be read.");
  to->Sample({{"state", "merged"}}, stats.files_merged);
  to->Sample({{"state", "written"}}, stats.files_written);
  to->Sample({{"state", "left_out"}}, stats.files_left_out);
  to->Family("otlp_arrow_compaction_bytes_total", "counter", "Bytes of the files that were merged, and of those written instead.");
  to->Sample({{"state", "merged"}}, stats.bytes_merged);
  to->Sample({{"state", "written"}}, stats.bytes_written);
  to->Single("otlp_arrow_compaction_rows_total", "counter", "Rows in merged files when they were written.", stats.rows_merged);
  to->Family("otlp_arrow_compaction_rounds_total", "counter", "Rounds of compaction that merged something, and those that failed.");
  to->Sample({{"outcome", "merged"}}, stats.rounds - stats.failed_rounds);
  to->Sample({{"outcome", "failed"}}, stats.failed_rounds);
}

void PipelineText(const Pipeline& pipeline, PrometheusWriter* to) {
  const PipelineStats stats = pipeline.GetStats();
  to->Single("otlp_arrow_queued_bytes", "gauge", "Bytes of requests accepted and not yet turned into Arrow.", pipeline.QueuedBytes());
  to->Single("otlp_arrow_memory_budget_bytes", "gauge", "What otlp_arrow_queued_bytes may be (memory_budget).", stats.memory_budget);
  to->Single("otlp_arrow_waiting_requests", "gauge", "Requests that wait for room in the memory budget.", stats.waiting_requests);
  to->Single("otlp_arrow_journal_bytes", "gauge", "Bytes of the journal that are in no file yet.", stats.journal_bytes);
  to->Single("otlp_arrow_journal_max_bytes", "gauge", "What otlp_arrow_journal_bytes may be (journal_max_bytes for each worker).", stats.journal_max_bytes);
  to->Single("otlp_arrow_workers", "gauge", "Threads that turn OTLP into files.", stats.workers);
  to->Single("otlp_arrow_ready", "gauge", "1 while data is taken.", pipeline.Ready(nullptr) ? 1 : 0);
  CompactionText(stats.compaction, to);
}

void ForwardItems(const std::vector<DestinationStats>& all, PrometheusWriter* to) {
  to->Family("otlp_arrow_forward_items_total", "counter", "Items for a destination: all that were accepted for it, and what became of them.");
  for (const DestinationStats& d : all) {
    for (const Signal signal : kAllSignals) {
      const DestinationSignalStats& counts = d.signals[static_cast<size_t>(signal)];
      const auto add = [&](std::string_view state, std::string_view reason, int64_t value) {
        to->Sample({{"destination", d.name}, {"signal", SignalName(signal)}, {"state", state}, {"reason", reason}}, value);
      };
      add("accepted", "", counts.accepted);
      add("sent", "", counts.sent);
      add("rejected", "", counts.rejected);
      for (size_t i = 0; i < kGiveUpReasonCount; ++i) add("given_up", GiveUpReasonName(static_cast<GiveUpReason>(i)), counts.given_up[i]);
    }
  }
  to->Family("otlp_arrow_forward_backlog_items", "gauge", "Items not yet sent: accepted less sent, rejected and given up.");
  for (const DestinationStats& d : all) {
    for (const Signal signal : kAllSignals) {
      to->Sample({{"destination", d.name}, {"signal", SignalName(signal)}}, d.signals[static_cast<size_t>(signal)].backlog);
    }
  }
}

template <class Get>
void ForEach(std::string_view name, std::string_view type, std::string_view help, const std::vector<DestinationStats>& all, const Get& get,
             PrometheusWriter* to) {
  to->Family(name, type, help);
  for (const DestinationStats& d : all) to->Sample({{"destination", d.name}}, get(d));
}

void BreakerState(const std::vector<DestinationStats>& all, PrometheusWriter* to) {
  to->Family("otlp_arrow_forward_breaker_state", "gauge", "1 for the state that the circuit breaker is in.");
  for (const DestinationStats& d : all) {
    for (const char* state : {"closed", "open", "half_open"}) to->Sample({{"destination", d.name}, {"state", state}}, d.breaker == state ? 1 : 0);
  }
}

void SendLatency(const std::vector<DestinationStats>& all, PrometheusWriter* to) {
  to->Family("otlp_arrow_forward_send_latency_seconds", "histogram", "Durations of attempts to send.");
  for (const DestinationStats& d : all) {
    to->Histogram({{"destination", d.name}}, DestinationStats::kLatencyBounds, std::span<const int64_t>(d.send_latency), d.send_latency_sum_secs);
  }
}

void ForwardText(const std::vector<DestinationStats>& all, PrometheusWriter* to) {
  if (all.empty()) return;
  using D = DestinationStats;
  ForwardItems(all, to);
  ForEach("otlp_arrow_forward_backlog_bytes", "gauge", "Bytes of requests not yet sent.", all, [](const D& d) { return d.backlog_bytes; }, to);
  ForEach("otlp_arrow_forward_oldest_unsent_age_seconds", "gauge", "For how long the oldest unsent request has waited; 0 where all are sent.", all,
          [](const D& d) { return d.oldest_unsent_age_secs; }, to);
  ForEach("otlp_arrow_forward_requests_total", "counter", "Requests that got an answer of whatever kind.", all, [](const D& d) { return d.requests; }, to);
  ForEach("otlp_arrow_forward_retries_total", "counter", "Attempts after the first.", all, [](const D& d) { return d.retries; }, to);
  ForEach("otlp_arrow_forward_failures_total", "counter", "Attempts that were not taken.", all, [](const D& d) { return d.failures; }, to);
  ForEach("otlp_arrow_forward_sent_bytes_total", "counter", "OTLP bytes of requests that were taken.", all, [](const D& d) { return d.bytes_sent; }, to);
  ForEach("otlp_arrow_forward_in_flight", "gauge", "Requests under way.", all, [](const D& d) { return d.in_flight; }, to);
  BreakerState(all, to);
  SendLatency(all, to);
}

// The names that Prometheus's own client libraries use.
void ProcessText(PrometheusWriter* to) {
  const platform::ProcessStats stats = platform::GetProcessStats();
  const std::chrono::duration<double> start = platform::ProcessStartTime().time_since_epoch();
  to->Single("process_start_time_seconds", "gauge", "Start of the process, in seconds since 1970.", start.count());
  to->Single("process_cpu_seconds_total", "counter", "CPU time of the process.", stats.cpu_seconds);
  const auto gauge = [&](std::string_view name, std::string_view help, std::optional<uint64_t> value) {
    if (value) to->Single(name, "gauge", help, *value);
  };
  gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.", stats.resident_bytes);
  gauge("process_virtual_memory_bytes", "Address space of the process.", stats.virtual_bytes);
  gauge("process_threads", "Threads of the process.", stats.threads);
  gauge("process_open_fds", "Open files and connections.", stats.open_files);
  gauge("process_max_fds", "How many of those there may be.", stats.max_open_files);
}

}  // namespace

std::string PrometheusText(const Pipeline& pipeline) {
  PrometheusWriter writer;
  LedgerText(pipeline.GetLedger(), &writer);
  PipelineText(pipeline, &writer);
  ForwardText(pipeline.ForwardingStats(), &writer);
  ProcessText(&writer);
  return writer.Take();
}

}  // namespace otlp_arrow
