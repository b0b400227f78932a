#include "otlp/scan.h"

#include <simdjson.h>

#include "otlp/wire.h"

namespace otlp_arrow {
namespace {

using wire::Cursor;
using wire::Tag;

// What one item (or container) turned out to have wrong; the first fault stays.
struct Faults {
  ItemFault first = ItemFault::kNone;
  void Note(ItemFault fault) {
    if (first == ItemFault::kNone) first = fault;
  }
};

// Each Scan… function returns false where the framing is broken; content faults go to `faults`.

bool ScanText(Cursor* c, Faults* faults) {
  Cursor text(nullptr, nullptr);
  if (!wire::ReadLen(c, &text)) return false;
  if (!wire::IsAscii(text.p, text.left()) && !simdjson::validate_utf8(reinterpret_cast<const char*>(text.p), text.left())) {
    faults->Note(ItemFault::kBadUtf8);
  }
  return true;
}

bool ScanId(Cursor* c, size_t size, ItemFault fault, Faults* faults) {
  Cursor id(nullptr, nullptr);
  if (!wire::ReadLen(c, &id)) return false;
  if (id.left() != size && id.left() != 0) faults->Note(fault);
  return true;
}
bool ScanTraceId(Cursor* c, Faults* faults) { return ScanId(c, 16, ItemFault::kBadTraceId, faults); }
bool ScanSpanId(Cursor* c, Faults* faults) { return ScanId(c, 8, ItemFault::kBadSpanId, faults); }

// A length-delimited field whose content is another message.
template <class ScanBody>
bool ScanMessage(Cursor* c, ScanBody scan_body) {
  Cursor body(nullptr, nullptr);
  return wire::ReadLen(c, &body) && scan_body(body);
}

// Reads fields until the end; `scan_field(cursor, tag)` returns 1: field read, 0: not one it knows, -1: broken.
template <class ScanField>
bool ScanFields(Cursor c, ScanField scan_field) {
  while (!c.done()) {
    uint32_t tag;
    if (!wire::ReadTag(&c, &tag)) return false;
    const int outcome = scan_field(&c, tag);
    if (outcome < 0 || (outcome == 0 && !wire::SkipValue(&c, tag))) return false;
  }
  return true;
}
int Known(bool ok) { return ok ? 1 : -1; }

bool ScanKeyValue(Cursor c, int depth, Faults* faults);

bool ScanAnyValue(Cursor value, int depth, Faults* faults) {
  if (depth > kMaxValueDepth) {
    faults->Note(ItemFault::kTooDeep);
    return true;
  }
  return ScanFields(value, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(1, wire::kLen): return Known(ScanText(c, faults));
      case Tag(5, wire::kLen):
        return Known(ScanMessage(c, [&](Cursor array) {
          return ScanFields(array, [&](Cursor* a, uint32_t element_tag) {
            if (element_tag != Tag(1, wire::kLen)) return 0;
            return Known(ScanMessage(a, [&](Cursor element) { return ScanAnyValue(element, depth + 1, faults); }));
          });
        }));
      case Tag(6, wire::kLen):
        return Known(ScanMessage(c, [&](Cursor list) {
          return ScanFields(list, [&](Cursor* l, uint32_t entry_tag) {
            if (entry_tag != Tag(1, wire::kLen)) return 0;
            return Known(ScanMessage(l, [&](Cursor entry) { return ScanKeyValue(entry, depth + 1, faults); }));
          });
        }));
      default: return 0;
    }
  });
}

bool ScanKeyValue(Cursor entry, int depth, Faults* faults) {
  return ScanFields(entry, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(1, wire::kLen): return Known(ScanText(c, faults));
      case Tag(2, wire::kLen): return Known(ScanMessage(c, [&](Cursor value) { return ScanAnyValue(value, depth, faults); }));
      default: return 0;
    }
  });
}

// One attribute. Nearly all are ASCII with a short key and a short scalar or string: those need no more than this look
// at their framing.
bool ScanAttribute(Cursor* c, Faults* faults) {
  Cursor entry(nullptr, nullptr);
  if (!wire::ReadLen(c, &entry)) return false;
  const uint8_t* p = entry.p;
  const size_t n = entry.left();
  if (n >= 6 && n < 128 && p[0] == Tag(1, wire::kLen)) {
    const size_t value_at = 2u + p[1];
    if (p[1] < 0x80 && value_at + 4 <= n && p[value_at] == Tag(2, wire::kLen) && p[value_at + 1] == n - value_at - 2) {
      const uint8_t* value = p + value_at + 2;
      const size_t size = n - value_at - 2;
      const bool is_string = value[0] == Tag(1, wire::kLen) && value[1] == size - 2;
      const bool is_double = value[0] == Tag(4, wire::kFixed64) && size == 9;
      const bool is_small = (value[0] == Tag(3, wire::kVarint) || value[0] == Tag(2, wire::kVarint)) &&
                            ((size == 2 && value[1] < 0x80) || (size == 3 && value[1] >= 0x80 && value[2] < 0x80));
      if (is_string && wire::IsAscii(p, n)) return true;
      if ((is_double || is_small) && wire::IsAscii(p, value_at)) return true;
    }
  }
  return ScanKeyValue(entry, 0, faults);
}

bool ScanEntityRef(Cursor ref, Faults* faults) {
  return ScanFields(ref, [&](Cursor* c, uint32_t tag) {
    if ((tag & 7) != wire::kLen || tag > Tag(4, wire::kLen)) return 0;
    return Known(ScanText(c, faults));
  });
}

bool ScanResourceMessage(Cursor resource, Faults* faults) {
  return ScanFields(resource, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(1, wire::kLen): return Known(ScanAttribute(c, faults));
      case Tag(3, wire::kLen): return Known(ScanMessage(c, [&](Cursor ref) { return ScanEntityRef(ref, faults); }));
      default: return 0;
    }
  });
}

bool ScanScopeMessage(Cursor scope, Faults* faults) {
  return ScanFields(scope, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(1, wire::kLen):
      case Tag(2, wire::kLen): return Known(ScanText(c, faults));
      case Tag(3, wire::kLen): return Known(ScanAttribute(c, faults));
      default: return 0;
    }
  });
}

bool ScanEvent(Cursor event, Faults* faults) {
  return ScanFields(event, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(2, wire::kLen): return Known(ScanText(c, faults));
      case Tag(3, wire::kLen): return Known(ScanAttribute(c, faults));
      default: return 0;
    }
  });
}

bool ScanLink(Cursor link, Faults* faults) {
  return ScanFields(link, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(1, wire::kLen): return Known(ScanTraceId(c, faults));
      case Tag(2, wire::kLen): return Known(ScanSpanId(c, faults));
      case Tag(3, wire::kLen): return Known(ScanText(c, faults));
      case Tag(4, wire::kLen): return Known(ScanAttribute(c, faults));
      default: return 0;
    }
  });
}

bool ScanStatus(Cursor status, Faults* faults) {
  return ScanFields(status, [&](Cursor* c, uint32_t tag) {
    return tag == Tag(2, wire::kLen) ? Known(ScanText(c, faults)) : 0;
  });
}

bool ScanSpan(Cursor span, Faults* faults) {
  return ScanFields(span, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(9, wire::kLen): return Known(ScanAttribute(c, faults));
      case Tag(1, wire::kLen): return Known(ScanTraceId(c, faults));
      case Tag(2, wire::kLen):
      case Tag(4, wire::kLen): return Known(ScanSpanId(c, faults));
      case Tag(3, wire::kLen):
      case Tag(5, wire::kLen): return Known(ScanText(c, faults));
      case Tag(11, wire::kLen): return Known(ScanMessage(c, [&](Cursor event) { return ScanEvent(event, faults); }));
      case Tag(13, wire::kLen): return Known(ScanMessage(c, [&](Cursor link) { return ScanLink(link, faults); }));
      case Tag(15, wire::kLen): return Known(ScanMessage(c, [&](Cursor status) { return ScanStatus(status, faults); }));
      default: return 0;
    }
  });
}

bool ScanLogRecord(Cursor record, Faults* faults) {
  return ScanFields(record, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(6, wire::kLen): return Known(ScanAttribute(c, faults));
      case Tag(3, wire::kLen):
      case Tag(12, wire::kLen): return Known(ScanText(c, faults));
      case Tag(5, wire::kLen): return Known(ScanMessage(c, [&](Cursor body) { return ScanAnyValue(body, 0, faults); }));
      case Tag(9, wire::kLen): return Known(ScanTraceId(c, faults));
      case Tag(10, wire::kLen): return Known(ScanSpanId(c, faults));
      default: return 0;
    }
  });
}

bool ScanExemplar(Cursor exemplar, Faults* faults) {
  return ScanFields(exemplar, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(7, wire::kLen): return Known(ScanAttribute(c, faults));
      case Tag(4, wire::kLen): return Known(ScanSpanId(c, faults));
      case Tag(5, wire::kLen): return Known(ScanTraceId(c, faults));
      default: return 0;
    }
  });
}

// Packed numbers must fill their field exactly.
bool ScanPackedFixed64(Cursor* c) {
  Cursor body(nullptr, nullptr);
  return wire::ReadLen(c, &body) && body.left() % 8 == 0;
}

bool ScanPackedVarints(Cursor* c) {
  Cursor body(nullptr, nullptr);
  if (!wire::ReadLen(c, &body)) return false;
  uint64_t value;
  while (!body.done()) {
    if (!wire::ReadVarint(&body, &value)) return false;
  }
  return true;
}

bool ScanFieldsOnly(Cursor message) {
  return ScanFields(message, [](Cursor*, uint32_t) { return 0; });
}

bool ScanBuckets(Cursor buckets) {
  return ScanFields(buckets, [&](Cursor* c, uint32_t tag) {
    return tag == Tag(2, wire::kLen) ? Known(ScanPackedVarints(c)) : 0;
  });
}

// Field numbers of the kinds of data in a Metric.
enum DataField : uint32_t { kGauge = 5, kSum = 7, kHistogram = 9, kExponentialHistogram = 10, kSummary = 11 };

bool ScanDataPoint(uint32_t data_field, Cursor point, Faults* faults) {
  auto attribute = [&](Cursor* c) { return Known(ScanAttribute(c, faults)); };
  auto exemplar = [&](Cursor* c) { return Known(ScanMessage(c, [&](Cursor body) { return ScanExemplar(body, faults); })); };
  switch (data_field) {
    case kGauge:
    case kSum:
      return ScanFields(point, [&](Cursor* c, uint32_t tag) {
        if (tag == Tag(7, wire::kLen)) return attribute(c);
        return tag == Tag(5, wire::kLen) ? exemplar(c) : 0;
      });
    case kHistogram:
      return ScanFields(point, [&](Cursor* c, uint32_t tag) {
        switch (tag) {
          case Tag(9, wire::kLen): return attribute(c);
          case Tag(8, wire::kLen): return exemplar(c);
          case Tag(6, wire::kLen):
          case Tag(7, wire::kLen): return Known(ScanPackedFixed64(c));
          default: return 0;
        }
      });
    case kExponentialHistogram:
      return ScanFields(point, [&](Cursor* c, uint32_t tag) {
        switch (tag) {
          case Tag(1, wire::kLen): return attribute(c);
          case Tag(11, wire::kLen): return exemplar(c);
          case Tag(8, wire::kLen):
          case Tag(9, wire::kLen): return Known(ScanMessage(c, ScanBuckets));
          default: return 0;
        }
      });
    case kSummary:
      return ScanFields(point, [&](Cursor* c, uint32_t tag) {
        if (tag == Tag(7, wire::kLen)) return attribute(c);
        return tag == Tag(6, wire::kLen) ? Known(ScanMessage(c, ScanFieldsOnly)) : 0;
      });
    default: return ScanFieldsOnly(point);
  }
}

bool IsDataTag(uint32_t tag) {
  return tag == Tag(kGauge, wire::kLen) || tag == Tag(kSum, wire::kLen) || tag == Tag(kHistogram, wire::kLen) ||
         tag == Tag(kExponentialHistogram, wire::kLen) || tag == Tag(kSummary, wire::kLen);
}

// Counts of one level of containers; a fault of the container itself rejects all that it holds.
struct Tally {
  int64_t items = 0;
  int64_t rejected = 0;
  ItemFault fault = ItemFault::kNone;

  void AddItem(const Faults& faults) {
    if (faults.first == ItemFault::kNone) [[likely]] {
      ++items;
    } else {
      ++rejected;
      if (fault == ItemFault::kNone) fault = faults.first;
    }
  }
  void AddContainer(const Tally& inner, const Faults& own) {
    const bool whole = own.first != ItemFault::kNone;
    items += whole ? 0 : inner.items;
    rejected += inner.rejected + (whole ? inner.items : 0);
    if (fault == ItemFault::kNone) fault = inner.fault != ItemFault::kNone ? inner.fault : (inner.items ? own.first : fault);
  }
};

// A request being scanned. Remembers how far the outer levels got, for the error message.
class RequestScan {
 public:
  explicit RequestScan(Signal signal) : signal_(signal) {}

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
    Faults own;
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
    Faults own;
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
    Faults faults;
    const bool ok = signal_ == Signal::kTraces ? ScanSpan(body, &faults) : ScanLogRecord(body, &faults);
    tally->AddItem(faults);
    return ok;
  }

  bool Metric(Cursor metric, Tally* tally) {
    Tally inner;
    Faults own;
    uint32_t data_tag_so_far = 0;
    const bool ok = ScanFields(metric, [&](Cursor* c, uint32_t tag) {
      if (IsDataTag(tag)) {
        // `data` is a oneof: another kind replaces what stood before.
        if (data_tag_so_far != tag) inner = Tally{};
        data_tag_so_far = tag;
        return Known(ScanMessage(c, [&](Cursor data) {
          return ScanFields(data, [&](Cursor* d, uint32_t data_tag) {
            if (data_tag != Tag(1, wire::kLen)) return 0;
            return Known(ScanMessage(d, [&](Cursor point) {
              Faults faults;
              const bool point_ok = ScanDataPoint(tag >> 3, point, &faults);
              inner.AddItem(faults);
              return point_ok;
            }));
          });
        }));
      }
      return MetricHeaderField(c, tag, &own);
    });
    tally->AddContainer(inner, own);
    return ok;
  }

 public:
  static int MetricHeaderField(Cursor* c, uint32_t tag, Faults* faults) {
    switch (tag) {
      case Tag(1, wire::kLen):
      case Tag(2, wire::kLen):
      case Tag(3, wire::kLen): return Known(ScanText(c, faults));
      case Tag(12, wire::kLen): return Known(ScanAttribute(c, faults));
      default: return 0;
    }
  }

 private:
  Signal signal_;
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
  }
  return "unknown";
}

std::string_view ItemFaultMessage(ItemFault fault) {
  switch (fault) {
    case ItemFault::kNone: return "";
    case ItemFault::kBadTraceId: return "a trace_id is not 16 bytes long";
    case ItemFault::kBadSpanId: return "a span_id is not 8 bytes long";
    case ItemFault::kBadUtf8: return "a text is not valid UTF-8; send binary data as bytes_value";
    case ItemFault::kTooDeep: return "an attribute value is nested more than 64 levels deep";
  }
  return "";
}

ScanResult ScanOtlp(Signal signal, std::string_view request) {
  ScanResult result;
  RequestScan scan(signal);
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
  return result;
}

ItemFault CheckSpan(std::string_view item) {
  Faults faults;
  (void)ScanSpan(Cursor(item), &faults);
  return faults.first;
}

ItemFault CheckLogRecord(std::string_view item) {
  Faults faults;
  (void)ScanLogRecord(Cursor(item), &faults);
  return faults.first;
}

ItemFault CheckDataPoint(uint32_t data_field, std::string_view item) {
  Faults faults;
  (void)ScanDataPoint(data_field, Cursor(item), &faults);
  return faults.first;
}

ItemFault CheckContainer(Container container, std::string_view bytes) {
  Faults faults;
  (void)ScanFields(Cursor(bytes), [&](Cursor* c, uint32_t tag) {
    if (container == Container::kMetric) return RequestScan::MetricHeaderField(c, tag, &faults);
    switch (tag) {
      case Tag(1, wire::kLen):
        return Known(ScanMessage(c, [&](Cursor body) {
          return container == Container::kResource ? ScanResourceMessage(body, &faults) : ScanScopeMessage(body, &faults);
        }));
      case Tag(3, wire::kLen): return Known(ScanText(c, &faults));
      default: return 0;
    }
  });
  return faults.first;
}

}  // namespace otlp_arrow
