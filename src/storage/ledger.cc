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

// Reasons are words of letters and underscores: nothing in them needs escaping.
std::string CountsJson(const Counts& counts) {
  std::string json = "{";
  for (const auto& [reason, n] : counts) {
    if (json.size() > 1) json += ',';
    json += fmt::format("\"{}\":{}", reason, n);
  }
  return json + "}";
}

}  // namespace

int64_t SignalLedger::RefusedTotal() const { return Total(refused); }
int64_t SignalLedger::InvalidTotal() const { return Total(invalid); }

SignalLedger& SignalLedger::operator+=(const SignalLedger& other) {
  received += other.received;
  stored += other.stored;
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
  return *this;
}

std::string Ledger::ToJson() const {
  std::string json = "{";
  for (Signal s : kAllSignals) {
    const SignalLedger& l = (*this)[s];
    json += fmt::format(R"("{}":{{"received":{},"stored":{},"in_flight":{},"expired":{},"refused":{},"invalid":{}}},)", SignalName(s),
                        l.received, l.stored, l.in_flight, l.expired, CountsJson(l.refused), CountsJson(l.invalid));
  }
  return json + fmt::format(R"("unreadable_requests":{}}})", CountsJson(unreadable_requests));
}

}  // namespace otlp_arrow
