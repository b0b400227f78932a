// How far each destination has come in a journal, and what became of the items on the way: a small file beside the segments,
// mapped, so that it is safe from the death of the process as soon as it is set. docs/formats/journal.md
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/platform/shared_file.h"
#include "otlp_arrow/forwarding.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "storage/journal.h"
#include "storage/ledger.h"

namespace otlp_arrow {

// Of one destination and signal.
struct ForwardState {
  uint64_t sequence = 0;  // everything up to this record needs sending no more
  int64_t sent = 0;       // items, from here on
  int64_t rejected = 0;
  std::array<int64_t, kGiveUpReasonCount> given_up{};

  int64_t Items() const;  // the sum
};

// The positions of a writer's directory at one moment, for those who only look.
struct ForwardSnapshot {
  bool is_relay = false;  // nothing of the journal is to be stored
  std::vector<std::pair<std::string, std::array<ForwardState, kSignalCount>>> destinations;

  // nullopt where the directory has none, or none that can be read.
  static std::optional<ForwardSnapshot> Take(const std::string& writer_dir);
  // Has any of them not settled the last records of the journal?
  bool HasUnsent(const StoredSequences& last) const;
  DestinationLedgers Counts() const;
};

// Thread-safe; the state of one destination and signal is set by one thread at a time.
class ForwardPositions {
 public:
  static constexpr size_t kMaxDestinations = 32;
  static constexpr size_t kMaxNameBytes = 64;

  // Opens the file of a writer's directory, or creates it. `is_relay` is written into a new one: nothing of this journal is to be
  // stored. Errors: kIo.
  static Result<std::unique_ptr<ForwardPositions>> Open(const std::string& writer_dir, bool is_relay = false);
  static std::string PathIn(const std::string& writer_dir) { return writer_dir + "/forwarded"; }
  static bool ExistsIn(const std::string& writer_dir);

  bool is_relay() const;

  // The place of a destination, which is made where there is none, beginning at zeros. Errors: kConfig: the name is empty or too
  // long, or there are too many.
  Result<size_t> PlaceOf(std::string_view name);
  std::optional<size_t> Find(std::string_view name) const;
  // Those that have a place, which is the index.
  std::vector<std::string> names() const;

  ForwardSnapshot Snapshot() const;
  ForwardState Get(size_t place, Signal signal) const;
  // A crash leaves the old state or the new one, whole.
  void Set(size_t place, Signal signal, const ForwardState& state);

 private:
  friend struct ForwardSnapshot;
  struct Layout;
  static ForwardSnapshot SnapshotOf(const Layout& layout);
  explicit ForwardPositions(platform::Mapping mapping) : mapping_(std::move(mapping)) {}
  Layout* layout() const;

  platform::Mapping mapping_;
};

}  // namespace otlp_arrow
