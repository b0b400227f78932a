// Dictionary entries by their bytes: a hash table of references, whose keys are the entries themselves. Finding takes no
// lock; adding is for one thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "otlp_arrow/ring/values.h"

namespace otlp_arrow::ring {

class RefTable {
 public:
  // `mapped`: the file from its beginning; entries that are added lie in it.
  explicit RefTable(const char* mapped);

  static uint64_t HashOf(std::string_view bytes);
  // The entry with these bytes; 0: none. `kinds`, where given: what it was added or marked as.
  Ref Find(std::string_view bytes, uint64_t hash, uint8_t* kinds = nullptr) const;
  // One that is not in it yet.
  void Add(Ref ref, uint64_t hash, uint8_t kinds);
  // For an entry that is in it.
  void MarkKind(std::string_view bytes, uint64_t hash, uint8_t kind);
  size_t size() const { return size_; }

 private:
  // A reference in the lower 40 bits, above it 24 bits of the hash; 0: free.
  struct Entry {
    std::atomic<uint64_t> ref{0};
    std::atomic<uint8_t> kinds{0};
  };
  struct Table {
    explicit Table(size_t capacity) : mask(capacity - 1), entries(capacity) {}
    size_t mask;
    std::vector<Entry> entries;
  };
  static void Insert(Table* table, Ref ref, uint64_t hash, uint8_t kinds);
  const Entry* FindEntry(std::string_view bytes, uint64_t hash) const;
  std::string_view BytesOf(Ref ref) const;
  void Grow();

  const char* mapped_;
  std::atomic<Table*> table_;
  std::vector<std::unique_ptr<Table>> tables_;  // former ones too: someone may still look into them
  size_t size_ = 0;
};

}  // namespace otlp_arrow::ring
