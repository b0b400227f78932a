#include "server/http/prometheus_text.h"

#include <chrono>
#include <cstdint>
#include <map>

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
  ProcessText(&out);
  return out;
}

}  // namespace otlp_arrow
