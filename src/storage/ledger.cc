#include "storage/ledger.h"

#include <fmt/format.h>

namespace otlp_arrow {
namespace {

using Counts = std::map<std::string, int64_t, std::less<>>;

int64_t Total(const Counts& counts) {
  int64_t total = 0;
  for (const auto& [reason, n] : counts) total += n;
  return total;
}

void Add(const Counts& from, Counts* to) {
  for (const auto& [reason, n] : from) (*to)[reason] += n;
}

// Names of destinations are the operator's.
std::string Quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      json += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      continue;
    }
    if (c == '"' || c == '\\') json += '\\';
    json += c;
  }
  return json + "\"";
}

// Reasons are words of letters and underscores: nothing in them needs escaping.
std::string CountsJson(const Counts& counts) {
  std::string json = "{";
  for (const auto& [reason, n] : counts) {
    if (json.size() > 1) json += ',';
    json += fmt::format("\"{}\":{}", reason, n);
  }
  return json + "}";
}

std::string DestinationsJson(const DestinationLedgers& destinations) {
  std::string json = "{";
  for (const auto& [name, signals] : destinations) {
    json += (json.size() > 1 ? "," : "") + Quoted(name) + ":{";
    for (Signal s : kAllSignals) {
      const DestinationLedger& l = signals[static_cast<size_t>(s)];
      json += fmt::format(R"({}"{}":{{"sent":{},"rejected":{},"given_up":{}}})", s == kAllSignals.front() ? "" : ",", SignalName(s), l.sent,
                          l.rejected, CountsJson(l.given_up));
    }
    json += "}";
  }
  return json + "}";
}

}  // namespace

DestinationLedger& DestinationLedger::operator+=(const DestinationLedger& other) {
  sent += other.sent;
  rejected += other.rejected;
  Add(other.given_up, &given_up);
  return *this;
}

int64_t SignalLedger::RefusedTotal() const { return Total(refused); }
int64_t SignalLedger::InvalidTotal() const { return Total(invalid); }

SignalLedger& SignalLedger::operator+=(const SignalLedger& other) {
  received += other.received;
  stored += other.stored;
  relayed += other.relayed;
  in_flight += other.in_flight;
  expired += other.expired;
  Add(other.refused, &refused);
  Add(other.invalid, &invalid);
  return *this;
}

bool Ledger::Balances() const {
  for (const SignalLedger& s : signals) {
    if (!s.Balances()) return false;
  }
  return true;
}

Ledger& Ledger::operator+=(const Ledger& other) {
  for (size_t i = 0; i < kSignalCount; ++i) signals[i] += other.signals[i];
  Add(other.unreadable_requests, &unreadable_requests);
  for (const auto& [name, from] : other.destinations) {
    auto& to = destinations[name];
    for (size_t s = 0; s < kSignalCount; ++s) to[s] += from[s];
  }
  return *this;
}

std::string Ledger::ToJson() const {
  std::string json = "{";
  for (Signal s : kAllSignals) {
    const SignalLedger& l = (*this)[s];
    json += fmt::format(R"("{}":{{"received":{},"stored":{},"relayed":{},"in_flight":{},"expired":{},"refused":{},"invalid":{}}},)",
                        SignalName(s), l.received, l.stored, l.relayed, l.in_flight, l.expired, CountsJson(l.refused), CountsJson(l.invalid));
  }
  json += fmt::format(R"("unreadable_requests":{})", CountsJson(unreadable_requests));
  if (!destinations.empty()) json += R"(,"destinations":)" + DestinationsJson(destinations);
  return json + "}";
}

}  // namespace otlp_arrow
