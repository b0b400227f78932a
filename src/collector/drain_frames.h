// The frames of a collector's state log, as protobuf messages.
#pragma once

#include <cstdint>

namespace otlp_arrow {

// What a frame tells of: how things stood, or what was about to be handed on.
enum FrameKind : uint32_t { kSnapshotFrame = 0, kBatchFrame = 1, kMetricsFrame = 2, kDeadFrame = 3 };

struct FrameField {
  enum : uint32_t {
    kKind = 1,
    kFileTime = 2,        // fixed64: of the ring file, whose state this is
    kBefore = 3,          // sequence number + 1, one for each ring
    kAfter = 4,           // the same
    kSplit = 5,           // events up to it (+ 1) were there before the spans were read
    kLastCollection = 6,  // fixed64, nanoseconds since 1970
    kSpan = 7,            // spans that are open, as they are now
    kEndedSpan = 8,       // keys of those that no longer are
    kStream = 9,          // StreamField
    kTakenEvent = 10,     // sequence numbers behind `after` that are taken already
  };
};
struct StreamField {
  enum : uint32_t { kMetric = 1, kStart = 2, kSeries = 3 };
};

}  // namespace otlp_arrow
