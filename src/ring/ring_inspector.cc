#include <algorithm>
#include <utility>

#include "ring/file_view.h"
#include "ring/ring_reader.h"
#include "ring/varint.h"

namespace otlp_arrow::ring {

class RingInspector::Impl {
 public:
  std::unique_ptr<FileView> file;
};

Result<std::unique_ptr<RingInspector>> RingInspector::Open(const std::string& path) {
  OTLP_ASSIGN_OR_RETURN(auto file, FileView::Open(path, platform::SharedFile::Mode::kRead));
  auto impl = std::make_unique<Impl>();
  impl->file = std::move(file);
  return std::unique_ptr<RingInspector>(new RingInspector(std::move(impl)));
}

RingInspector::RingInspector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RingInspector::~RingInspector() = default;

namespace {

// A writer may be at the slot: its entry is looked at before and after.
RingInspector::Slot LookAt(const RingPlace& ring, int64_t sequence, int64_t read) {
  RingInspector::Slot slot;
  slot.sequence = sequence;
  slot.read = sequence <= read;
  const uint32_t lap = ring.Lap(sequence);
  const uint32_t before = ring.AvailabilityOf(sequence).load(std::memory_order_acquire);
  slot.state = StateOf(before, lap);
  if (slot.state == SlotState::kMarked) slot.writer = WriterOfMark(before, lap);
  if (slot.state != SlotState::kPublished) return slot;
  const auto record = ReadDelimited({reinterpret_cast<const char*>(ring.SlotOf(sequence)), ring.slot_bytes});
  if (record) slot.bytes = *record;
  std::atomic_thread_fence(std::memory_order_acquire);
  if (!record || ring.AvailabilityOf(sequence).load(std::memory_order_relaxed) != before) {
    slot.bytes.clear();
    slot.state = SlotState::kUnknown;
  }
  return slot;
}

}  // namespace

std::vector<RingInspector::Slot> RingInspector::LastSlots(RingKind kind, size_t most) const {
  std::vector<Slot> slots;
  if (!impl_->file->CheckUnchanged().ok()) return slots;
  const RingPlace ring = impl_->file->Place(kind);
  const int64_t read = ring.header->reader_index.load(std::memory_order_acquire);
  const int64_t written = ring.header->writer_index.load(std::memory_order_acquire);
  if (written < 0) return slots;
  const uint64_t n = std::min({static_cast<uint64_t>(written) + 1, ring.num_slots, static_cast<uint64_t>(most)});
  for (uint64_t i = n; i > 0; --i) slots.push_back(LookAt(ring, written - static_cast<int64_t>(i - 1), read));
  return slots;
}

FileStats RingInspector::stats() const { return impl_->file->stats(); }

bool RingInspector::HasConsumer() const {
  const auto held = impl_->file->locks().HeldWithin(kConsumerLock, kConsumerLock);
  return held.ok() && !held->empty();
}

Result<std::vector<uint32_t>> RingInspector::LiveWriters() const { return impl_->file->LiveWriters(); }
Result<std::string_view> RingInspector::Entry(Ref ref) const { return impl_->file->Entry(ref); }

Result<std::vector<RingInspector::DictionaryEntry>> RingInspector::Entries() const {
  OTLP_RETURN_NOT_OK(impl_->file->CheckUnchanged());
  const auto end = static_cast<uint64_t>(impl_->file->dictionary().end.load(std::memory_order_acquire));
  OTLP_ASSIGN_OR_RETURN(const char* bytes, impl_->file->BytesTo(end));
  std::vector<DictionaryEntry> entries;
  for (uint64_t at = impl_->file->geometry().first_entry(); at < end;) {
    const auto entry = ReadDelimited({bytes + at, end - at});
    if (!entry) {
      return Status::Io("the dictionary of '" + impl_->file->file().path() + "' is damaged: the entry at byte " + std::to_string(at) +
                        " reaches behind its end at byte " + std::to_string(end));
    }
    if (!entry->empty()) entries.push_back({static_cast<Ref>(at), *entry});
    at = static_cast<uint64_t>(entry->data() + entry->size() - bytes);
  }
  return entries;
}

}  // namespace otlp_arrow::ring
