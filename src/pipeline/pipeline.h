// The one door for telemetry. Servers, exporters and collectors hand OTLP bytes to Pipeline::Accept; it validates,
// admits them against the memory budget, journals them, and only then says OK. Background workers turn them into files.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "otlp/payload.h"
#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"
#include "pipeline/byte_pool.h"
#include "pipeline/compaction_stats.h"
#include "schema/decoder_options.h"
#include "storage/ledger.h"

namespace otlp_arrow {

class Clock;

// What the sender of a request is to be told.
struct AcceptResult {
  // OK: everything but `rejected_items` is kept, at the configured level. Otherwise nothing of the request is kept:
  // kExport, not retryable: malformed; kExport, retryable: no room, try after `retry_after`;
  // kIo, retryable: the disk refused (full, read-only); kShutdown (retryable elsewhere): going down.
  Status status;
  int64_t accepted_items = 0;
  int64_t rejected_items = 0;       // invalid items left out; `rejected_reason` says why (for partial_success)
  std::string rejected_reason;
  std::chrono::milliseconds retry_after{0};
};

// What a pipeline takes for itself, besides what waits on the memory budget.
struct PipelineMemory {
  DecoderOptions batches;                     // each worker holds the rows of one batch for each signal
  size_t block_bytes = BytePool::kBlockBytes;  // the bytes of requests are gathered in blocks of this size, …
  size_t spare_blocks = BytePool::kSpareBlocks;  // … as many of which stay for the next ones
};

// How full a pipeline is, besides its ledger.
struct PipelineStats {
  uint64_t queued_bytes = 0;       // accepted and not yet turned into Arrow
  uint64_t memory_budget = 0;      // what those may be
  uint64_t waiting_requests = 0;   // for room in the budget
  uint64_t journal_bytes = 0;      // on the disk, of what is in no file yet
  uint64_t journal_max_bytes = 0;  // what those may be, of all workers
  uint64_t workers = 0;
  CompactionStats compaction;
};

class Pipeline {
 public:
  using AcceptCallback = std::function<void(AcceptResult)>;

  // Opens the store under config.output_dir: creates it, adopts the journals of dead writers, starts the workers.
  // Errors: kConfig for invalid values, kIo where the directory cannot be created, written or locked.
  static Result<std::unique_ptr<Pipeline>> Open(const Config& config, std::shared_ptr<Clock> clock = nullptr, PipelineMemory memory = {});

  // Shuts down with config.shutdown_timeout_secs if Shutdown() was not called.
  virtual ~Pipeline() = default;

  // Takes one OTLP request. Calls `done` exactly once: on this thread before returning (the rule), or later on
  // another thread, where the request waits for room or for a group commit. Never blocks for long, never throws;
  // callable from any thread. `done` must not block and must not call back into the pipeline.
  virtual void Accept(Signal signal, SharedBytes bytes, AcceptCallback done) = 0;

  // The same, waiting for the outcome.
  AcceptResult AcceptAndWait(Signal signal, SharedBytes bytes);

  // Memory for a request's bytes from the pipeline's pool, `size` bytes plus readable slack behind them. Servers
  // gather a request into it so that nothing is copied again. Give the filled buffer back through Accept.
  struct WritableBytes {
    std::shared_ptr<void> owner;
    char* data = nullptr;
    size_t size = 0;
    SharedBytes Share() && { return {std::move(owner), {data, size}}; }
  };
  virtual WritableBytes Allocate(size_t size) = 0;

  // Returns when everything accepted before the call is in readable files (of a relay: sent on), or with an error: kIo where
  // files could not be written, kShutdown, or kExport (retryable) when `timeout` ran out.
  virtual Status Flush(std::chrono::milliseconds timeout) = 0;

  // Stops accepting, writes everything, releases the journal. What could not be written within `timeout` stays in
  // the journal for the next start (then the status says so). Later calls return the first one's outcome.
  virtual Status Shutdown(std::chrono::milliseconds timeout) = 0;

  // Is it taking data: false after Shutdown began, and while the last write to the journal or a file failed.
  // `why` (may be null) receives the reason.
  virtual bool Ready(std::string* why) const = 0;

  // Counters since Open(); see storage/ledger.h for the equation that they satisfy.
  virtual Ledger GetLedger() const = 0;

  // Counts items that a server refused before they reached Accept (too large, unreadable encoding, …); `items` may
  // be 0 where their number is unknown.
  virtual void CountRefused(Signal signal, int64_t items, std::string_view reason) = 0;

  // Bytes accepted and not yet turned into Arrow.
  virtual uint64_t QueuedBytes() const = 0;

  virtual PipelineStats GetStats() const { return {}; }

  // Takes over what can change while it runs (retention, limits, the memory budget, compaction); the rest of `config` is not looked at.
  // Thread-safe. Errors: kConfig for values that cannot be, and then nothing changes.
  virtual Status Reconfigure(const Config& config) { return config.Validate(); }

  // What became of the items for each destination of config.forwarding since Open(), with what dead writers had left.
  virtual std::vector<DestinationStats> ForwardingStats() const { return {}; }
};

}  // namespace otlp_arrow
