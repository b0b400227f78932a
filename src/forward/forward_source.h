// A journal as forwarding sees it: a live one, which a pipeline writes to, or one that a dead process left.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "otlp_arrow/signal.h"
#include "storage/forward_positions.h"
#include "storage/journal.h"

namespace otlp_arrow {

// Thread-safe. The calls come from threads of the forwarder that hold none of its locks.
class ForwardSource {
 public:
  struct End {
    uint64_t last_sequence = 0;  // of the newest record of the signal
    int64_t items = 0;           // valid ones of all records of the signal, since the journal began
    uint64_t bytes = 0;          // of all requests of the signal, since the journal began
  };

  virtual ~ForwardSource() = default;

  virtual const std::string& writer() const = 0;  // its id
  virtual ForwardPositions& positions() = 0;
  // Nothing more will be appended; and data of others that are live waits until this one is sent.
  virtual bool is_left_over() const = 0;

  // How far it goes now.
  virtual End GetEnd(Signal signal) const = 0;
  // The segments from number `first` on, oldest first, as they are now. What they hold stays until it is forwarded.
  virtual std::vector<JournalSegment> SegmentsFrom(uint64_t first) const = 0;
  // What stands before this segment is to be given up (kBacklogFull): 0 for nothing.
  virtual uint64_t give_up_before() const = 0;

  // A destination's position has moved: DoneUpTo may have.
  virtual void OnProgress() = 0;
};

}  // namespace otlp_arrow
