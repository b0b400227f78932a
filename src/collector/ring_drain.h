// Turns the records of one OTLP-MMAP file into OTLP requests. docs/formats/mmap.md
//
// What is read becomes requests and changes what is known (spans that are open, sums so far). First that change goes to the
// state log, then the requests to the sink, then the file's reader indexes move. Whoever dies in between leaves enough to
// go on without losing or repeating anything.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "collector/event_parts.h"
#include "collector/metric_stream.h"
#include "collector/scope_groups.h"
#include "collector/sink.h"
#include "collector/span_table.h"
#include "collector/state_log.h"
#include "ring/ring_reader.h"

namespace otlp_arrow {

struct DrainOptions {
  std::chrono::milliseconds max_delay{200};         // a record is handed on after this time, or when a ring is a quarter full
  std::chrono::milliseconds metric_interval{10'000};
  std::chrono::milliseconds liveness_interval{1000};  // how often is looked for dead producers
  std::chrono::milliseconds foreign_idle{600'000};  // producers that hold no lock are taken for dead after this silence
  size_t most_open_spans = 1'000'000;               // the oldest beyond it are handed on as incomplete
  size_t most_series = 2000;                        // attribute sets of a metric
  std::shared_ptr<Clock> clock = Clock::System();
};

struct DrainCounters {
  uint64_t records = 0;
  uint64_t spans = 0;             // with their ends
  uint64_t incomplete_spans = 0;  // without their ends, or starts
  uint64_t span_events = 0;
  uint64_t log_records = 0;
  uint64_t measurements = 0;
  uint64_t overflowed = 0;        // measurements beyond most_series
  uint64_t broken = 0;            // records that cannot be read, references that lead nowhere
  uint64_t refused_requests = 0;  // by the sink, for good
  uint64_t open_spans = 0;        // now

  DrainCounters& operator+=(const DrainCounters& other);
};

class RingDrain {
 public:
  // Sequence numbers, one for each ring.
  using Positions = std::array<int64_t, ring::kRingCount>;

  // The state log is `path` + ".collector". Errors: as ring::RingReader::Open and StateLog::Open.
  static Result<std::unique_ptr<RingDrain>> Open(const std::string& path, const DrainOptions& options, CollectorSink* sink);
  ~RingDrain();

  // Does what is due. True where there was something. Errors: retryable ones of the sink or the state log, after which
  // the next call tries again; kIo: the file is no longer one to read from.
  Result<bool> Step();
  // Hands on all that is there now, and the metrics so far.
  Status Finish();
  // What producers have claimed by now, for Flush.
  Positions Written() const;
  // Hands on what is there. True when that reaches as far as `written`; then points of all metrics are handed on, too.
  // Errors: as Step.
  Result<bool> Flush(const Positions& written);
  // Hands on the spans that are open, as incomplete: there will be no more records.
  Status EndOpenSpans();

  ring::RingReader* reader() { return reader_.get(); }
  // Nothing is left and nobody writes.
  bool is_finished() const;
  DrainCounters counters() const;
  const std::string& path() const { return path_; }
  static constexpr std::string_view kStateSuffix = ".collector";

 private:
  struct Limits {
    Positions after;
    int64_t events_split = -1;
  };
  struct Request {
    Signal signal = Signal::kTraces;
    SharedBytes bytes;
    bool may_be_held = false;
  };
  struct Pending {
    std::string frame;                   // for the state log, before anything else
    std::deque<Request> requests;
    std::optional<Positions> positions;  // to advance to
    bool reopen = false;                 // the reader is ahead of them
  };
  struct EventRecord {
    int64_t sequence = 0;
    std::string bytes;
  };
  class Entries final : public DictionaryEntries {
   public:
    explicit Entries(const std::unique_ptr<ring::RingReader>* reader) : reader_(reader) {}
    std::optional<std::string_view> Find(int64_t reference) const override;

   private:
    const std::unique_ptr<ring::RingReader>* reader_;
  };

  RingDrain(std::string path, const DrainOptions& options, CollectorSink* sink);

  // --- one batch: ring_drain.cc ---
  Status DrainRings(const Limits* limits);
  Status PullEvents();
  Status PullEventsUpTo(int64_t sequence);
  int64_t WriterIndex(ring::RingKind kind) const;
  Result<std::vector<ring::SpanEventView>> TakeSpans(const Limits* limits);
  void TakeEvents(int64_t up_to, bool all_starts_known, bool must_join);
  bool TakeEvent(bool all_starts_known, bool must_join);
  bool JoinParts(bool must_join);
  Status TakeMeasurements(const Limits* limits);
  void Measure(std::string_view record);
  MetricStream* FindStream(ring::Ref metric);
  Result<bool> CollectMetricsIfDue();
  bool IsMeasured() const;
  Status CollectMetrics(uint64_t now, bool replaying);
  uint64_t CollectionTime() const;
  Result<bool> LookForTheDead();
  Status EndSpansOfTheDead();
  Status EndIncomplete(const std::function<bool(uint32_t writer)>& is_gone);
  bool Reaches(const Positions& written) const;
  bool IsDue();
  bool MayWaitNoLonger();

  // --- handing on, and going on after a death: drain_state.cc ---
  struct Frame;
  static std::optional<Frame> ReadFrame(std::string_view bytes);
  void Prepare(uint32_t kind, const Positions& before, int64_t split, bool replaying);
  void AddRequest(Signal signal, ScopeGroups* groups, bool may_be_held);
  Status HandOver();
  Status Restore(const std::vector<std::string>& frames);
  Status RestoreLast(const Frame& frame);
  Status ReplayBatch(const Frame& frame);
  Status SkipTo(const Positions& positions);
  void Apply(const Frame& frame);
  bool ApplyStream(std::string_view saved);
  void WriteState(bool everything, wire::Writer* out);
  Status Snapshot();
  Status Reopen();
  Positions ReaderPositions() const;

  const std::string path_;
  const DrainOptions options_;
  CollectorSink* sink_;
  std::unique_ptr<ring::RingReader> reader_;
  std::optional<StateLog> log_;
  Entries entries_;
  DictionaryConverter converter_;
  ScopeCache scopes_;
  ScopeGroups span_groups_, log_groups_, metric_groups_;
  SpanTable spans_;
  std::map<ring::Ref, MetricStream> streams_;
  std::unordered_set<ring::Ref> unknown_metrics_;

  Positions positions_;              // up to which all is in requests or in the state
  std::deque<EventRecord> events_;   // polled, not taken
  EventParts parts_;                 // of the event that is being taken
  std::unordered_set<int64_t> taken_events_;  // of those behind positions_: parts of a record taken before
  std::optional<Pending> pending_;
  uint64_t last_collection_ = 0;     // nanoseconds since 1970
  uint64_t snapshot_size_ = 0;

  std::optional<std::chrono::steady_clock::time_point> waiting_since_, parts_since_;
  std::chrono::steady_clock::time_point next_collection_, next_liveness_, last_activity_;
  struct Death {  // a look at who lives, to be acted on when all that was written by then is read
    std::vector<uint32_t> live;
    Positions written;
  };
  std::optional<Death> death_;
  bool anybody_lives_ = true;
  DrainCounters counters_;
};

}  // namespace otlp_arrow
