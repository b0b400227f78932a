#include "server/http/prometheus_text.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include <sys/resource.h>

#include "server/http/process_start.h"

namespace otlp_arrow {
namespace {

using Counts = std::map<std::string, int64_t, std::less<>>;

// A label's value, without the quotes.
std::string Escape(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

void Family(std::string_view name, std::string_view type, std::string_view help, std::string* out) {
  out->append("# HELP ").append(name).append(" ").append(help).append("\n");
  out->append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void Items(Signal signal, std::string_view state, std::string_view reason, int64_t value, std::string* out) {
  out->append("otlp_arrow_items_total{signal=\"").append(SignalName(signal)).append("\",state=\"").append(state);
  out->append("\",reason=\"").append(Escape(reason)).append("\"} ").append(std::to_string(value)).append("\n");
}

void ItemsByReason(Signal signal, std::string_view state, const Counts& counts, std::string* out) {
  if (counts.empty()) Items(signal, state, "", 0, out);
  for (const auto& [reason, count] : counts) Items(signal, state, reason, count, out);
}

void SignalGauge(std::string_view name, std::string_view help, const Ledger& ledger, int64_t SignalLedger::*count,
                 std::string* out) {
  Family(name, "gauge", help, out);
  for (const Signal signal : kAllSignals) {
    out->append(name).append("{signal=\"").append(SignalName(signal)).append("\"} ");
    out->append(std::to_string(ledger[signal].*count)).append("\n");
  }
}

void LedgerText(const Ledger& ledger, std::string* out) {
  Family("otlp_arrow_items_total", "counter",
         "Spans, data points and log records: all that came, and those that are not kept, by reason.", out);
  for (const Signal signal : kAllSignals) {
    const SignalLedger& counts = ledger[signal];
    Items(signal, "received", "", counts.received, out);
    Items(signal, "expired", "", counts.expired, out);
    Items(signal, "relayed", "", counts.relayed, out);
    ItemsByReason(signal, "refused", counts.refused, out);
    ItemsByReason(signal, "invalid", counts.invalid, out);
  }
  SignalGauge("otlp_arrow_items_stored", "Items in files now; those that expired are no longer counted.", ledger,
              &SignalLedger::stored, out);
  SignalGauge("otlp_arrow_items_in_flight", "Items acknowledged and not yet in a readable file.", ledger,
              &SignalLedger::in_flight, out);
  Family("otlp_arrow_unreadable_requests_total", "counter", "Requests refused whole, with an unknown number of items.",
         out);
  for (const auto& [reason, count] : ledger.unreadable_requests) {
    out->append("otlp_arrow_unreadable_requests_total{reason=\"").append(Escape(reason)).append("\"} ");
    out->append(std::to_string(count)).append("\n");
  }
}

void Value(std::string_view name, std::string_view type, std::string_view help, const std::string& value,
           std::string* out) {
  Family(name, type, help, out);
  out->append(name).append(" ").append(value).append("\n");
}

// A line of a family whose labels begin with the destination: `labels` is `,signal="logs"` or "".
void ForDestination(std::string_view name, const DestinationStats& stats, const std::string& labels, const std::string& value, std::string* out) {
  out->append(name).append("{destination=\"").append(Escape(stats.name)).append("\"").append(labels).append("} ").append(value).append("\n");
}

std::string SignalLabel(Signal signal) { return ",signal=\"" + std::string(SignalName(signal)) + "\""; }

// The shortest text that reads back to the same number.
std::string Number(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

void ForwardItems(const std::vector<DestinationStats>& all, std::string* out) {
  constexpr std::string_view kName = "otlp_arrow_forward_items_total";
  Family(kName, "counter", "Items for a destination: all that were accepted for it, and what became of them.", out);
  for (const DestinationStats& d : all) {
    for (const Signal signal : kAllSignals) {
      const DestinationSignalStats& counts = d.signals[static_cast<size_t>(signal)];
      const auto line = [&](std::string_view state, std::string_view reason, int64_t value) {
        ForDestination(kName, d, SignalLabel(signal) + ",state=\"" + std::string(state) + "\",reason=\"" + std::string(reason) + "\"", std::to_string(value), out);
      };
      line("accepted", "", counts.accepted);
      line("sent", "", counts.sent);
      line("rejected", "", counts.rejected);
      for (size_t i = 0; i < kGiveUpReasonCount; ++i) line("given_up", GiveUpReasonName(static_cast<GiveUpReason>(i)), counts.given_up[i]);
    }
  }
  constexpr std::string_view kBacklog = "otlp_arrow_forward_backlog_items";
  Family(kBacklog, "gauge", "Items not yet sent: accepted less sent, rejected and given up.", out);
  for (const DestinationStats& d : all) {
    for (const Signal signal : kAllSignals) {
      ForDestination(kBacklog, d, SignalLabel(signal), std::to_string(d.signals[static_cast<size_t>(signal)].backlog), out);
    }
  }
}

template <class Get>
void ForEach(std::string_view name, std::string_view type, std::string_view help, const std::vector<DestinationStats>& all, const Get& get,
             std::string* out) {
  Family(name, type, help, out);
  for (const DestinationStats& d : all) ForDestination(name, d, "", get(d), out);
}

void BreakerState(const std::vector<DestinationStats>& all, std::string* out) {
  constexpr std::string_view kName = "otlp_arrow_forward_breaker_state";
  Family(kName, "gauge", "1 for the state that the circuit breaker is in.", out);
  for (const DestinationStats& d : all) {
    for (const char* state : {"closed", "open", "half_open"}) {
      ForDestination(kName, d, ",state=\"" + std::string(state) + "\"", d.breaker == state ? "1" : "0", out);
    }
  }
}

void SendLatency(const std::vector<DestinationStats>& all, std::string* out) {
  constexpr std::string_view kName = "otlp_arrow_forward_send_latency_seconds";
  Family(kName, "histogram", "Durations of attempts to send.", out);
  const std::string bucket = std::string(kName) + "_bucket";
  for (const DestinationStats& d : all) {
    int64_t count = 0;
    for (size_t i = 0; i < d.send_latency.size(); ++i) {
      count += d.send_latency[i];
      const std::string bound = i < DestinationStats::kLatencyBounds.size() ? Number(DestinationStats::kLatencyBounds[i]) : "+Inf";
      ForDestination(bucket, d, ",le=\"" + bound + "\"", std::to_string(count), out);
    }
    ForDestination(std::string(kName) + "_sum", d, "", Number(d.send_latency_sum_secs), out);
    ForDestination(std::string(kName) + "_count", d, "", std::to_string(count), out);
  }
}

void ForwardText(const std::vector<DestinationStats>& all, std::string* out) {
  if (all.empty()) return;
  using D = DestinationStats;
  ForwardItems(all, out);
  ForEach("otlp_arrow_forward_backlog_bytes", "gauge", "Bytes of requests not yet sent.", all, [](const D& d) { return std::to_string(d.backlog_bytes); }, out);
  ForEach("otlp_arrow_forward_oldest_unsent_age_seconds", "gauge", "For how long the oldest unsent request has waited; 0 where all are sent.", all,
          [](const D& d) { return Number(d.oldest_unsent_age_secs); }, out);
  ForEach("otlp_arrow_forward_requests_total", "counter", "Requests that got an answer of whatever kind.", all,
          [](const D& d) { return std::to_string(d.requests); }, out);
  ForEach("otlp_arrow_forward_retries_total", "counter", "Attempts after the first.", all, [](const D& d) { return std::to_string(d.retries); }, out);
  ForEach("otlp_arrow_forward_failures_total", "counter", "Attempts that were not taken.", all, [](const D& d) { return std::to_string(d.failures); }, out);
  ForEach("otlp_arrow_forward_sent_bytes_total", "counter", "OTLP bytes of requests that were taken.", all,
          [](const D& d) { return std::to_string(d.bytes_sent); }, out);
  ForEach("otlp_arrow_forward_in_flight", "gauge", "Requests under way.", all, [](const D& d) { return std::to_string(d.in_flight); }, out);
  BreakerState(all, out);
  SendLatency(all, out);
}

double Seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

void ProcessText(std::string* out) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double cpu = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  const std::chrono::duration<double> start = ProcessStartTime().time_since_epoch();
  Value("process_start_time_seconds", "gauge", "Start of the process, in seconds since 1970.",
        std::to_string(start.count()), out);
  Value("process_cpu_seconds_total", "counter", "CPU time of the process.", std::to_string(cpu), out);
}

}  // namespace

std::string PrometheusText(const Pipeline& pipeline) {
  std::string out;
  LedgerText(pipeline.GetLedger(), &out);
  Value("otlp_arrow_queued_bytes", "gauge", "Bytes of requests accepted and not yet turned into Arrow.",
        std::to_string(pipeline.QueuedBytes()), &out);
  Value("otlp_arrow_ready", "gauge", "1 while data is taken.", pipeline.Ready(nullptr) ? "1" : "0", &out);
  ForwardText(pipeline.ForwardingStats(), &out);
  ProcessText(&out);
  return out;
}

}  // namespace otlp_arrow
