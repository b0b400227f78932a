// One ring as its consumer sees it: copies published records out, and gives up claims whose writers are gone.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "otlp_arrow/status.h"
#include "ring/file_view.h"
#include "ring/ring_reader.h"

namespace otlp_arrow::ring {

class RingInput {
 public:
  // `file` outlives it.
  RingInput(FileView* file, RingKind kind, const ReaderOptions& options);

  // As RingReader says.
  Result<std::span<const RecordView>> Poll(size_t most);
  bool HasData() const;
  void Advance(int64_t sequence);
  int64_t last_read() const { return next_ - 1; }
  uint64_t skipped() const { return skipped_; }

 private:
  enum class Step { kRead, kPassed, kWait };
  Step ReadNext();
  Step GiveUpIfDead(uint32_t observed, SlotState state);
  Step GiveUp(uint32_t observed);
  Step EmptySlot();
  bool TakeRecord();
  bool IsAlive(uint32_t writer) const;
  std::chrono::milliseconds Patience(SlotState state) const;

  FileView* file_;
  RingKind kind_;
  RingPlace ring_;
  std::shared_ptr<Clock> clock_;
  std::chrono::milliseconds claim_timeout_, foreign_claim_timeout_;
  int64_t next_;   // sequence number to be read next
  int64_t freed_;  // the file's reader_index
  uint64_t skipped_ = 0;

  // The claim that holds up the reading: which one, how its entry looked, and since when.
  int64_t waiting_for_ = -1;
  uint32_t waiting_entry_ = 0;
  Clock::SteadyTime waiting_since_{};

  struct Taken {
    int64_t sequence;
    size_t offset, size;
  };
  std::string bytes_;  // of the batch; records_ points into it
  std::vector<Taken> taken_;
  std::vector<RecordView> records_;
};

}  // namespace otlp_arrow::ring
