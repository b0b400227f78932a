#include "collector/span_table.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace otlp_arrow {
namespace {

using wire::Cursor;
using wire::Tag;

constexpr uint32_t kSpans = 2;  // of ScopeSpans
constexpr size_t kMostSpare = 4096;
constexpr size_t kMostSpareBytes = 16 << 10;  // of one span
constexpr size_t kTraceIdSize = 16;
constexpr size_t kMostPieces = 16;              // values of one span that are not whole
constexpr size_t kMostPiecesBytes = 4u << 20;  // of one value

// OTLP's field numbers.
// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
struct SpanField {
  enum : uint32_t {
    kTraceId = 1, kSpanId = 2, kTraceState = 3, kParentSpanId = 4, kName = 5, kKind = 6, kStartTime = 7, kEndTime = 8,
    kAttributes = 9, kDroppedAttributes = 10, kEvents = 11, kDroppedEvents = 12, kLinks = 13, kDroppedLinks = 14, kStatus = 15, kFlags = 16
  };
};
struct EventField {
  enum : uint32_t { kTime = 1, kName = 2, kAttributes = 3, kDroppedAttributes = 4 };
};
struct LinkField {
  enum : uint32_t { kTraceId = 1, kSpanId = 2, kTraceState = 3, kAttributes = 4, kDroppedAttributes = 5, kFlags = 6 };
};
struct StatusField {
  enum : uint32_t { kMessage = 2, kCode = 3 };
};
struct SavedField {
  enum : uint32_t {
    kKey = 1, kScope = 2, kWriter = 3, kStarted = 4, kUpdated = 5, kLastSeen = 6, kDropped = 7, kHead = 8, kName = 9,
    kAttributes = 10, kTail = 11, kStatus = 12, kPartId = 13, kPieces = 14  // these two in pairs
  };
};

void WriteStatus(const ring::StatusView& status, wire::Writer* out) {
  out->NonEmpty(StatusField::kMessage, status.message);
  out->NonZeroInt32(StatusField::kCode, status.code);
}

void WriteIntAttribute(uint32_t field, std::string_view key, uint64_t value, wire::Writer* out) {
  const auto attribute = out->Begin(field);
  out->Bytes(1, key);
  const auto any = out->Begin(2);
  out->Varint(3, value);
  out->End(any);
  out->End(attribute);
}

void WriteTrueAttribute(uint32_t field, std::string_view key, wire::Writer* out) {
  const auto attribute = out->Begin(field);
  out->Bytes(1, key);
  const auto any = out->Begin(2);
  out->Varint(2, 1);
  out->End(any);
  out->End(attribute);
}

}  // namespace

void SpanTable::OpenSpan::Reset() {
  scope = 0;
  writer = 0;
  started = saved = updated = changed = false;
  order = last_seen = dropped_attributes = 0;
  for (std::string* text : {&head, &name, &attributes, &tail, &status}) text->clear();
  pieces.clear();
}

SpanTable::Key SpanTable::KeyOf(std::string_view trace_id, std::string_view span_id) {
  Key key;
  std::memcpy(key.bytes.data(), trace_id.data(), std::min(trace_id.size(), kTraceIdSize));
  std::memcpy(key.bytes.data() + kTraceIdSize, span_id.data(), std::min(span_id.size(), kKeySize - kTraceIdSize));
  return key;
}

bool SpanTable::IsOpen(std::string_view trace_id, std::string_view span_id) const {
  return spans_.find(KeyOf(trace_id, span_id)) != spans_.end();
}

void SpanTable::MarkChanged(const Key& key, OpenSpan* span) {
  if (!std::exchange(span->changed, true)) changed_.push_back(key);
}

SpanTable::OpenSpan* SpanTable::FindOrAdd(const Key& key, ring::Ref scope) {
  const auto [place, is_new] = spans_.try_emplace(key);
  if (!is_new) return place->second.get();
  if (spare_.empty()) {
    place->second = std::make_unique<OpenSpan>();
  } else {
    place->second = std::move(spare_.back());
    spare_.pop_back();
  }
  place->second->scope = scope;
  place->second->order = next_order_++;
  return place->second.get();
}

bool SpanTable::Take(const ring::SpanEventView& record) {
  if (std::holds_alternative<ring::EndSpanView>(record.event)) return false;
  if (std::holds_alternative<std::monostate>(record.event)) {
    ++counters_.broken;
    return true;
  }
  const Key key = KeyOf(record.trace_id, record.span_id);
  OpenSpan* span = FindOrAdd(key, record.scope);
  MarkChanged(key, span);
  if (const auto* start = std::get_if<ring::StartSpanView>(&record.event)) {
    Start(record, *start, span);
  } else if (const auto* name = std::get_if<ring::ChangeNameView>(&record.event)) {
    span->name = name->name;
  } else if (const auto* update = std::get_if<ring::UpdateAttributesView>(&record.event)) {
    if (update->part_id != 0) {
      AddPiece(*update, span);
    } else {
      Update(*update, span);
    }
  } else if (const auto* links = std::get_if<ring::AddLinkView>(&record.event)) {
    for (std::string_view link : links->links) AppendLink(link, &span->tail);
  }
  return true;
}

void SpanTable::Update(const ring::UpdateAttributesView& update, OpenSpan* span) {
  span->updated = true;
  span->dropped_attributes += update.dropped_attributes_count;
  AppendAttributes(update.attributes, &span->attributes);
  if (!update.status) return;
  scratch_.Clear();
  WriteStatus(*update.status, &scratch_);
  span->status = scratch_.view();
}

// What was told of the value before, cut, stays where its pieces are not all there.
void SpanTable::AddPiece(const ring::UpdateAttributesView& update, OpenSpan* span) {
  auto pieces = std::find_if(span->pieces.begin(), span->pieces.end(), [&](const Pieces& some) { return some.part_id == update.part_id; });
  if (pieces == span->pieces.end()) {
    if (span->pieces.size() >= kMostPieces) {
      span->pieces.erase(span->pieces.begin());
      ++counters_.broken;
    }
    pieces = span->pieces.insert(pieces, {update.part_id, {}});
  }
  pieces->bytes += update.piece;
  if (update.more_parts && pieces->bytes.size() <= kMostPiecesBytes) return;
  const std::string bytes = std::move(pieces->bytes);
  span->pieces.erase(pieces);
  if (const auto whole = ring::ReadUpdate(bytes); whole && !update.more_parts) {
    Update(*whole, span);
  } else {
    ++counters_.broken;
  }
}

void SpanTable::Start(const ring::SpanEventView& record, const ring::StartSpanView& start, OpenSpan* span) {
  span->scope = record.scope;
  span->started = true;
  span->writer = start.writer;
  span->last_seen = std::max(span->last_seen, start.start_time_unix_nano);
  span->dropped_attributes += start.dropped_attributes_count;
  if (span->name.empty()) span->name = start.name;
  scratch_.Clear();
  scratch_.Bytes(SpanField::kTraceId, record.trace_id);
  scratch_.Bytes(SpanField::kSpanId, record.span_id);
  scratch_.NonEmpty(SpanField::kTraceState, start.trace_state);
  scratch_.NonEmpty(SpanField::kParentSpanId, start.parent_span_id);
  scratch_.NonZeroInt32(SpanField::kKind, start.kind);
  scratch_.Fixed64(SpanField::kStartTime, start.start_time_unix_nano);
  scratch_.NonZeroFixed32(SpanField::kFlags, start.flags);
  span->head = scratch_.view();
  // A start that comes after an update stands for what was there first.
  if (span->attributes.empty()) return AppendAttributes(start.attributes, &span->attributes);
  std::string attributes;
  AppendAttributes(start.attributes, &attributes);
  span->attributes.insert(0, attributes);
}

void SpanTable::AppendAttributes(const ring::Repeated& attributes, std::string* fields) {
  scratch_.Clear();
  counters_.broken += converter_.Attributes(attributes, SpanField::kAttributes, &scratch_);
  fields->append(scratch_.view());
}

void SpanTable::AppendLink(std::string_view bytes, std::string* fields) {
  const ring::LinkView link = ring::ReadLink(bytes);
  scratch_.Clear();
  const auto message = scratch_.Begin(SpanField::kLinks);
  scratch_.NonEmpty(LinkField::kTraceId, link.context.trace_id);
  scratch_.NonEmpty(LinkField::kSpanId, link.context.span_id);
  scratch_.NonEmpty(LinkField::kTraceState, link.trace_state);
  counters_.broken += converter_.Attributes(link.attributes, LinkField::kAttributes, &scratch_);
  scratch_.NonZeroVarint(LinkField::kDroppedAttributes, link.dropped_attributes_count);
  scratch_.NonZeroFixed32(LinkField::kFlags, link.context.flags);
  scratch_.End(message);
  fields->append(scratch_.view());
}

bool SpanTable::AddEvent(std::span<const ring::EventView> parts) {
  const ring::EventView& event = parts.front();
  if (!event.context) return false;
  const Key key = KeyOf(event.context->trace_id, event.context->span_id);
  const auto place = spans_.find(key);
  if (place == spans_.end()) return false;
  OpenSpan* span = place->second.get();
  MarkChanged(key, span);
  span->last_seen = std::max(span->last_seen, event.time_unix_nano);
  scratch_.Clear();
  const auto message = scratch_.Begin(SpanField::kEvents);
  scratch_.Fixed64(EventField::kTime, event.time_unix_nano);
  const auto name = converter_.Text(event.event_name);
  if (name) scratch_.NonEmpty(EventField::kName, *name);
  counters_.broken += !name;
  uint64_t dropped = 0;
  for (const ring::EventView& part : parts) {
    dropped += part.dropped_attributes_count;
    counters_.broken += converter_.Attributes(part.attributes, EventField::kAttributes, &scratch_);
  }
  scratch_.NonZeroVarint(EventField::kDroppedAttributes, std::min<uint64_t>(dropped, UINT32_MAX));
  scratch_.End(message);
  span->tail.append(scratch_.view());
  return true;
}

void SpanTable::End(const ring::SpanEventView& record, ScopeGroups* out) {
  const auto& end = std::get<ring::EndSpanView>(record.event);
  const Key key = KeyOf(record.trace_id, record.span_id);
  auto place = spans_.find(key);
  if (place == spans_.end()) {
    FindOrAdd(key, record.scope);
    place = spans_.find(key);
  }
  std::unique_ptr<OpenSpan> span = std::move(place->second);
  spans_.erase(place);
  span->last_seen = std::max(span->last_seen, end.end_time_unix_nano);
  span->dropped_attributes += end.dropped_attributes_count;
  Write(key, *span, end, !span->started, out);
  Forget(key, std::move(span));
}

void SpanTable::WriteKey(const Key& key, wire::Writer* out) const {
  out->Bytes(SpanField::kTraceId, {key.bytes.data(), kTraceIdSize});
  out->Bytes(SpanField::kSpanId, {key.bytes.data() + kTraceIdSize, kKeySize - kTraceIdSize});
}

void SpanTable::WriteMarks(const OpenSpan& span, wire::Writer* out) const {
  WriteTrueAttribute(SpanField::kAttributes, "otlp_arrow.incomplete", out);
  WriteIntAttribute(SpanField::kAttributes, "otlp_arrow.last_seen_unix_nano", span.last_seen, out);
}

void SpanTable::Write(const Key& key, const OpenSpan& span, const ring::EndSpanView& end, bool incomplete, ScopeGroups* groups) {
  wire::Writer* out = groups->Of(span.scope);
  const auto message = out->Begin(kSpans, 2);
  if (span.started) {
    out->Raw(span.head);
  } else {
    WriteKey(key, out);
  }
  out->NonEmpty(SpanField::kName, span.name);
  out->NonZeroFixed64(SpanField::kEndTime, end.end_time_unix_nano);
  if (span.updated) {
    WriteLastOfEachKey(span.attributes, out);
  } else {
    out->Raw(span.attributes);
  }
  if (incomplete) WriteMarks(span, out);
  out->NonZeroVarint(SpanField::kDroppedAttributes, std::min<uint64_t>(span.dropped_attributes, UINT32_MAX));
  out->Raw(span.tail);
  out->NonZeroVarint(SpanField::kDroppedEvents, end.dropped_events_count);
  out->NonZeroVarint(SpanField::kDroppedLinks, end.dropped_links_count);
  if (end.status && !(end.is_cut && !span.status.empty())) {
    const auto nested = out->Begin(SpanField::kStatus);
    WriteStatus(*end.status, out);
    out->End(nested);
  } else if (!span.status.empty() || !incomplete) {
    out->Bytes(SpanField::kStatus, span.status);  // an empty one says UNSET, as that of an SDK's exporter does
  }
  out->End(message);
  ++(incomplete ? counters_.incomplete : counters_.ended);
}

void SpanTable::Forget(const Key& key, std::unique_ptr<OpenSpan> span) {
  if (span->saved) removed_.push_back(key);
  const size_t bytes = span->head.capacity() + span->name.capacity() + span->attributes.capacity() + span->tail.capacity();
  if (spare_.size() >= kMostSpare || bytes > kMostSpareBytes) return;
  span->Reset();
  spare_.push_back(std::move(span));
}

void SpanTable::EndIncomplete(const std::function<bool(uint32_t writer)>& is_gone, size_t most_open, ScopeGroups* out) {
  std::vector<std::pair<uint64_t, Key>> ending, staying;
  for (const auto& [key, span] : spans_) (is_gone(span->writer) ? ending : staying).emplace_back(span->order, key);
  if (staying.size() > most_open) {
    const auto excess = static_cast<std::ptrdiff_t>(staying.size() - most_open);
    std::nth_element(staying.begin(), staying.begin() + excess, staying.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    ending.insert(ending.end(), staying.begin(), staying.begin() + excess);
  }
  std::sort(ending.begin(), ending.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [order, key] : ending) EndIncomplete(key, out);
}

void SpanTable::EndIncomplete(const std::vector<std::string>& keys, ScopeGroups* out) {
  for (const std::string& bytes : keys) {
    if (bytes.size() == kKeySize) EndIncomplete(KeyOf(bytes.substr(0, kTraceIdSize), bytes.substr(kTraceIdSize)), out);
  }
}

void SpanTable::EndIncomplete(const Key& key, ScopeGroups* out) {
  const auto place = spans_.find(key);
  if (place == spans_.end()) return;
  std::unique_ptr<OpenSpan> span = std::move(place->second);
  spans_.erase(place);
  ring::EndSpanView end;
  end.end_time_unix_nano = span->last_seen;
  Write(key, *span, end, true, out);
  Forget(key, std::move(span));
}

// --- saving ---

void SpanTable::Save(const Key& key, const OpenSpan& span, uint32_t field, wire::Writer* out) const {
  const auto message = out->Begin(field, 2);
  out->Bytes(SavedField::kKey, {key.bytes.data(), kKeySize});
  out->Varint(SavedField::kScope, static_cast<uint64_t>(span.scope));
  out->NonZeroVarint(SavedField::kWriter, span.writer);
  out->NonZeroVarint(SavedField::kStarted, span.started);
  out->NonZeroVarint(SavedField::kUpdated, span.updated);
  out->NonZeroVarint(SavedField::kLastSeen, span.last_seen);
  out->NonZeroVarint(SavedField::kDropped, span.dropped_attributes);
  out->NonEmpty(SavedField::kHead, span.head);
  out->NonEmpty(SavedField::kName, span.name);
  out->NonEmpty(SavedField::kAttributes, span.attributes);
  out->NonEmpty(SavedField::kTail, span.tail);
  out->NonEmpty(SavedField::kStatus, span.status);
  for (const Pieces& pieces : span.pieces) {
    out->Varint(SavedField::kPartId, pieces.part_id);
    out->Bytes(SavedField::kPieces, pieces.bytes);
  }
  out->End(message);
}

void SpanTable::SaveChanges(uint32_t put, uint32_t removed, wire::Writer* out) {
  for (const Key& key : removed_) out->Bytes(removed, {key.bytes.data(), kKeySize});
  removed_.clear();
  for (const Key& key : changed_) {
    const auto place = spans_.find(key);
    if (place == spans_.end() || !std::exchange(place->second->changed, false)) continue;
    place->second->saved = true;
    Save(key, *place->second, put, out);
  }
  changed_.clear();
}

void SpanTable::SaveAll(uint32_t put, wire::Writer* out) const {
  for (const auto& [key, span] : spans_) Save(key, *span, put, out);
}

bool SpanTable::RestorePut(std::string_view saved) {
  Key key;
  auto span = std::make_unique<OpenSpan>();
  span->saved = true;
  bool has_key = false;
  Cursor c(saved);
  while (!c.done()) {
    uint32_t tag = 0;
    uint64_t value = 0;
    Cursor body{std::string_view()};
    if (!wire::ReadTag(&c, &tag)) return false;
    const bool number = (tag & 7) == wire::kVarint;
    if (number ? !wire::ReadVarint(&c, &value) : ((tag & 7) != wire::kLen || !wire::ReadLen(&c, &body))) return false;
    switch (tag >> 3) {
      case SavedField::kKey:
        if (body.left() != kKeySize) return false;
        std::memcpy(key.bytes.data(), body.p, kKeySize);
        has_key = true;
        break;
      case SavedField::kScope: span->scope = static_cast<ring::Ref>(value); break;
      case SavedField::kWriter: span->writer = static_cast<uint32_t>(value); break;
      case SavedField::kStarted: span->started = value != 0; break;
      case SavedField::kUpdated: span->updated = value != 0; break;
      case SavedField::kLastSeen: span->last_seen = value; break;
      case SavedField::kDropped: span->dropped_attributes = value; break;
      case SavedField::kHead: span->head = body.rest(); break;
      case SavedField::kName: span->name = body.rest(); break;
      case SavedField::kAttributes: span->attributes = body.rest(); break;
      case SavedField::kTail: span->tail = body.rest(); break;
      case SavedField::kStatus: span->status = body.rest(); break;
      case SavedField::kPartId: span->pieces.push_back({value, {}}); break;
      case SavedField::kPieces:
        if (span->pieces.empty()) return false;
        span->pieces.back().bytes = body.rest();
        break;
      default: break;
    }
  }
  if (!has_key) return false;
  span->order = next_order_++;
  spans_[key] = std::move(span);
  return true;
}

bool SpanTable::RestoreRemoved(std::string_view bytes) {
  if (bytes.size() != kKeySize) return false;
  Key key;
  std::memcpy(key.bytes.data(), bytes.data(), kKeySize);
  spans_.erase(key);
  return true;
}

}  // namespace otlp_arrow
