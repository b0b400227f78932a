// OtlpLibrary's methods for plain data: they write OTLP into a buffer of the thread and hand that on.
#include <new>
#include <stdexcept>

#include "otlp/telemetry/encode.h"
#include "otlp_arrow/library.h"

namespace otlp_arrow {
namespace {

// A thread that once wrote a larger request gives its memory back.
constexpr size_t kMostKept = 1 << 20;

// The thread's writer, empty.
class ScratchWriter {
 public:
  ScratchWriter() { writer().Clear(); }
  ~ScratchWriter() {
    if (writer().capacity() > kMostKept) (void)writer().Take();
  }
  ScratchWriter(const ScratchWriter&) = delete;
  ScratchWriter& operator=(const ScratchWriter&) = delete;

  wire::Writer* get() { return &writer(); }

 private:
  static wire::Writer& writer() {
    thread_local wire::Writer writer;
    return writer;
  }
};

Status OutOfMemory() {
  return Status::BufferFull("there is no memory for the request; nothing of it is kept: try again, or with fewer items at a time");
}

template <class Encode>
Result<ExportOutcome> Export(OtlpLibrary* library, Signal signal, Encode encode) {
  try {
    ScratchWriter writer;
    encode(writer.get());
    return library->ExportOtlpRef(signal, writer.get()->view());
  } catch (const std::bad_alloc&) {
    return OutOfMemory();
  } catch (const std::length_error&) {
    return OutOfMemory();
  }
}

}  // namespace

Result<ExportOutcome> OtlpLibrary::ExportTrace(const Span& span, const Resource& resource, const InstrumentationScope& scope) {
  return ExportTraces({&span, 1}, resource, scope);
}

Result<ExportOutcome> OtlpLibrary::ExportTraces(std::span<const Span> spans, const Resource& resource, const InstrumentationScope& scope) {
  return Export(this, Signal::kTraces, [&](wire::Writer* out) { EncodeTraces(spans, resource, scope, out); });
}

Result<ExportOutcome> OtlpLibrary::ExportTraces(const ResourceSpans& spans) {
  return Export(this, Signal::kTraces, [&](wire::Writer* out) { EncodeTraces(spans, out); });
}

Result<ExportOutcome> OtlpLibrary::ExportMetrics(ResourceMetrics metrics) {
  return Export(this, Signal::kMetrics, [&](wire::Writer* out) {
    EncodeMetrics(metrics, out);
    metrics = {};
  });
}

Result<ExportOutcome> OtlpLibrary::ExportMetricsRef(const ResourceMetrics& metrics) {
  return Export(this, Signal::kMetrics, [&](wire::Writer* out) { EncodeMetrics(metrics, out); });
}

Result<ExportOutcome> OtlpLibrary::ExportLogs(std::span<const LogRecord> records, const Resource& resource, const InstrumentationScope& scope) {
  return Export(this, Signal::kLogs, [&](wire::Writer* out) { EncodeLogs(records, resource, scope, out); });
}

Result<ExportOutcome> OtlpLibrary::ExportLogs(const ResourceLogs& logs) {
  return Export(this, Signal::kLogs, [&](wire::Writer* out) { EncodeLogs(logs, out); });
}

}  // namespace otlp_arrow
