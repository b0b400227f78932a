// RingDrain's memory: what it writes before it hands on, and how it goes on from there.
#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "collector/drain_frames.h"
#include "collector/ring_drain.h"

namespace otlp_arrow {
namespace {

using ring::RingKind;
using wire::Cursor;
using wire::Tag;

constexpr size_t At(RingKind kind) { return static_cast<size_t>(kind); }
constexpr uint64_t kSnapshotAfterBytes = 4u << 20;

}  // namespace

struct RingDrain::Frame {
  uint64_t kind = 0;
  uint64_t file_time = 0;
  Positions before, after;
  int64_t split = -1;
  uint64_t last_collection = 0;
  std::vector<std::string> spans, ended_spans, streams;
  std::vector<int64_t> taken_events;
};

// --- handing on ---

// The change of what is known, to be written before anything of it is handed on.
void RingDrain::Prepare(uint32_t kind, const Positions& before, int64_t split, bool replaying) {
  pending_ = Pending();
  pending_->reopen = replaying && kind == kBatchFrame;
  wire::Writer out;
  out.Varint(FrameField::kKind, kind);
  out.Fixed64(FrameField::kFileTime, reader_->stats().time_unix_nano);
  for (int64_t position : before) out.Varint(FrameField::kBefore, static_cast<uint64_t>(position + 1));
  for (int64_t position : positions_) out.Varint(FrameField::kAfter, static_cast<uint64_t>(position + 1));
  out.Varint(FrameField::kSplit, static_cast<uint64_t>(split + 1));
  WriteState(false, &out);
  // A frame that is being replayed stands in the log already.
  if (!replaying) pending_->frame = out.Take();
}

void RingDrain::WriteState(bool everything, wire::Writer* out) {
  out->Fixed64(FrameField::kLastCollection, last_collection_);
  for (int64_t sequence : taken_events_) out->Varint(FrameField::kTakenEvent, static_cast<uint64_t>(sequence));
  if (everything) {
    spans_.SaveAll(FrameField::kSpan, out);
  } else {
    spans_.SaveChanges(FrameField::kSpan, FrameField::kEndedSpan, out);
  }
  for (auto& [metric, stream] : streams_) {
    const size_t before = out->size();
    const auto message = out->Begin(FrameField::kStream, 2);
    out->Varint(StreamField::kMetric, static_cast<uint64_t>(metric));
    out->Fixed64(StreamField::kStart, stream.start());
    const size_t head = out->size();
    if (everything) {
      stream.SaveAll(StreamField::kSeries, out);
    } else {
      stream.SaveChanges(StreamField::kSeries, out);
    }
    const bool unchanged = out->size() == head;
    out->End(message);
    if (unchanged) out->Truncate(before);
  }
}

void RingDrain::AddRequest(Signal signal, ScopeGroups* groups, bool may_be_held) {
  std::string bytes = groups->TakeRequest();
  if (!bytes.empty()) pending_->requests.push_back({signal, SharedBytes::Take(std::move(bytes)), may_be_held});
}

Status RingDrain::HandOver() {
  if (!pending_) return Status::Ok();
  if (!pending_->frame.empty()) {
    if (Status status = log_->Append(pending_->frame); !status.ok()) return Status::Io(status.message(), true);
    pending_->frame.clear();
  }
  while (!pending_->requests.empty()) {
    const Request& request = pending_->requests.front();
    if (!request.may_be_held || !sink_->Holds(request.signal, request.bytes)) {
      Status status = sink_->Take(request.signal, request.bytes);
      if (!status.ok() && status.retryable()) return status;
      if (!status.ok()) {
        ++counters_.refused_requests;
        spdlog::error("{} of {} are lost, they were refused for good: {}", SignalName(request.signal), path_, status.message());
      }
    }
    pending_->requests.pop_front();
  }
  if (pending_->positions) {
    for (RingKind kind : ring::kAllRings) reader_->Advance(kind, (*pending_->positions)[At(kind)]);
  }
  const bool reopen = pending_->reopen;
  pending_.reset();
  if (reopen) OTLP_RETURN_NOT_OK(Reopen());
  if (log_->size() > kSnapshotAfterBytes + 4 * snapshot_size_) {
    if (Status status = Snapshot(); !status.ok()) spdlog::warn("{}", status.message());
  }
  return Status::Ok();
}

Status RingDrain::Snapshot() {
  wire::Writer out;
  out.Varint(FrameField::kKind, kSnapshotFrame);
  out.Fixed64(FrameField::kFileTime, reader_->stats().time_unix_nano);
  for (int64_t position : positions_) out.Varint(FrameField::kAfter, static_cast<uint64_t>(position + 1));
  WriteState(true, &out);
  OTLP_RETURN_NOT_OK(log_->Replace(out.view()));
  snapshot_size_ = log_->size();
  return Status::Ok();
}

// --- going on ---

// The reader lets go of the file first: it has one consumer.
Status RingDrain::Reopen() {
  reader_.reset();
  events_.clear();
  ring::ReaderOptions options;
  options.clock = options_.clock;
  OTLP_ASSIGN_OR_RETURN(reader_, ring::RingReader::Open(path_, options));
  return Status::Ok();
}

RingDrain::Positions RingDrain::ReaderPositions() const {
  const ring::FileStats stats = reader_->stats();
  Positions positions;
  for (RingKind kind : ring::kAllRings) positions[At(kind)] = stats.rings[At(kind)].reader_index;
  return positions;
}

std::optional<RingDrain::Frame> RingDrain::ReadFrame(std::string_view bytes) {
  Frame frame;
  frame.before.fill(-1);
  frame.after.fill(-1);
  size_t before = 0, after = 0;
  Cursor c(bytes);
  while (!c.done()) {
    uint32_t tag = 0;
    uint64_t value = 0;
    Cursor body{std::string_view()};
    if (!wire::ReadTag(&c, &tag)) return std::nullopt;
    bool read = false;
    switch (tag & 7) {
      case wire::kVarint: read = wire::ReadVarint(&c, &value); break;
      case wire::kFixed64: read = wire::ReadFixed64(&c, &value); break;
      case wire::kLen: read = wire::ReadLen(&c, &body); break;
      default: break;
    }
    if (!read) return std::nullopt;
    switch (tag >> 3) {
      case FrameField::kKind: frame.kind = value; break;
      case FrameField::kFileTime: frame.file_time = value; break;
      case FrameField::kBefore:
        if (before < frame.before.size()) frame.before[before++] = static_cast<int64_t>(value) - 1;
        break;
      case FrameField::kAfter:
        if (after < frame.after.size()) frame.after[after++] = static_cast<int64_t>(value) - 1;
        break;
      case FrameField::kSplit: frame.split = static_cast<int64_t>(value) - 1; break;
      case FrameField::kLastCollection: frame.last_collection = value; break;
      case FrameField::kSpan: frame.spans.emplace_back(body.rest()); break;
      case FrameField::kEndedSpan: frame.ended_spans.emplace_back(body.rest()); break;
      case FrameField::kStream: frame.streams.emplace_back(body.rest()); break;
      case FrameField::kTakenEvent: frame.taken_events.push_back(static_cast<int64_t>(value)); break;
      default: break;
    }
  }
  return frame;
}

bool RingDrain::ApplyStream(std::string_view saved) {
  Cursor c(saved);
  MetricStream* stream = nullptr;
  while (!c.done()) {
    uint32_t tag = 0;
    uint64_t value = 0;
    Cursor body{std::string_view()};
    if (!wire::ReadTag(&c, &tag)) return false;
    if (tag == Tag(StreamField::kMetric, wire::kVarint)) {
      if (!wire::ReadVarint(&c, &value)) return false;
      stream = FindStream(static_cast<ring::Ref>(value));
      if (!stream) return false;
    } else if (tag == Tag(StreamField::kStart, wire::kFixed64)) {
      if (!stream || !wire::ReadFixed64(&c, &value)) return false;
      stream->set_start(value);
    } else if (tag == Tag(StreamField::kSeries, wire::kLen)) {
      if (!stream || !wire::ReadLen(&c, &body) || !stream->Restore(body.rest())) return false;
    } else if (!wire::SkipValue(&c, tag)) {
      return false;
    }
  }
  return true;
}

void RingDrain::Apply(const Frame& frame) {
  for (const std::string& key : frame.ended_spans) counters_.broken += !spans_.RestoreRemoved(key);
  for (const std::string& span : frame.spans) counters_.broken += !spans_.RestorePut(span);
  for (const std::string& stream : frame.streams) counters_.broken += !ApplyStream(stream);
  taken_events_ = {frame.taken_events.begin(), frame.taken_events.end()};
  last_collection_ = frame.last_collection;
}

Status RingDrain::Restore(const std::vector<std::string>& bytes) {
  std::vector<Frame> frames;
  for (const std::string& one : bytes) {
    auto frame = ReadFrame(one);
    if (!frame || frame->file_time != reader_->stats().time_unix_nano) {
      spdlog::warn("{}: what is known of an earlier file of this name is left aside", log_->path());
      return Snapshot();
    }
    frames.push_back(*std::move(frame));
  }
  if (frames.empty()) return Status::Ok();
  for (size_t i = 0; i + 1 < frames.size(); ++i) Apply(frames[i]);
  return RestoreLast(frames.back());
}

// Whether the last thing that was told of has happened, the file says for batches; for the rest the sink has to.
Status RingDrain::RestoreLast(const Frame& frame) {
  if (frame.kind == kMetricsFrame) {
    Status status = CollectMetrics(frame.last_collection, true);
    Apply(frame);
    return status.retryable() ? Status::Ok() : status;
  }
  if (frame.kind == kDeadFrame) {
    spans_.EndIncomplete(frame.ended_spans, &span_groups_);
    Prepare(kDeadFrame, positions_, -1, true);
    AddRequest(Signal::kTraces, &span_groups_, true);
    Apply(frame);
    return Status::Ok();
  }
  if (frame.kind == kBatchFrame) {
    const Positions now = ReaderPositions();
    if (now == frame.before) return ReplayBatch(frame);
    bool between = true;
    for (size_t i = 0; i < now.size(); ++i) between &= now[i] == frame.before[i] || now[i] == frame.after[i];
    if (between) {
      Apply(frame);
      return SkipTo(frame.after);
    }
  }
  Apply(frame);
  return Status::Ok();
}

// The same records once more, from the same knowledge, make the same requests.
Status RingDrain::ReplayBatch(const Frame& frame) {
  const Limits limits{frame.after, frame.split};
  Status status = DrainRings(&limits);
  return status.retryable() ? Status::Ok() : status;
}

Status RingDrain::SkipTo(const Positions& positions) {
  for (RingKind kind : ring::kAllRings) {
    while (reader_->last_read(kind) < positions[At(kind)]) {
      OTLP_ASSIGN_OR_RETURN(const auto records, reader_->Poll(kind));
      if (records.empty()) break;
    }
    reader_->Advance(kind, positions[At(kind)]);
  }
  positions_ = positions;
  return Reopen();
}

}  // namespace otlp_arrow
