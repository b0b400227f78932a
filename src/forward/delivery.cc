#include "forward/delivery.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "otlp/scan.h"
#include "otlp/split.h"

namespace otlp_arrow {
namespace {

// A part of the batch; `own` holds its bytes where they are no longer the batch's.
struct Part {
  std::string own;
  std::string_view bytes;
  int64_t items = 0;
};

Part Owned(Signal signal, std::string bytes) {
  Part part{std::move(bytes), {}, 0};
  part.items = ScanOtlp(signal, part.own).items;
  return part;
}

class Delivery {
 public:
  Delivery(Signal signal, const Attempt& attempt) : signal_(signal), attempt_(attempt) {}

  DeliveryReport Run(const JournalBatch& batch) {
    Begin(batch);
    while (!parts_.empty()) {
      Part part = std::move(parts_.front());
      parts_.pop_front();
      if (!Handle(std::move(part))) return report_;
    }
    report_.is_settled = true;
    return report_;
  }

 private:
  void Begin(const JournalBatch& batch) {
    Part whole;
    for (const auto& record : batch.records) whole.items += record.items;
    whole.bytes = batch.requests;
    if (batch.records.size() == 1 && batch.records[0].rejected_items > 0) whole.own = WithoutRejectedItems(signal_, batch.requests);
    parts_.push_back(std::move(whole));
  }

  // False: abandoned.
  bool Handle(Part part) {
    const std::string_view bytes = part.own.empty() ? part.bytes : std::string_view(part.own);
    const Verdict verdict = attempt_(bytes);
    switch (verdict.kind) {
      case Verdict::Kind::kAbandoned: return false;
      case Verdict::Kind::kTaken: {
        refusals_ = 0;
        const int64_t rejected = std::min(verdict.rejected_items, part.items);
        report_.items.rejected += rejected;
        report_.items.sent += part.items - rejected;
        return true;
      }
      case Verdict::Kind::kTimeout: GiveUp(GiveUpReason::kTimeout, part.items); return true;
      case Verdict::Kind::kRefused: OnRefused(bytes, part.items, verdict); return true;
    }
    return true;
  }

  void OnRefused(std::string_view bytes, int64_t items, const Verdict& verdict) {
    report_.refusal = verdict.message;
    const GiveUpReason reason = verdict.is_too_large ? GiveUpReason::kTooLarge : GiveUpReason::kRefused;
    if (!verdict.is_too_large && ++refusals_ >= kMaxRefusalsInARow) {
      GiveUp(reason, items);
      for (const Part& rest : parts_) GiveUp(reason, rest.items);
      parts_.clear();
      return;
    }
    auto halves = items > 1 ? SplitOtlp(signal_, bytes) : std::nullopt;
    if (!halves) return GiveUp(reason, items);
    parts_.push_front(Owned(signal_, std::move(halves->second)));
    parts_.push_front(Owned(signal_, std::move(halves->first)));
  }

  void GiveUp(GiveUpReason reason, int64_t items) { report_.items.given_up[static_cast<size_t>(reason)] += items; }

  const Signal signal_;
  const Attempt& attempt_;
  std::deque<Part> parts_;  // in order
  int refusals_ = 0;        // in a row
  DeliveryReport report_;
};

}  // namespace

DeliveryReport Deliver(Signal signal, const JournalBatch& batch, const Attempt& attempt) { return Delivery(signal, attempt).Run(batch); }

}  // namespace otlp_arrow
