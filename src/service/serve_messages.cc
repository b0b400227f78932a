#include "service/serve_messages.h"

#include <filesystem>
#include <optional>
#include <utility>

#include <unistd.h>

#include "base/byte_size.h"
#include "base/endpoint.h"
#include "base/host_port.h"
#include "service/human_text.h"

namespace otlp_arrow {
namespace {

// An address to connect to: 0.0.0.0 and :: listen everywhere, and are nowhere to send to.
std::string Reachable(const std::string& address) {
  auto parsed = ParseHostPort(address);
  if (!parsed.ok()) return address;
  if (parsed->host == "0.0.0.0") parsed->host = "127.0.0.1";
  if (parsed->host == "::") parsed->host = "::1";
  return parsed->ToString();
}

std::string Kept(uint32_t seconds) { return seconds == 0 ? "for ever" : HumanDuration(seconds); }

std::string AbsolutePath(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::weakly_canonical(path, error);
  return error ? path : absolute.string();
}

// "main: traces and logs to https://host:4317 (grpc, gzip)".
std::string DestinationLine(const ForwardingConfig& destination) {
  const auto protocol = destination.protocol.empty() ? std::nullopt : ProtocolFromName(destination.protocol);
  const auto endpoint = ParseEndpoint(destination.endpoint, protocol);
  std::string signals;
  for (const Signal signal : destination.signals) signals += (signals.empty() ? "" : ", ") + std::string(SignalName(signal));
  return destination.DisplayName() + ": " + signals + " to " + (endpoint.ok() ? endpoint->ToString() : "") +
         (destination.compression == "none" ? "" : ", " + destination.compression);
}

std::string SchemeOf(const Config& config, const ServerTlsConfig& own, const std::string& plain, const std::string& tls) {
  return config.TlsOf(own).cert_file.empty() ? plain : tls;
}

std::string FormatName(FileFormat format) { return format == FileFormat::kArrow ? "arrow" : "parquet"; }

std::string CompressionName(Compression compression) {
  return compression == Compression::kNone ? "uncompressed" : compression == Compression::kLz4 ? "lz4" : "zstd";
}

std::string QueryLine(const std::string& directory, FileFormat format) {
  const std::string traces = directory + "/otlp/traces";
  const bool is_arrow = format == FileFormat::kArrow;
  return std::string("python3 -c \"import duckdb") + (is_arrow ? ", pyarrow.dataset as ds" : "") + "; t = " +
         (is_arrow ? "ds.dataset('" + traces + "', format='arrow')" : "duckdb.read_parquet('" + traces + "/**/*.parquet')") +
         "; print(duckdb.sql('SELECT service_name, name, count(*) FROM t GROUP BY ALL'))\"";
}

// "listens on 0.0.0.0:4317 for OTLP/gRPC: TLS; callers need a bearer token".
std::string ListenLine(const Config& config, const std::string& what, const std::string& address, const ServerTlsConfig& own, bool has_own_token) {
  const ServerTlsConfig& tls = config.TlsOf(own);
  std::string needs;
  const auto need = [&needs](const std::string& thing) { needs += (needs.empty() ? "" : " or ") + thing; };
  if (!config.auth.bearer_tokens.empty() || has_own_token) need("a bearer token");
  if (!config.auth.headers.empty()) need(Counted(static_cast<int64_t>(config.auth.headers.size()), "header"));
  if (!tls.client_ca_file.empty()) needs += (needs.empty() ? "" : ", and ") + std::string("a certificate that is signed by ") + tls.client_ca_file;
  return "listens on " + address + " for " + what + ": " + (tls.cert_file.empty() ? "no TLS" : "TLS with " + tls.cert_file) + "; " +
         (needs.empty() ? "anyone who reaches it may call" : "callers need " + needs);
}

std::string CompactionLine(const Config& config) {
  const CompactionConfig& c = config.compaction;
  return "merges " + std::to_string(c.min_files) + " or more small files into " + FormatName(c.format.value_or(config.format)) + " files of up to " +
         FormatByteSize(c.target_file_bytes) + ", looking every " + std::to_string(c.interval_secs) + " s";
}

std::string AcknowledgeLine(Acknowledge acknowledge) {
  switch (acknowledge) {
    case Acknowledge::kMemory: return "says OK when data is in memory: what is in no file yet dies with the process";
    case Acknowledge::kJournal: return "says OK when data is in the journal: it survives the death of the process";
    case Acknowledge::kFsync: break;
  }
  return "says OK when data is on the device: it survives power loss";
}

}  // namespace

std::string StartMessage(const Config& config, const ListenAddresses& addresses) {
  const std::string directory = AbsolutePath(config.output_dir);
  std::string text = "otlp-arrow " OTLP_ARROW_VERSION " is ready (process " + std::to_string(getpid()) + ")\n";
  if (!addresses.grpc.empty()) {
    text +=
        "  OTLP/gRPC  " + addresses.grpc + "   OTEL_EXPORTER_OTLP_ENDPOINT=" + SchemeOf(config, config.grpc.tls, "http://", "https://") +
        Reachable(addresses.grpc) + "\n";
  }
  if (!addresses.http.empty()) {
    text += "  OTLP/HTTP  " + addresses.http + "   OTEL_EXPORTER_OTLP_ENDPOINT=" + SchemeOf(config, config.http.tls, "http://", "https://") +
            Reachable(addresses.http) + " OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n";
  }
  if (!addresses.flight.empty()) {
    const std::string scheme = SchemeOf(config, config.flight.tls, "grpc://", "grpc+tls://");
    text += "  Flight     " + addresses.flight + "   pyarrow.flight.connect(\"" + scheme + Reachable(addresses.flight) + "\")\n";
  }
  for (const ForwardingConfig& destination : config.forwarding) {
    if (destination.enabled) text += "  forwards   " + DestinationLine(destination) + "\n";
  }
  if (!config.store) {
    return text + "  relay      no files are written (store: false); what is not sent yet waits in " + directory + ", up to " +
           FormatByteSize(config.forward_backlog_max_bytes) + "\n";
  }
  text += "  files      " + directory + "/otlp/{traces,metrics,logs}/*." + FormatName(config.format) + ", readable within " +
          std::to_string(config.write_interval_secs) + " s\n";
  text += "  look       otlp-arrow inspect " + directory + "\n";
  text += "  query      " + QueryLine(directory, config.format) + "\n";
  return text;
}

LogFields StartFields(const Config& config, const ListenAddresses& addresses) {
  LogFields fields = {{"version", OTLP_ARROW_VERSION}, {"pid", int64_t{getpid()}}, {"output_dir", AbsolutePath(config.output_dir)}};
  const std::pair<const char*, const std::string&> listeners[] = {{"grpc", addresses.grpc}, {"http", addresses.http}, {"flight", addresses.flight}};
  for (const auto& [name, address] : listeners) {
    if (!address.empty()) fields.emplace_back(name, address);
  }
  return fields;
}

std::vector<std::string> PlanLines(const Config& config) {
  std::vector<std::string> lines;
  if (config.grpc.enabled) lines.push_back(ListenLine(config, "OTLP/gRPC", config.grpc.address, config.grpc.tls, false));
  if (config.http.enabled) lines.push_back(ListenLine(config, "OTLP/HTTP", config.http.address, config.http.tls, false));
  if (config.flight.enabled) {
    lines.push_back(ListenLine(config, "Arrow Flight", config.flight.address, config.flight.tls, !config.flight.bearer_token.empty()));
  }
  const std::string directory = AbsolutePath(config.output_dir);
  if (config.store) {
    lines.push_back("writes " + FormatName(config.format) + " files (" + CompressionName(config.compression) + ") to " + directory +
                    "/otlp, at least every " + std::to_string(config.write_interval_secs) + " s");
    if (config.compaction.enabled) lines.push_back(CompactionLine(config));
  } else {
    lines.push_back("writes no files (store: false); what is not sent yet waits in " + directory);
  }
  lines.push_back(AcknowledgeLine(config.acknowledge));
  lines.push_back(RetentionLine(config));
  for (const ForwardingConfig& destination : config.forwarding) {
    if (destination.enabled) lines.push_back("forwards " + DestinationLine(destination));
  }
  return lines;
}

std::string RetentionLine(const Config& config) {
  if (!config.store) return "nothing is stored; what is sent on, or given up, is deleted";
  std::string line = "data is kept: traces " + Kept(config.trace_cleanup_interval_secs) +
                     " (trace_cleanup_interval_secs), metrics " + Kept(config.metric_cleanup_interval_secs) +
                     " (metric_cleanup_interval_secs), logs " + Kept(config.log_cleanup_interval_secs) +
                     " (log_cleanup_interval_secs); 0 keeps for ever";
  if (config.max_total_bytes > 0) {
    line += "; at most " + FormatByteSize(config.max_total_bytes) + " of files (max_total_bytes)";
  }
  return line;
}

std::vector<std::string> LedgerLines(const Ledger& ledger) {
  std::vector<std::string> lines;
  for (Signal s : kAllSignals) {
    const SignalLedger& l = ledger[s];
    if (l.received == 0) continue;
    std::string line = std::string(SignalName(s)) + ": " + GroupedNumber(l.received) + " received, " +
                       GroupedNumber(l.stored + l.expired) + " stored";
    if (l.relayed > 0) line += ", " + GroupedNumber(l.relayed) + " relayed";
    const std::pair<const char*, int64_t> rest[] = {{"expired since", l.expired},
                                                    {"refused", l.RefusedTotal()},
                                                    {"invalid", l.InvalidTotal()},
                                                    {"left in the journal", l.in_flight}};
    for (const auto& [what, n] : rest) {
      if (n > 0) line += ", " + GroupedNumber(n) + " " + what;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> ForwardingLines(const std::vector<DestinationStats>& destinations) {
  std::vector<std::string> lines;
  for (const DestinationStats& d : destinations) {
    for (const Signal signal : kAllSignals) {
      const DestinationSignalStats& counts = d.signals[static_cast<size_t>(signal)];
      if (counts.accepted == 0) continue;
      std::string line = d.name + ", " + std::string(SignalName(signal)) + ": " + GroupedNumber(counts.sent) + " sent";
      if (counts.rejected > 0) line += ", " + GroupedNumber(counts.rejected) + " rejected there";
      for (size_t i = 0; i < kGiveUpReasonCount; ++i) {
        if (counts.given_up[i] > 0) {
          line += ", " + GroupedNumber(counts.given_up[i]) + " given up (" + std::string(GiveUpReasonName(static_cast<GiveUpReason>(i))) + ")";
        }
      }
      if (counts.backlog > 0) line += ", " + GroupedNumber(counts.backlog) + " left for the next start";
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

}  // namespace otlp_arrow
