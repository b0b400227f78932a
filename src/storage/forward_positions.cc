#include "storage/forward_positions.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <iterator>
#include <numeric>
#include <utility>

#include "base/platform/platform.h"

namespace otlp_arrow {
namespace {

constexpr char kMagic[8] = {'O', 'T', 'L', 'P', 'F', 'W', 'D', '1'};

struct StoredState {
  uint64_t sequence;
  int64_t sent, rejected;
  int64_t given_up[kGiveUpReasonCount];
};
static_assert(sizeof(StoredState) == 64);

// Two states, of which one counts: the other one is filled, then takes over.
struct Lane {
  std::atomic<uint64_t> active;  // 0 or 1
  uint64_t unused[7];
  StoredState states[2];
};

struct Place {
  char name[ForwardPositions::kMaxNameBytes];  // filled up with zeros; free where it is empty
  Lane lanes[kSignalCount];
};
static_assert(sizeof(Place) == 64 + 3 * 192);

}  // namespace

struct ForwardPositions::Layout {
  char magic[8];
  uint64_t is_relay;
  uint64_t unused[6];
  Place places[kMaxDestinations];
};

ForwardPositions::Layout* ForwardPositions::layout() const { return reinterpret_cast<Layout*>(mapping_.data()); }

Result<std::unique_ptr<ForwardPositions>> ForwardPositions::Open(const std::string& writer_dir, bool is_relay) {
  using platform::SharedFile;
  const std::string path = PathIn(writer_dir);
  OTLP_ASSIGN_OR_RETURN(SharedFile file, SharedFile::OpenOrCreate(path, [is_relay](SharedFile* created) -> Status {
    OTLP_RETURN_NOT_OK(created->Reserve(0, sizeof(Layout)));
    OTLP_ASSIGN_OR_RETURN(auto mapping, created->Map(sizeof(Layout), SharedFile::Mode::kReadWrite));
    auto* layout = reinterpret_cast<Layout*>(mapping.data());
    std::memcpy(layout->magic, kMagic, sizeof(kMagic));
    layout->is_relay = is_relay ? 1 : 0;
    return Status::Ok();
  }));
  OTLP_ASSIGN_OR_RETURN(const uint64_t size, file.Size());
  if (size < sizeof(Layout)) return Status::Io("'" + path + "' has only " + std::to_string(size) + " bytes; move it away, and everything in its journal is sent again");
  OTLP_ASSIGN_OR_RETURN(auto mapping, file.Map(sizeof(Layout), SharedFile::Mode::kReadWrite));
  std::unique_ptr<ForwardPositions> positions(new ForwardPositions(std::move(mapping)));
  if (std::memcmp(positions->layout()->magic, kMagic, sizeof(kMagic)) != 0) {
    return Status::Io("'" + path + "' is no file of positions; move it away, and everything in its journal is sent again");
  }
  for (Place& place : positions->layout()->places) place.name[kMaxNameBytes - 1] = 0;
  return positions;
}

Result<size_t> ForwardPositions::PlaceOf(std::string_view name) {
  if (name.empty() || name.size() >= kMaxNameBytes || name.find('\0') != std::string_view::npos) {
    return Status::Config("the name of a destination has " + std::to_string(name.size()) + " bytes; allowed are 1 to " + std::to_string(kMaxNameBytes - 1));
  }
  for (size_t i = 0; i < kMaxDestinations; ++i) {
    Place& place = layout()->places[i];
    if (name == place.name) return i;
    if (place.name[0] != 0) continue;
    // The first byte last: a name that was begun when the process died is none.
    std::memcpy(place.name + 1, name.data() + 1, name.size() - 1);
    std::memset(static_cast<void*>(place.lanes), 0, sizeof(place.lanes));
    std::atomic_signal_fence(std::memory_order_seq_cst);
    place.name[0] = name[0];
    return i;
  }
  return Status::Config("a journal keeps the positions of at most " + std::to_string(kMaxDestinations) + " destinations; forward to fewer");
}

std::vector<std::string> ForwardPositions::names() const {
  std::vector<std::string> names;
  for (const Place& place : layout()->places) {
    if (place.name[0] != 0) names.emplace_back(place.name);
  }
  return names;
}

std::optional<size_t> ForwardPositions::Find(std::string_view name) const {
  for (size_t i = 0; i < kMaxDestinations; ++i) {
    if (!name.empty() && name == layout()->places[i].name) return i;
  }
  return std::nullopt;
}

namespace {

ForwardState StateOf(const Lane& lane) {
  const StoredState& stored = lane.states[lane.active.load(std::memory_order_acquire) & 1];
  ForwardState state{stored.sequence, stored.sent, stored.rejected, {}};
  std::copy(std::begin(stored.given_up), std::end(stored.given_up), state.given_up.begin());
  return state;
}

}  // namespace

ForwardState ForwardPositions::Get(size_t place, Signal signal) const {
  return StateOf(layout()->places[place].lanes[static_cast<size_t>(signal)]);
}

ForwardSnapshot ForwardPositions::SnapshotOf(const Layout& layout) {
  ForwardSnapshot snapshot;
  snapshot.is_relay = layout.is_relay != 0;
  for (const Place& place : layout.places) {
    if (place.name[0] == 0) continue;
    auto& [name, states] = snapshot.destinations.emplace_back();
    name.assign(place.name, ::strnlen(place.name, kMaxNameBytes));
    for (size_t s = 0; s < kSignalCount; ++s) states[s] = StateOf(place.lanes[s]);
  }
  return snapshot;
}

ForwardSnapshot ForwardPositions::Snapshot() const { return SnapshotOf(*layout()); }

std::optional<ForwardSnapshot> ForwardSnapshot::Take(const std::string& writer_dir) {
  using Layout = ForwardPositions::Layout;
  const std::string path = ForwardPositions::PathIn(writer_dir);
  if (!platform::Exists(path)) return std::nullopt;
  const auto bytes = platform::ReadFile(path, sizeof(Layout));
  if (!bytes.ok() || bytes->size() < sizeof(Layout) || std::memcmp(bytes->data(), kMagic, sizeof(kMagic)) != 0) return std::nullopt;
  const auto layout = std::make_unique<Layout>();
  std::memcpy(static_cast<void*>(layout.get()), bytes->data(), sizeof(Layout));
  return ForwardPositions::SnapshotOf(*layout);
}

bool ForwardSnapshot::HasUnsent(const StoredSequences& last) const {
  for (const auto& [name, states] : destinations) {
    for (size_t s = 0; s < kSignalCount; ++s) {
      if (states[s].sequence < last[s]) return true;
    }
  }
  return false;
}

DestinationLedgers ForwardSnapshot::Counts() const {
  DestinationLedgers counts;
  for (const auto& [name, states] : destinations) {
    auto& destination = counts[name];
    for (size_t s = 0; s < kSignalCount; ++s) {
      destination[s].sent = states[s].sent;
      destination[s].rejected = states[s].rejected;
      for (size_t r = 0; r < kGiveUpReasonCount; ++r) {
        const int64_t items = states[s].given_up[r];
        if (items != 0) destination[s].given_up[std::string(GiveUpReasonName(static_cast<GiveUpReason>(r)))] = items;
      }
    }
  }
  return counts;
}

void ForwardPositions::Set(size_t place, Signal signal, const ForwardState& state) {
  Lane& lane = layout()->places[place].lanes[static_cast<size_t>(signal)];
  const uint64_t next = (lane.active.load(std::memory_order_relaxed) & 1) ^ 1;
  StoredState& stored = lane.states[next];
  stored.sequence = state.sequence;
  stored.sent = state.sent;
  stored.rejected = state.rejected;
  std::copy(state.given_up.begin(), state.given_up.end(), stored.given_up);
  lane.active.store(next, std::memory_order_release);
}

bool ForwardPositions::is_relay() const { return layout()->is_relay != 0; }

bool ForwardPositions::ExistsIn(const std::string& writer_dir) { return platform::Exists(PathIn(writer_dir)); }

int64_t ForwardState::Items() const { return std::accumulate(given_up.begin(), given_up.end(), sent + rejected); }

}  // namespace otlp_arrow
