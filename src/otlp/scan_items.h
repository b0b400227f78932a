// The parts of the validating scan: what is checked within one item or container. scan.cc walks the request around them.
#pragma once

#include <cstdint>

#include "otlp/scan.h"
#include "otlp/wire.h"

namespace otlp_arrow::scan {

using wire::Cursor;
using wire::Tag;

// What one item (or container) turned out to have wrong; the first fault stays.
struct Faults {
  explicit Faults(const ScanLimits& what_is_allowed) : limits(what_is_allowed) {}

  void Note(ItemFault fault) {
    if (first == ItemFault::kNone) first = fault;
  }
  void NoteCount(uint32_t attributes) {
    if (attributes > limits.max_attributes) [[unlikely]] Note(ItemFault::kTooManyAttributes);
  }

  const ScanLimits& limits;
  ItemFault first = ItemFault::kNone;
};

// Field numbers of the kinds of data in a Metric.
enum DataField : uint32_t { kGauge = 5, kSum = 7, kHistogram = 9, kExponentialHistogram = 10, kSummary = 11 };

// Each Scan… function returns false where the framing is broken; content faults go to `faults`.

bool ScanText(Cursor* c, Faults* faults);
// Adds one to `count`, for the limit of their list.
bool ScanAttribute(Cursor* c, Faults* faults, uint32_t* count);
bool ScanResourceMessage(Cursor resource, Faults* faults);
bool ScanScopeMessage(Cursor scope, Faults* faults);
bool ScanSpan(Cursor span, Faults* faults);
bool ScanLogRecord(Cursor record, Faults* faults);
// `data_field` is the number of the Metric field that the point came from.
bool ScanDataPoint(uint32_t data_field, Cursor point, Faults* faults);

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
inline int Known(bool ok) { return ok ? 1 : -1; }

}  // namespace otlp_arrow::scan
