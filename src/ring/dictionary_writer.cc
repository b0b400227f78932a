#include "ring/dictionary_writer.h"

#include <algorithm>
#include <string>

#include "ring/slot_writer.h"
#include "ring/varint.h"

namespace otlp_arrow::ring {
namespace {

constexpr uint64_t kGrowBytes = 64 << 10;

}  // namespace

DictionaryWriter::DictionaryWriter(platform::SharedFile* file, WriterIdentity* identity, const Geometry& geometry, char* mapped,
                                   uint64_t most_end)
    : file_(file),
      identity_(identity),
      mapped_(mapped),
      header_(reinterpret_cast<DictionaryHeader*>(mapped + geometry.dictionary)),
      first_entry_(geometry.first_entry()),
      most_end_(most_end),
      known_end_(first_entry_),
      table_(mapped) {}

Result<Ref> DictionaryWriter::Intern(std::string_view bytes, uint8_t kind) {
  if (bytes.empty()) return Ref{0};
  const uint64_t hash = RefTable::HashOf(bytes);
  uint8_t kinds = 0;
  const Ref known = table_.Find(bytes, hash, &kinds);
  if (known != 0 && (kinds & kind) != 0) return known;
  return InternLocked(bytes, hash, kind);
}

Result<Ref> DictionaryWriter::InternLocked(std::string_view bytes, uint64_t hash, uint8_t kind) {
  OTLP_ASSIGN_OR_RETURN(const auto lock, identity_->LockDictionary());
  OTLP_RETURN_NOT_OK(CatchUp());
  Ref ref = table_.Find(bytes, hash);
  if (ref == 0) {
    OTLP_ASSIGN_OR_RETURN(ref, Append(bytes));
    table_.Add(ref, hash, kind);
  } else {
    table_.MarkKind(bytes, hash, kind);
  }
  return ref;
}

// Takes in what others have added since. Entries that a foreign writer is just filling read as other bytes, or as
// none: they are then not found again, which costs space alone.
Status DictionaryWriter::CatchUp() {
  const auto end = static_cast<uint64_t>(header_->end.load(std::memory_order_acquire));
  if (end < known_end_ || end > most_end_) {
    return Status::Export("the dictionary of '" + file_->path() + "' is said to end at byte " + std::to_string(end) + ", outside of " +
                          std::to_string(known_end_) + " to " + std::to_string(most_end_) +
                          (end > most_end_ ? ": another writer let it grow further; raise dictionary_max_bytes" : ": the file is damaged"));
  }
  if (end == known_end_) return Status::Ok();
  OTLP_RETURN_NOT_OK(ReserveTo(end));
  while (known_end_ < end) {
    const auto entry = ReadDelimited({mapped_ + known_end_, end - known_end_});
    if (!entry) break;  // a length that leads out of the dictionary: what stands behind it cannot be told apart
    const uint64_t hash = RefTable::HashOf(*entry);
    if (!entry->empty() && table_.Find(*entry, hash) == 0) table_.Add(static_cast<Ref>(known_end_), hash, 0);
    known_end_ = static_cast<uint64_t>(entry->data() + entry->size() - mapped_);
  }
  known_end_ = end;
  return Status::Ok();
}

// Others of ours wait for the lock. A foreign writer may move the end at the same time, so space is taken before it is
// written to; a writer that dies in between leaves zeros, which read as empty entries.
Result<Ref> DictionaryWriter::Append(std::string_view bytes) {
  const uint64_t size = VarintBytes(bytes.size()) + bytes.size();
  int64_t begin = header_->end.load(std::memory_order_acquire);
  uint64_t end = 0;
  do {
    end = static_cast<uint64_t>(begin) + size;
    if (static_cast<uint64_t>(begin) < first_entry_) return Status::Export("the dictionary of '" + file_->path() + "' is damaged: it is said to end at byte " + std::to_string(begin));
    if (static_cast<uint64_t>(begin) > most_end_ || size > most_end_ - static_cast<uint64_t>(begin)) {
      return Status::Export("the dictionary of '" + file_->path() + "' has reached dictionary_max_bytes: " + std::to_string(bytes.size()) +
                            " bytes more do not fit into " + std::to_string(most_end_ - first_entry_) + "; raise it, or use fewer different names and resources");
    }
    OTLP_RETURN_NOT_OK(ReserveTo(end));
  } while (!header_->end.compare_exchange_weak(begin, static_cast<int64_t>(end), std::memory_order_acq_rel));
  SlotWriter out(reinterpret_cast<uint8_t*>(mapped_ + begin));
  out.Varint(bytes.size());
  out.Raw(bytes.data(), bytes.size());
  header_->num_entries.fetch_add(1, std::memory_order_relaxed);
  if (known_end_ == static_cast<uint64_t>(begin)) known_end_ = end;
  return begin;
}

// In steps, as far as the limit allows; with a nearly full disk only what is needed.
Status DictionaryWriter::ReserveTo(uint64_t end) {
  const uint64_t reserved = reserved_end_.load(std::memory_order_relaxed);
  if (end <= reserved) return Status::Ok();
  const uint64_t wanted = std::min(most_end_, (end + kGrowBytes) / kGrowBytes * kGrowBytes);
  const uint64_t from = std::max(reserved, first_entry_);
  if (wanted > end && file_->Reserve(from, wanted - from).ok()) {
    reserved_end_.store(wanted, std::memory_order_relaxed);
    return Status::Ok();
  }
  OTLP_RETURN_NOT_OK(file_->Reserve(from, end - from));
  reserved_end_.store(end, std::memory_order_relaxed);
  return Status::Ok();
}

bool DictionaryWriter::IsKnown(Ref ref, uint8_t kind) const {
  // Whatever this process has added or found is there.
  const uint64_t end = reserved_end_.load(std::memory_order_relaxed);
  if (ref < static_cast<Ref>(first_entry_) || static_cast<uint64_t>(ref) >= end) return false;
  const auto entry = ReadDelimited({mapped_ + ref, end - static_cast<uint64_t>(ref)});
  if (!entry) return false;
  uint8_t kinds = 0;
  return table_.Find(*entry, RefTable::HashOf(*entry), &kinds) == ref && (kinds & kind) != 0;
}

}  // namespace otlp_arrow::ring
