// Spans that have begun and not yet ended, put together from their records. docs/formats/mmap.md
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collector/dictionary_converter.h"
#include "collector/scope_groups.h"
#include "ring/records.h"

namespace otlp_arrow {

struct SpanTableCounters {
  uint64_t ended = 0;        // written as they should be
  uint64_t incomplete = 0;   // written without their end, or without their start
  uint64_t broken = 0;       // records that could not be read, attributes that refer to what is not there
};

class SpanTable {
 public:
  explicit SpanTable(const DictionaryEntries* entries) : converter_(entries) {}

  // Takes any record but an end. False: it is an end, for End().
  bool Take(const ring::SpanEventView& record);
  // Writes the span to `out` (ScopeSpans.spans). A span without a start is written as incomplete.
  void End(const ring::SpanEventView& record, ScopeGroups* out);
  // Adds an event, in its parts, to its span, if that is open.
  bool AddEvent(std::span<const ring::EventView> parts);

  bool IsOpen(std::string_view trace_id, std::string_view span_id) const;
  size_t open_count() const { return spans_.size(); }

  // Writes spans as incomplete and forgets them: those of writers for which `is_gone` holds (0: not one of ours), and the
  // oldest beyond `most_open`.
  void EndIncomplete(const std::function<bool(uint32_t writer)>& is_gone, size_t most_open, ScopeGroups* out);

  // The same for these keys, which a state log has kept (SaveChanges' `removed`).
  void EndIncomplete(const std::vector<std::string>& keys, ScopeGroups* out);

  // What changed since the last call: spans that are open, as field `put`, and keys of those that ended, as `removed`.
  void SaveChanges(uint32_t put, uint32_t removed, wire::Writer* out);
  void SaveAll(uint32_t put, wire::Writer* out) const;
  bool RestorePut(std::string_view saved);
  bool RestoreRemoved(std::string_view key);

  const SpanTableCounters& counters() const { return counters_; }
  void CountBroken() { ++counters_.broken; }

 private:
  static constexpr size_t kKeySize = 24;
  struct Key {
    std::array<char, kKeySize> bytes{};  // trace id, span id
    bool operator==(const Key& other) const { return bytes == other.bytes; }
  };
  struct HashKey {
    size_t operator()(const Key& key) const {
      uint64_t a = 0, b = 0;
      std::memcpy(&a, key.bytes.data() + 16, 8);
      std::memcpy(&b, key.bytes.data() + 8, 8);
      return (a ^ b * 0x9E3779B97F4A7C15ull) * 0xD6E8FEB86659FD93ull >> 16;
    }
  };
  struct Pieces {
    uint64_t part_id = 0;
    std::string bytes;
  };
  struct OpenSpan {
    ring::Ref scope = 0;
    uint32_t writer = 0;
    bool started = false;
    bool saved = false;        // the state log has it
    bool changed = false;      // since it was saved; then its key stands in changed_
    bool updated = false;      // attributes may be there twice
    uint64_t order = 0;
    uint64_t last_seen = 0;    // the newest time in its records
    uint64_t dropped_attributes = 0;
    std::string head;          // Span fields: ids, parent, flags, kind, start time, trace state
    std::string name;
    std::string attributes;    // Span fields
    std::string tail;          // Span fields: events, links
    std::string status;        // Status
    std::vector<Pieces> pieces;  // of values that are not whole yet
    void Reset();
  };

  static Key KeyOf(std::string_view trace_id, std::string_view span_id);
  void MarkChanged(const Key& key, OpenSpan* span);
  OpenSpan* FindOrAdd(const Key& key, ring::Ref scope);
  void Start(const ring::SpanEventView& record, const ring::StartSpanView& start, OpenSpan* span);
  void Update(const ring::UpdateAttributesView& update, OpenSpan* span);
  void AddPiece(const ring::UpdateAttributesView& update, OpenSpan* span);
  void AppendAttributes(const ring::Repeated& attributes, std::string* fields);
  void AppendLink(std::string_view link, std::string* fields);
  void Write(const Key& key, const OpenSpan& span, const ring::EndSpanView& end, bool incomplete, ScopeGroups* out);
  void EndIncomplete(const Key& key, ScopeGroups* out);
  void WriteKey(const Key& key, wire::Writer* out) const;
  void WriteMarks(const OpenSpan& span, wire::Writer* out) const;
  void Forget(const Key& key, std::unique_ptr<OpenSpan> span);
  void Save(const Key& key, const OpenSpan& span, uint32_t field, wire::Writer* out) const;

  DictionaryConverter converter_;
  std::unordered_map<Key, std::unique_ptr<OpenSpan>, HashKey> spans_;
  std::vector<std::unique_ptr<OpenSpan>> spare_;  // memory to be used again
  std::vector<Key> changed_;                      // since the last save; may have ended meanwhile
  std::vector<Key> removed_;                      // saved ones that ended since
  uint64_t next_order_ = 0;
  wire::Writer scratch_;
  SpanTableCounters counters_;
};

}  // namespace otlp_arrow
