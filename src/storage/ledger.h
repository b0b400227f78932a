// The loss ledger: what became of every item. For each signal
//   received = stored + relayed + in_flight + refused + invalid + expired
// holds at any moment; the tests check it after every fault that they inject.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "otlp_arrow/signal.h"

namespace otlp_arrow {

// Item counts of one signal. Reasons are short, stable words ("memory_budget", "disk", "bad_trace_id", …).
struct SignalLedger {
  int64_t received = 0;   // every item that arrived at the door
  int64_t stored = 0;     // in published files
  int64_t relayed = 0;    // never to be in a file: sent on, or given up, at every destination
  int64_t in_flight = 0;  // acknowledged, not yet in a published file, or not yet relayed
  int64_t expired = 0;    // once stored, deleted by retention
  std::map<std::string, int64_t, std::less<>> refused;  // the sender was told to try again, by reason
  std::map<std::string, int64_t, std::less<>> invalid;  // the sender was told that the item is bad, by reason

  int64_t RefusedTotal() const;
  int64_t InvalidTotal() const;
  bool Balances() const { return received == stored + relayed + in_flight + expired + RefusedTotal() + InvalidTotal(); }
  SignalLedger& operator+=(const SignalLedger& other);
};

// What became of the items of one signal that were to be sent to a destination; the rest of them still waits.
struct DestinationLedger {
  int64_t sent = 0;
  int64_t rejected = 0;                                  // the destination left them out
  std::map<std::string, int64_t, std::less<>> given_up;  // by GiveUpReasonName

  DestinationLedger& operator+=(const DestinationLedger& other);
};
using DestinationLedgers = std::map<std::string, std::array<DestinationLedger, kSignalCount>, std::less<>>;  // by name

struct Ledger {
  std::array<SignalLedger, kSignalCount> signals;
  DestinationLedgers destinations;
  // Requests refused as a whole whose number of items is unknown (not even the framing could be read), by reason.
  std::map<std::string, int64_t, std::less<>> unreadable_requests;

  SignalLedger& operator[](Signal s) { return signals[static_cast<size_t>(s)]; }
  const SignalLedger& operator[](Signal s) const { return signals[static_cast<size_t>(s)]; }
  bool Balances() const;
  Ledger& operator+=(const Ledger& other);

  // {"traces":{"received":…,"stored":…,"relayed":…,"in_flight":…,"expired":…,"refused":{…},"invalid":{…}},…}
  std::string ToJson() const;
};

}  // namespace otlp_arrow
