#include "storage/forward_positions.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

namespace otlp_arrow {
namespace {

constexpr char kMagic[8] = {'O', 'T', 'L', 'P', 'F', 'W', 'D', '1'};

struct Place {
  char name[ForwardPositions::kMaxNameBytes];  // filled up with zeros; free where it is empty
  std::atomic<uint64_t> sequences[kSignalCount];
  uint64_t unused[8 - kSignalCount];
};
static_assert(sizeof(Place) == 128);

}  // namespace

struct ForwardPositions::Layout {
  char magic[8];
  uint64_t unused[7];
  Place places[kMaxDestinations];
};

ForwardPositions::Layout* ForwardPositions::layout() const { return reinterpret_cast<Layout*>(mapping_.data()); }

Result<std::unique_ptr<ForwardPositions>> ForwardPositions::Open(const std::string& writer_dir) {
  using platform::SharedFile;
  const std::string path = PathIn(writer_dir);
  OTLP_ASSIGN_OR_RETURN(SharedFile file, SharedFile::OpenOrCreate(path, [](SharedFile* created) -> Status {
    OTLP_RETURN_NOT_OK(created->Reserve(0, sizeof(Layout)));
    OTLP_ASSIGN_OR_RETURN(auto mapping, created->Map(sizeof(Layout), SharedFile::Mode::kReadWrite));
    std::memcpy(mapping.data(), kMagic, sizeof(kMagic));
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
    for (auto& sequence : place.sequences) sequence.store(0, std::memory_order_relaxed);
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

StoredSequences ForwardPositions::Get(size_t place) const {
  StoredSequences sequences{};
  for (size_t s = 0; s < kSignalCount; ++s) sequences[s] = layout()->places[place].sequences[s].load(std::memory_order_relaxed);
  return sequences;
}

void ForwardPositions::Set(size_t place, Signal signal, uint64_t sequence) {
  layout()->places[place].sequences[static_cast<size_t>(signal)].store(sequence, std::memory_order_relaxed);
}

}  // namespace otlp_arrow
