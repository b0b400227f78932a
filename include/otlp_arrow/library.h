// The recorder inside a program: telemetry goes in as plain data or OTLP requests and comes out as Arrow files under
// Config::output_dir. Everything that embeds it (exporters, bindings, examples) goes through this class.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "otlp_arrow/config.h"
#include "otlp_arrow/export.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "otlp_arrow/telemetry.h"

namespace otlp_arrow {

// What became of one request.
struct ExportOutcome {
  int64_t accepted_items = 0;   // spans, data points or log records that are kept
  int64_t rejected_items = 0;   // invalid items that were left out
  std::string rejected_reason;  // why; empty where none were
};

// Items of one signal since the library was created: received = stored + relayed + in_flight + expired + the sums of
// `refused` and `invalid`.
struct SignalStats {
  struct Reason {
    std::string reason;
    int64_t items = 0;
  };
  int64_t received = 0;
  int64_t stored = 0;     // in readable files
  int64_t relayed = 0;    // with Config::store false: sent on, or given up, at every destination
  int64_t in_flight = 0;  // accepted, not in a file yet
  int64_t expired = 0;    // deleted by retention
  std::vector<Reason> refused;  // no room, shut down, disk trouble
  std::vector<Reason> invalid;  // malformed
};

struct LibraryStats {
  SignalStats signals[kSignalCount];  // by Signal
  uint64_t queued_bytes = 0;          // accepted and not yet turned into Arrow
  std::vector<DestinationStats> destinations;  // of Config::forwarding
};

// Thread-safe. After fork() the child may go on using it: it records under a writer of its own, what the parent had
// accepted stays the parent's. The last owner's release shuts it down with Config::shutdown_timeout_secs.
class OTLP_ARROW_EXPORT OtlpLibrary {
 public:
  // Opens the store under config.output_dir (created where missing), takes over what dead writers left there and starts
  // the workers. Config::grpc and Config::http are not looked at: a library listens to nobody.
  // Errors: kConfig, kIo.
  static Result<std::shared_ptr<OtlpLibrary>> Create(const Config& config = {});

  virtual ~OtlpLibrary() = default;

  // Plain data, encoded at once: nothing that is passed is kept or referred to afterwards. Invalid items (text that is no
  // UTF-8) are left out and counted in the outcome; nothing at all is OK too. Otherwise as ExportOtlp.
  Result<ExportOutcome> ExportTrace(const Span& span, const Resource& resource = {}, const InstrumentationScope& scope = {});
  Result<ExportOutcome> ExportTraces(std::span<const Span> spans, const Resource& resource = {},
                                     const InstrumentationScope& scope = {});
  Result<ExportOutcome> ExportTraces(const ResourceSpans& spans);
  // For metrics that the caller has no further use for. They are freed before the library waits for room.
  Result<ExportOutcome> ExportMetrics(ResourceMetrics metrics);
  // For metrics that stay the caller's. No heap allocation for any data point, once the thread's buffer has grown.
  Result<ExportOutcome> ExportMetricsRef(const ResourceMetrics& metrics);
  Result<ExportOutcome> ExportLogs(std::span<const LogRecord> records, const Resource& resource = {},
                                   const InstrumentationScope& scope = {});
  Result<ExportOutcome> ExportLogs(const ResourceLogs& logs);

  // Takes one export request of the signal in protobuf form (ExportTraceServiceRequest and its sisters; TracesData is
  // the same on the wire). On return it is kept at Config::acknowledge's level. Waits up to
  // Config::admission_timeout_ms for room. Errors: kExport (malformed, or BUFFER_FULL, then retryable), kIo, kShutdown.
  virtual Result<ExportOutcome> ExportOtlp(Signal signal, std::string request) = 0;
  // The same from a buffer that the caller keeps and uses again: the bytes are copied into the library's own memory.
  virtual Result<ExportOutcome> ExportOtlpRef(Signal signal, std::string_view request) = 0;

  // The same without waiting: `done` is called exactly once, before this returns (the rule) or later on another thread,
  // where the request waits for room or for the device. It must not block, throw, or call the library.
  using ExportCallback = std::function<void(Result<ExportOutcome>)>;
  virtual void StartExportOtlp(Signal signal, std::string request, ExportCallback done) = 0;

  // Returns when everything accepted before the call is in readable files. Errors: kIo, kShutdown, kExport (retryable)
  // when `timeout` ran out.
  virtual Status Flush(std::chrono::milliseconds timeout = std::chrono::seconds(30)) = 0;

  // Stops taking data and writes what is under way. What could not be written within `timeout` stays in the journal and
  // is stored by the next start. Later calls return the first one's outcome.
  virtual Status Shutdown(std::chrono::milliseconds timeout) = 0;
  Status Shutdown() { return Shutdown(std::chrono::seconds(config().shutdown_timeout_secs)); }

  virtual bool is_shut_down() const = 0;
  virtual LibraryStats Stats() const = 0;
  virtual const Config& config() const = 0;
};

}  // namespace otlp_arrow
