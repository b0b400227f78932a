#include "collector/ring_drain.h"

#include <algorithm>
#include <limits>
#include <thread>
#include <utility>
#include <variant>

#include "collector/drain_frames.h"
#include "collector/log_writer.h"

namespace otlp_arrow {
namespace {

using ring::RingKind;

constexpr size_t At(RingKind kind) { return static_cast<size_t>(kind); }
// Parts of one record that do not come: their writer died.
constexpr auto kPartsTimeout = std::chrono::seconds(2);
// Dead claims are given up long before; a busy machine may keep a living writer from its slot for so long.
constexpr auto kLateEventTimeout = std::chrono::milliseconds(500);

uint64_t Nanoseconds(Clock::WallTime time) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

// What an event of a span is, and not a log record that was written within one.
bool IsSpanEvent(const ring::EventView& event) {
  return !event.is_log_record && event.context && !event.context->span_id.empty() && event.event_name != 0 && event.severity_number == 0 &&
         event.severity_text.empty() && !event.body;
}

}  // namespace

std::optional<std::string_view> RingDrain::Entries::Find(int64_t reference) const {
  auto entry = (*reader_)->Entry(reference);
  if (!entry.ok()) return std::nullopt;
  return *entry;
}

RingDrain::RingDrain(std::string path, const DrainOptions& options, CollectorSink* sink)
    : path_(std::move(path)), options_(options), sink_(sink), entries_(&reader_), converter_(&entries_), scopes_(&entries_),
      span_groups_(&scopes_), log_groups_(&scopes_), metric_groups_(&scopes_), spans_(&entries_) {
  positions_.fill(-1);
  const auto now = options_.clock->SteadyNow();
  next_collection_ = now + options_.metric_interval;
  next_liveness_ = last_activity_ = now;
}

RingDrain::~RingDrain() = default;

Result<std::unique_ptr<RingDrain>> RingDrain::Open(const std::string& path, const DrainOptions& options, CollectorSink* sink) {
  std::unique_ptr<RingDrain> drain(new RingDrain(path, options, sink));
  OTLP_RETURN_NOT_OK(drain->Reopen());
  std::vector<std::string> frames;
  OTLP_ASSIGN_OR_RETURN(drain->log_, StateLog::Open(path + std::string(kStateSuffix), &frames));
  drain->positions_ = drain->ReaderPositions();
  OTLP_RETURN_NOT_OK(drain->Restore(frames));
  return drain;
}

// --- when ---

Result<bool> RingDrain::Step() {
  bool worked = pending_.has_value();
  OTLP_RETURN_NOT_OK(HandOver());
  if (IsDue()) {
    OTLP_RETURN_NOT_OK(DrainRings(nullptr));
    worked = true;
  }
  OTLP_ASSIGN_OR_RETURN(const bool buried, LookForTheDead());
  OTLP_ASSIGN_OR_RETURN(const bool collected, CollectMetricsIfDue());
  return worked || buried || collected;
}

bool RingDrain::IsDue() {
  if (events_.empty() && !reader_->HasData()) {
    waiting_since_.reset();
    return false;
  }
  if (!waiting_since_) waiting_since_ = options_.clock->SteadyNow();
  if (!MayWaitNoLonger()) return false;
  waiting_since_.reset();
  return true;
}

bool RingDrain::MayWaitNoLonger() {
  const ring::FileStats stats = reader_->stats();
  for (const ring::RingStats& one : stats.rings) {
    if (one.filled() * 4 >= one.slots) return true;
  }
  return options_.clock->SteadyNow() - *waiting_since_ >= options_.max_delay;
}

Status RingDrain::Finish() {
  OTLP_RETURN_NOT_OK(HandOver());
  OTLP_RETURN_NOT_OK(DrainRings(nullptr));
  OTLP_RETURN_NOT_OK(CollectMetrics(CollectionTime(), false));
  return Snapshot();
}

RingDrain::Positions RingDrain::Written() const {
  const ring::FileStats stats = reader_->stats();
  Positions written;
  for (RingKind kind : ring::kAllRings) written[At(kind)] = stats.rings[At(kind)].writer_index;
  return written;
}

bool RingDrain::Reaches(const Positions& written) const {
  return std::equal(written.begin(), written.end(), positions_.begin(), [](int64_t one, int64_t position) { return one <= position; });
}

Result<bool> RingDrain::Flush(const Positions& written) {
  OTLP_RETURN_NOT_OK(HandOver());
  OTLP_RETURN_NOT_OK(DrainRings(nullptr));
  if (!Reaches(written)) return false;
  // Those of the last collection still say all where nothing was measured since.
  if (IsMeasured()) OTLP_RETURN_NOT_OK(CollectMetrics(CollectionTime(), false));
  return true;
}

Status RingDrain::EndOpenSpans() {
  OTLP_RETURN_NOT_OK(HandOver());
  return EndIncomplete([](uint32_t) { return true; });
}

DrainCounters& DrainCounters::operator+=(const DrainCounters& other) {
  records += other.records;
  spans += other.spans;
  incomplete_spans += other.incomplete_spans;
  span_events += other.span_events;
  log_records += other.log_records;
  measurements += other.measurements;
  overflowed += other.overflowed;
  broken += other.broken;
  refused_requests += other.refused_requests;
  open_spans += other.open_spans;
  return *this;
}

bool RingDrain::is_finished() const { return !anybody_lives_ && !pending_ && events_.empty() && spans_.open_count() == 0 && !reader_->HasData(); }

DrainCounters RingDrain::counters() const {
  DrainCounters counters = counters_;
  counters.spans = spans_.counters().ended;
  counters.incomplete_spans = spans_.counters().incomplete;
  counters.broken += spans_.counters().broken + scopes_.broken() + reader_->skipped();
  counters.open_spans = spans_.open_count();
  return counters;
}

// --- records ---

// Events are looked at twice. Those that were there before the spans are read have their spans' starts in what is read: if
// that reaches as far as was written by then. Those that are there afterwards are all that were recorded before an end that
// is read: if, again, they reach as far.
Status RingDrain::DrainRings(const Limits* limits) {
  const Positions before = positions_;
  OTLP_RETURN_NOT_OK(PullEvents());
  const int64_t spans_written = WriterIndex(RingKind::kSpans);
  OTLP_ASSIGN_OR_RETURN(const auto ends, TakeSpans(limits));
  const bool all_starts_known = !events_.empty() && reader_->last_read(RingKind::kSpans) >= spans_written;
  const int64_t split = limits ? limits->events_split : all_starts_known ? events_.back().sequence : positions_[At(RingKind::kEvents)];
  TakeEvents(split, true, limits != nullptr);
  OTLP_RETURN_NOT_OK(ends.empty() ? PullEvents() : PullEventsUpTo(WriterIndex(RingKind::kEvents)));
  TakeEvents(limits ? limits->after[At(RingKind::kEvents)] : std::numeric_limits<int64_t>::max(), false, limits != nullptr);
  for (const ring::SpanEventView& end : ends) spans_.End(end, &span_groups_);
  OTLP_RETURN_NOT_OK(TakeMeasurements(limits));
  if (positions_ == before) return Status::Ok();
  last_activity_ = options_.clock->SteadyNow();
  anybody_lives_ = true;
  Prepare(kBatchFrame, before, split, limits != nullptr);
  AddRequest(Signal::kTraces, &span_groups_, limits != nullptr);
  AddRequest(Signal::kLogs, &log_groups_, limits != nullptr);
  pending_->positions = positions_;
  return HandOver();
}

int64_t RingDrain::WriterIndex(RingKind kind) const { return reader_->stats().rings[At(kind)].writer_index; }

// A slot that is being written keeps those behind it from being read: for a moment, unless its writer was stopped.
Status RingDrain::PullEventsUpTo(int64_t sequence) {
  const auto give_up = std::chrono::steady_clock::now() + kLateEventTimeout;
  for (;;) {
    OTLP_RETURN_NOT_OK(PullEvents());
    if (reader_->last_read(RingKind::kEvents) >= sequence || std::chrono::steady_clock::now() > give_up) return Status::Ok();
    std::this_thread::yield();
  }
}

Status RingDrain::PullEvents() {
  OTLP_ASSIGN_OR_RETURN(const auto records, reader_->Poll(RingKind::kEvents));
  for (const ring::RecordView& record : records) events_.push_back({record.sequence, std::string(record.bytes)});
  counters_.records += records.size();
  return Status::Ok();
}

Result<std::vector<ring::SpanEventView>> RingDrain::TakeSpans(const Limits* limits) {
  OTLP_ASSIGN_OR_RETURN(const auto records, reader_->Poll(RingKind::kSpans, reader_->stats().rings[At(RingKind::kSpans)].slots));
  std::vector<ring::SpanEventView> ends;
  for (const ring::RecordView& record : records) {
    if (limits && record.sequence > limits->after[At(RingKind::kSpans)]) break;
    const auto event = ring::ReadSpanEvent(record.bytes);
    if (!event) {
      spans_.CountBroken();
    } else if (!spans_.Take(*event)) {
      ends.push_back(*event);
    }
  }
  counters_.records += records.size();
  positions_[At(RingKind::kSpans)] = limits ? limits->after[At(RingKind::kSpans)] : reader_->last_read(RingKind::kSpans);
  return ends;
}

void RingDrain::TakeEvents(int64_t up_to, bool all_starts_known, bool must_join) {
  int64_t& position = positions_[At(RingKind::kEvents)];
  while (!events_.empty() && events_.front().sequence <= up_to) {
    const int64_t sequence = events_.front().sequence;
    if (taken_events_.erase(sequence) == 0 && !TakeEvent(all_starts_known, must_join)) return;
    position = sequence;
    events_.pop_front();
  }
  if (events_.empty()) position = std::max(position, std::min(up_to, reader_->last_read(RingKind::kEvents)));
}

// Takes the first of events_, with its further parts. False: it has to wait for parts, or for its span's start.
bool RingDrain::TakeEvent(bool all_starts_known, bool must_join) {
  parts_.Clear();
  if (!JoinParts(must_join)) return false;
  counters_.broken += !parts_.Join();
  // Nothing, or the rest of something.
  if (parts_.empty()) return true;
  const auto& parts = parts_.parts();
  const ring::EventView& event = parts.front();
  if (IsSpanEvent(event)) {
    if (spans_.AddEvent(parts)) {
      ++counters_.span_events;
      return true;
    }
    if (!all_starts_known) return false;
  }
  counters_.broken += !WriteLogRecord(parts, converter_, log_groups_.Of(event.scope));
  ++counters_.log_records;
  return true;
}

bool RingDrain::JoinParts(bool must_join) {
  const auto first = ring::ReadEvent(events_.front().bytes);
  if (!first) {
    ++counters_.broken;
    return true;
  }
  parts_.Add(*first);
  if (first->part_id == 0 || !first->more_parts) return true;
  std::vector<int64_t> sequences;
  bool whole = false;
  for (size_t i = 1; i < events_.size() && !whole; ++i) {
    const auto part = ring::ReadEvent(events_[i].bytes);
    if (!part || part->part_id != first->part_id) continue;
    parts_.Add(*part);
    sequences.push_back(events_[i].sequence);
    whole = !part->more_parts;
  }
  const auto now = options_.clock->SteadyNow();
  if (!whole && !must_join) {
    if (!parts_since_) parts_since_ = now;
    const ring::RingStats stats = reader_->stats().rings[At(RingKind::kEvents)];
    if (stats.filled() < stats.slots && now - *parts_since_ < kPartsTimeout) {
      return false;
    }
  }
  parts_since_.reset();
  taken_events_.insert(sequences.begin(), sequences.end());
  return true;
}

Status RingDrain::TakeMeasurements(const Limits* limits) {
  const size_t slots = reader_->stats().rings[At(RingKind::kMeasurements)].slots;
  OTLP_ASSIGN_OR_RETURN(const auto records, reader_->Poll(RingKind::kMeasurements, slots));
  for (const ring::RecordView& record : records) {
    if (limits && record.sequence > limits->after[At(RingKind::kMeasurements)]) break;
    Measure(record.bytes);
  }
  counters_.records += records.size();
  positions_[At(RingKind::kMeasurements)] =
      limits ? limits->after[At(RingKind::kMeasurements)] : reader_->last_read(RingKind::kMeasurements);
  return Status::Ok();
}

void RingDrain::Measure(std::string_view record) {
  const auto measurement = ring::ReadMeasurement(record);
  MetricStream* stream = measurement ? FindStream(measurement->metric) : nullptr;
  const auto outcome = stream ? stream->Record(*measurement) : MetricStream::Outcome::kInvalid;
  counters_.broken += outcome == MetricStream::Outcome::kInvalid;
  counters_.overflowed += outcome == MetricStream::Outcome::kOverflowed;
  counters_.measurements += outcome != MetricStream::Outcome::kInvalid;
}

MetricStream* RingDrain::FindStream(ring::Ref metric) {
  if (const auto found = streams_.find(metric); found != streams_.end()) return &found->second;
  if (unknown_metrics_.contains(metric)) return nullptr;
  const auto entry = entries_.Find(metric);
  auto definition = entry && metric != 0 ? ReadMetricDefinition(*entry) : std::nullopt;
  if (!definition) {
    unknown_metrics_.insert(metric);
    return nullptr;
  }
  const uint64_t begun = reader_->stats().time_unix_nano;
  const bool delta = definition->temporality == ring::Temporality::kDelta;
  const uint64_t start = delta && last_collection_ > 0 ? last_collection_ : begun;
  // The metric's own limit includes the series of what is beyond it.
  const size_t most_series = definition->cardinality_limit > 0 ? definition->cardinality_limit - 1 : options_.most_series;
  return &streams_.try_emplace(metric, *std::move(definition), &converter_, start, most_series).first->second;
}

// --- metrics ---

// Clocks may jump; intervals do not. What dead producers left ends with what they measured last.
uint64_t RingDrain::CollectionTime() const {
  uint64_t now = Nanoseconds(options_.clock->Now());
  if (!anybody_lives_) {
    now = 0;
    for (const auto& [metric, stream] : streams_) now = std::max(now, stream.newest());
  }
  return std::max(now, last_collection_ + 1);
}

Result<bool> RingDrain::CollectMetricsIfDue() {
  const auto now = options_.clock->SteadyNow();
  if (now < next_collection_) return false;
  next_collection_ = std::max(next_collection_ + options_.metric_interval, now);
  OTLP_RETURN_NOT_OK(CollectMetrics(CollectionTime(), false));
  return true;
}

bool RingDrain::IsMeasured() const {
  return std::any_of(streams_.begin(), streams_.end(), [](const auto& stream) { return stream.second.is_measured(); });
}

Status RingDrain::CollectMetrics(uint64_t now, bool replaying) {
  if (!IsMeasured() && !anybody_lives_ && !replaying) return Status::Ok();
  bool any = false;
  for (auto& [metric, stream] : streams_) any |= stream.Collect(now, metric_groups_.Of(stream.definition().scope));
  last_collection_ = now;
  if (!any) return Status::Ok();
  Prepare(kMetricsFrame, positions_, -1, replaying);
  AddRequest(Signal::kMetrics, &metric_groups_, replaying);
  return HandOver();
}

// --- producers that are gone ---

Result<bool> RingDrain::LookForTheDead() {
  const auto now = options_.clock->SteadyNow();
  if (!death_) {
    if (now < next_liveness_) return false;
    next_liveness_ = now + options_.liveness_interval;
    OTLP_ASSIGN_OR_RETURN(auto live, reader_->LiveWriters());
    death_ = Death{std::move(live), Written()};
  }
  if (!Reaches(death_->written)) return false;
  OTLP_RETURN_NOT_OK(EndSpansOfTheDead());
  return false;
}

Status RingDrain::EndSpansOfTheDead() {
  const std::vector<uint32_t> live = std::exchange(death_, std::nullopt)->live;
  const bool silent = options_.clock->SteadyNow() - last_activity_ >= options_.foreign_idle;
  const bool foreigners_live = !silent && (!reader_->stats().native || reader_->stats().last_writer == 0);
  anybody_lives_ = !live.empty() || foreigners_live;
  if (spans_.open_count() == 0) return Status::Ok();
  const auto is_gone = [&](uint32_t writer) {
    return writer == 0 ? silent || (live.empty() && !foreigners_live) : std::find(live.begin(), live.end(), writer) == live.end();
  };
  return EndIncomplete(is_gone);
}

Status RingDrain::EndIncomplete(const std::function<bool(uint32_t writer)>& is_gone) {
  const uint64_t before = spans_.counters().incomplete;
  spans_.EndIncomplete(is_gone, options_.most_open_spans, &span_groups_);
  if (spans_.counters().incomplete == before) return Status::Ok();
  Prepare(kDeadFrame, positions_, -1, false);
  AddRequest(Signal::kTraces, &span_groups_, false);
  return HandOver();
}

}  // namespace otlp_arrow
