// Brings one batch to its end: sent, refused item by item, or given up. What the peer refuses is halved until the items that it
// refuses stand alone.
#pragma once

#include <functional>
#include <string>

#include "forward/lane.h"
#include "forward/otlp_sender.h"

namespace otlp_arrow {

// What became of one request, after all attempts that were worth it.
struct Verdict {
  enum class Kind { kTaken, kRefused, kTimeout, kAbandoned };
  Kind kind = Kind::kTaken;
  bool is_too_large = false;   // with kRefused
  int64_t rejected_items = 0;  // with kTaken
  std::string message;
};

// Sends a request until there is a verdict.
using Attempt = std::function<Verdict(std::string_view request)>;

struct DeliveryReport {
  bool is_settled = false;  // false: abandoned, as the process ends; parts of it may have been taken
  SettledItems items;
  std::string refusal;      // the peer's words for what was refused last; empty where nothing was
};

// The requests of a batch that the peer refuses whole in a row before the rest of it is given up: a peer that refuses everything
// is not asked about each item.
inline constexpr int kMaxRefusalsInARow = 64;

DeliveryReport Deliver(Signal signal, const JournalBatch& batch, const Attempt& attempt);

}  // namespace otlp_arrow
