#include "ring/ref_table.h"

#include <cstring>

#include <xxhash.h>

#include "ring/varint.h"

namespace otlp_arrow::ring {
namespace {

constexpr size_t kFirstCapacity = 1024;
constexpr int kRefBits = 40;
constexpr uint64_t kRefMask = (uint64_t{1} << kRefBits) - 1;

uint64_t TagOf(uint64_t hash) { return hash >> kRefBits << kRefBits; }

}  // namespace

RefTable::RefTable(const char* mapped) : mapped_(mapped) {
  tables_.push_back(std::make_unique<Table>(kFirstCapacity));
  table_.store(tables_.back().get(), std::memory_order_release);
}

uint64_t RefTable::HashOf(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

// The entry's length was within the file when it was added, and entries never change; 20 bytes hold any length.
std::string_view RefTable::BytesOf(Ref ref) const {
  const auto* at = reinterpret_cast<const uint8_t*>(mapped_ + ref);
  uint64_t size = 0;
  const uint8_t* body = ReadVarint(at, at + 10, &size);
  return {reinterpret_cast<const char*>(body), size};
}

const RefTable::Entry* RefTable::FindEntry(std::string_view bytes, uint64_t hash) const {
  const Table* table = table_.load(std::memory_order_acquire);
  for (size_t i = hash & table->mask;; i = (i + 1) & table->mask) {
    const Entry& entry = table->entries[i];
    const uint64_t found = entry.ref.load(std::memory_order_acquire);
    if (found == 0) return nullptr;
    if ((found ^ hash) >> kRefBits == 0) {
      const std::string_view there = BytesOf(static_cast<Ref>(found & kRefMask));
      if (there.size() == bytes.size() && std::memcmp(there.data(), bytes.data(), bytes.size()) == 0) return &entry;
    }
  }
}

Ref RefTable::Find(std::string_view bytes, uint64_t hash, uint8_t* kinds) const {
  const Entry* entry = FindEntry(bytes, hash);
  if (!entry) return 0;
  if (kinds) *kinds = entry->kinds.load(std::memory_order_relaxed);
  return static_cast<Ref>(entry->ref.load(std::memory_order_relaxed) & kRefMask);
}

void RefTable::MarkKind(std::string_view bytes, uint64_t hash, uint8_t kind) {
  if (const Entry* entry = FindEntry(bytes, hash)) const_cast<Entry*>(entry)->kinds.fetch_or(kind, std::memory_order_relaxed);
}

void RefTable::Insert(Table* table, Ref ref, uint64_t hash, uint8_t kinds) {
  size_t i = hash & table->mask;
  while (table->entries[i].ref.load(std::memory_order_relaxed) != 0) i = (i + 1) & table->mask;
  table->entries[i].kinds.store(kinds, std::memory_order_relaxed);
  table->entries[i].ref.store(TagOf(hash) | static_cast<uint64_t>(ref), std::memory_order_release);
}

void RefTable::Add(Ref ref, uint64_t hash, uint8_t kinds) {
  if (++size_ * 2 > tables_.back()->entries.size()) Grow();
  Insert(tables_.back().get(), ref, hash, kinds);
}

// A kind that someone marks in the old table meanwhile is not lost: marking happens under the lock of adding.
void RefTable::Grow() {
  const Table& old = *tables_.back();
  auto larger = std::make_unique<Table>(old.entries.size() * 2);
  for (const Entry& entry : old.entries) {
    const uint64_t found = entry.ref.load(std::memory_order_relaxed);
    if (found == 0) continue;
    const Ref ref = static_cast<Ref>(found & kRefMask);
    Insert(larger.get(), ref, HashOf(BytesOf(ref)), entry.kinds.load(std::memory_order_relaxed));
  }
  tables_.push_back(std::move(larger));
  table_.store(tables_.back().get(), std::memory_order_release);
}

}  // namespace otlp_arrow::ring
