#include "otlp/scan.h"

#include "otlp/scan_items.h"

namespace otlp_arrow {
namespace {

using namespace scan;  // NOLINT: the parts of this scan

bool IsDataTag(uint32_t tag) {
  return tag == Tag(kGauge, wire::kLen) || tag == Tag(kSum, wire::kLen) || tag == Tag(kHistogram, wire::kLen) ||
         tag == Tag(kExponentialHistogram, wire::kLen) || tag == Tag(kSummary, wire::kLen);
}

bool IsLimit(ItemFault fault) { return fault == ItemFault::kTooManyAttributes || fault == ItemFault::kValueOverLimit; }

// Counts of one level of containers; a fault of the container itself rejects all that it holds.
struct Tally {
  int64_t items = 0;
  int64_t rejected = 0;
  ItemFault fault = ItemFault::kNone;
  bool over_limits = false;

  void AddItem(const Faults& faults) {
    if (faults.first == ItemFault::kNone) [[likely]] {
      ++items;
    } else {
      ++rejected;
      if (fault == ItemFault::kNone) fault = faults.first;
      over_limits |= IsLimit(faults.first);
    }
  }
  void AddContainer(const Tally& inner, const Faults& own) {
    const bool whole = own.first != ItemFault::kNone;
    items += whole ? 0 : inner.items;
    rejected += inner.rejected + (whole ? inner.items : 0);
    over_limits |= inner.over_limits || (inner.items > 0 && IsLimit(own.first));
    if (fault == ItemFault::kNone) fault = inner.fault != ItemFault::kNone ? inner.fault : (inner.items ? own.first : fault);
  }
};

// A request being scanned. Remembers how far the outer levels got, for the error message.
class RequestScan {
 public:
  RequestScan(Signal signal, const ScanLimits& limits) : signal_(signal), limits_(limits) {}

  bool Request(Cursor request, Tally* tally) {
    return ScanFields(request, [&](Cursor* c, uint32_t tag) {
      at_ = c->p;
      if (tag != Tag(1, wire::kLen)) return 0;
      return Known(ScanMessage(c, [&](Cursor body) { return ResourceContainer(body, tally); }));
    });
  }
  const uint8_t* at() const { return at_; }

 private:
  bool ResourceContainer(Cursor container, Tally* tally) {
    Tally inner;
    Faults own(limits_);
    const bool ok = ScanFields(container, [&](Cursor* c, uint32_t tag) {
      at_ = c->p;
      switch (tag) {
        case Tag(1, wire::kLen): return Known(ScanMessage(c, [&](Cursor body) { return ScanResourceMessage(body, &own); }));
        case Tag(2, wire::kLen): return Known(ScanMessage(c, [&](Cursor body) { return ScopeContainer(body, &inner); }));
        case Tag(3, wire::kLen): return Known(ScanText(c, &own));
        default: return 0;
      }
    });
    tally->AddContainer(inner, own);
    return ok;
  }

  bool ScopeContainer(Cursor container, Tally* tally) {
    Tally inner;
    Faults own(limits_);
    const bool ok = ScanFields(container, [&](Cursor* c, uint32_t tag) {
      at_ = c->p;
      switch (tag) {
        case Tag(1, wire::kLen): return Known(ScanMessage(c, [&](Cursor body) { return ScanScopeMessage(body, &own); }));
        case Tag(2, wire::kLen): return Known(ScanMessage(c, [&](Cursor body) { return Item(body, &inner); }));
        case Tag(3, wire::kLen): return Known(ScanText(c, &own));
        default: return 0;
      }
    });
    tally->AddContainer(inner, own);
    return ok;
  }

  bool Item(Cursor body, Tally* tally) {
    if (signal_ == Signal::kMetrics) return Metric(body, tally);
    Faults faults(limits_);
    const bool ok = signal_ == Signal::kTraces ? ScanSpan(body, &faults) : ScanLogRecord(body, &faults);
    tally->AddItem(faults);
    return ok;
  }

  bool Metric(Cursor metric, Tally* tally) {
    Tally inner;
    Faults own(limits_);
    uint32_t data_tag_so_far = 0, attributes = 0;
    const bool ok = ScanFields(metric, [&](Cursor* c, uint32_t tag) {
      if (IsDataTag(tag)) {
        // `data` is a oneof: another kind replaces what stood before.
        if (data_tag_so_far != tag) inner = Tally{};
        data_tag_so_far = tag;
        return Known(ScanMessage(c, [&](Cursor data) {
          return ScanFields(data, [&](Cursor* d, uint32_t data_tag) {
            if (data_tag != Tag(1, wire::kLen)) return 0;
            return Known(ScanMessage(d, [&](Cursor point) {
              Faults faults(limits_);
              const bool point_ok = ScanDataPoint(tag >> 3, point, &faults);
              inner.AddItem(faults);
              return point_ok;
            }));
          });
        }));
      }
      return MetricHeaderField(c, tag, &own, &attributes);
    });
    own.NoteCount(attributes);
    tally->AddContainer(inner, own);
    return ok;
  }

 public:
  static int MetricHeaderField(Cursor* c, uint32_t tag, Faults* faults, uint32_t* attributes) {
    switch (tag) {
      case Tag(1, wire::kLen):
      case Tag(2, wire::kLen):
      case Tag(3, wire::kLen): return Known(ScanText(c, faults));
      case Tag(12, wire::kLen): return Known(ScanAttribute(c, faults, attributes));
      default: return 0;
    }
  }

 private:
  Signal signal_;
  const ScanLimits& limits_;
  const uint8_t* at_ = nullptr;
};

}  // namespace

std::string_view ItemFaultName(ItemFault fault) {
  switch (fault) {
    case ItemFault::kNone: return "none";
    case ItemFault::kBadTraceId: return "bad_trace_id";
    case ItemFault::kBadSpanId: return "bad_span_id";
    case ItemFault::kBadUtf8: return "bad_utf8";
    case ItemFault::kTooDeep: return "too_deep";
    case ItemFault::kTooManyAttributes:
    case ItemFault::kValueOverLimit: return "limit";
  }
  return "unknown";
}

std::string ItemFaultMessage(ItemFault fault, const ScanLimits& limits) {
  switch (fault) {
    case ItemFault::kNone: return "";
    case ItemFault::kBadTraceId: return "a trace_id is not 16 bytes long";
    case ItemFault::kBadSpanId: return "a span_id is not 8 bytes long";
    case ItemFault::kBadUtf8: return "a text is not valid UTF-8; send binary data as bytes_value";
    case ItemFault::kTooDeep: return "an attribute value is nested more than 64 levels deep";
    case ItemFault::kTooManyAttributes:
      return "a list of attributes has more than " + std::to_string(limits.max_attributes) + " entries (limits.max_attributes)";
    case ItemFault::kValueOverLimit:
      return "an attribute value is nested more than " + std::to_string(limits.max_value_depth) + " levels deep (limits.max_value_depth)";
  }
  return "";
}

ScanResult ScanOtlp(Signal signal, std::string_view request, const ScanLimits& limits) {
  ScanResult result;
  RequestScan scan(signal, limits);
  Tally tally;
  result.ok = scan.Request(Cursor(request), &tally);
  if (!result.ok) {
    const auto* base = reinterpret_cast<const uint8_t*>(request.data());
    const auto at = scan.at() ? scan.at() - base : 0;
    result.error = "not a well-formed OTLP " + std::string(SignalName(signal)) + " request: the protobuf message of " +
                   std::to_string(request.size()) + " bytes is truncated or damaged in the field that starts at byte " +
                   std::to_string(at);
  }
  result.items = tally.items;
  result.rejected_items = tally.rejected;
  result.fault = tally.fault;
  result.over_limits = tally.over_limits;
  return result;
}

ItemFault CheckSpan(std::string_view item, const ScanLimits& limits) {
  Faults faults(limits);
  (void)ScanSpan(Cursor(item), &faults);
  return faults.first;
}

ItemFault CheckLogRecord(std::string_view item, const ScanLimits& limits) {
  Faults faults(limits);
  (void)ScanLogRecord(Cursor(item), &faults);
  return faults.first;
}

ItemFault CheckDataPoint(uint32_t data_field, std::string_view item, const ScanLimits& limits) {
  Faults faults(limits);
  (void)ScanDataPoint(data_field, Cursor(item), &faults);
  return faults.first;
}

ItemFault CheckContainer(Container container, std::string_view bytes, const ScanLimits& limits) {
  Faults faults(limits);
  uint32_t attributes = 0;
  (void)ScanFields(Cursor(bytes), [&](Cursor* c, uint32_t tag) {
    if (container == Container::kMetric) return RequestScan::MetricHeaderField(c, tag, &faults, &attributes);
    switch (tag) {
      case Tag(1, wire::kLen):
        return Known(ScanMessage(c, [&](Cursor body) {
          return container == Container::kResource ? ScanResourceMessage(body, &faults) : ScanScopeMessage(body, &faults);
        }));
      case Tag(3, wire::kLen): return Known(ScanText(c, &faults));
      default: return 0;
    }
  });
  faults.NoteCount(attributes);
  return faults.first;
}

}  // namespace otlp_arrow
