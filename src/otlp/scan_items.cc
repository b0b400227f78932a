#include "otlp/scan_items.h"

#include <simdjson.h>

namespace otlp_arrow::scan {

bool ScanText(Cursor* c, Faults* faults) {
  Cursor text(nullptr, nullptr);
  if (!wire::ReadLen(c, &text)) return false;
  if (!wire::IsAscii(text.p, text.left()) && !simdjson::validate_utf8(reinterpret_cast<const char*>(text.p), text.left())) {
    faults->Note(ItemFault::kBadUtf8);
  }
  return true;
}

namespace {

bool ScanId(Cursor* c, size_t size, ItemFault fault, Faults* faults) {
  Cursor id(nullptr, nullptr);
  if (!wire::ReadLen(c, &id)) return false;
  if (id.left() != size && id.left() != 0) faults->Note(fault);
  return true;
}
bool ScanTraceId(Cursor* c, Faults* faults) { return ScanId(c, 16, ItemFault::kBadTraceId, faults); }
bool ScanSpanId(Cursor* c, Faults* faults) { return ScanId(c, 8, ItemFault::kBadSpanId, faults); }

bool ScanKeyValue(Cursor c, int depth, Faults* faults);

bool ScanAnyValue(Cursor value, int depth, Faults* faults) {
  if (depth > faults->limits.max_value_depth) [[unlikely]] {
    faults->Note(depth > kMaxValueDepth ? ItemFault::kTooDeep : ItemFault::kValueOverLimit);
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

}  // namespace

// One attribute. Nearly all are ASCII with a short key and a short scalar or string: those need no more than this look
// at their framing.
bool ScanAttribute(Cursor* c, Faults* faults, uint32_t* count) {
  ++*count;
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

namespace {

bool ScanEntityRef(Cursor ref, Faults* faults) {
  return ScanFields(ref, [&](Cursor* c, uint32_t tag) {
    if ((tag & 7) != wire::kLen || tag > Tag(4, wire::kLen)) return 0;
    return Known(ScanText(c, faults));
  });
}

}  // namespace

bool ScanResourceMessage(Cursor resource, Faults* faults) {
  uint32_t attributes = 0;
  const bool ok = ScanFields(resource, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(1, wire::kLen): return Known(ScanAttribute(c, faults, &attributes));
      case Tag(3, wire::kLen): return Known(ScanMessage(c, [&](Cursor ref) { return ScanEntityRef(ref, faults); }));
      default: return 0;
    }
  });
  faults->NoteCount(attributes);
  return ok;
}

bool ScanScopeMessage(Cursor scope, Faults* faults) {
  uint32_t attributes = 0;
  const bool ok = ScanFields(scope, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(1, wire::kLen):
      case Tag(2, wire::kLen): return Known(ScanText(c, faults));
      case Tag(3, wire::kLen): return Known(ScanAttribute(c, faults, &attributes));
      default: return 0;
    }
  });
  faults->NoteCount(attributes);
  return ok;
}

namespace {

bool ScanEvent(Cursor event, Faults* faults) {
  uint32_t attributes = 0;
  const bool ok = ScanFields(event, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(2, wire::kLen): return Known(ScanText(c, faults));
      case Tag(3, wire::kLen): return Known(ScanAttribute(c, faults, &attributes));
      default: return 0;
    }
  });
  faults->NoteCount(attributes);
  return ok;
}

bool ScanLink(Cursor link, Faults* faults) {
  uint32_t attributes = 0;
  const bool ok = ScanFields(link, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(1, wire::kLen): return Known(ScanTraceId(c, faults));
      case Tag(2, wire::kLen): return Known(ScanSpanId(c, faults));
      case Tag(3, wire::kLen): return Known(ScanText(c, faults));
      case Tag(4, wire::kLen): return Known(ScanAttribute(c, faults, &attributes));
      default: return 0;
    }
  });
  faults->NoteCount(attributes);
  return ok;
}

bool ScanStatus(Cursor status, Faults* faults) {
  return ScanFields(status, [&](Cursor* c, uint32_t tag) {
    return tag == Tag(2, wire::kLen) ? Known(ScanText(c, faults)) : 0;
  });
}

}  // namespace

bool ScanSpan(Cursor span, Faults* faults) {
  uint32_t attributes = 0;
  const bool ok = ScanFields(span, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(9, wire::kLen): return Known(ScanAttribute(c, faults, &attributes));
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
  faults->NoteCount(attributes);
  return ok;
}

bool ScanLogRecord(Cursor record, Faults* faults) {
  uint32_t attributes = 0;
  const bool ok = ScanFields(record, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(6, wire::kLen): return Known(ScanAttribute(c, faults, &attributes));
      case Tag(3, wire::kLen):
      case Tag(12, wire::kLen): return Known(ScanText(c, faults));
      case Tag(5, wire::kLen): return Known(ScanMessage(c, [&](Cursor body) { return ScanAnyValue(body, 0, faults); }));
      case Tag(9, wire::kLen): return Known(ScanTraceId(c, faults));
      case Tag(10, wire::kLen): return Known(ScanSpanId(c, faults));
      default: return 0;
    }
  });
  faults->NoteCount(attributes);
  return ok;
}

namespace {

bool ScanExemplar(Cursor exemplar, Faults* faults) {
  uint32_t attributes = 0;
  const bool ok = ScanFields(exemplar, [&](Cursor* c, uint32_t tag) {
    switch (tag) {
      case Tag(7, wire::kLen): return Known(ScanAttribute(c, faults, &attributes));
      case Tag(4, wire::kLen): return Known(ScanSpanId(c, faults));
      case Tag(5, wire::kLen): return Known(ScanTraceId(c, faults));
      default: return 0;
    }
  });
  faults->NoteCount(attributes);
  return ok;
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

}  // namespace

bool ScanDataPoint(uint32_t data_field, Cursor point, Faults* faults) {
  uint32_t attributes = 0;
  const auto scan_fields = [&](auto scan_field) {
    const bool ok = ScanFields(point, scan_field);
    faults->NoteCount(attributes);
    return ok;
  };
  auto attribute = [&](Cursor* c) { return Known(ScanAttribute(c, faults, &attributes)); };
  auto exemplar = [&](Cursor* c) { return Known(ScanMessage(c, [&](Cursor body) { return ScanExemplar(body, faults); })); };
  switch (data_field) {
    case kGauge:
    case kSum:
      return scan_fields([&](Cursor* c, uint32_t tag) {
        if (tag == Tag(7, wire::kLen)) return attribute(c);
        return tag == Tag(5, wire::kLen) ? exemplar(c) : 0;
      });
    case kHistogram:
      return scan_fields([&](Cursor* c, uint32_t tag) {
        switch (tag) {
          case Tag(9, wire::kLen): return attribute(c);
          case Tag(8, wire::kLen): return exemplar(c);
          case Tag(6, wire::kLen):
          case Tag(7, wire::kLen): return Known(ScanPackedFixed64(c));
          default: return 0;
        }
      });
    case kExponentialHistogram:
      return scan_fields([&](Cursor* c, uint32_t tag) {
        switch (tag) {
          case Tag(1, wire::kLen): return attribute(c);
          case Tag(11, wire::kLen): return exemplar(c);
          case Tag(8, wire::kLen):
          case Tag(9, wire::kLen): return Known(ScanMessage(c, ScanBuckets));
          default: return 0;
        }
      });
    case kSummary:
      return scan_fields([&](Cursor* c, uint32_t tag) {
        if (tag == Tag(7, wire::kLen)) return attribute(c);
        return tag == Tag(6, wire::kLen) ? Known(ScanMessage(c, ScanFieldsOnly)) : 0;
      });
    default: return ScanFieldsOnly(point);
  }
}

}  // namespace otlp_arrow::scan
