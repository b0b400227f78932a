#include "mmap_exporter.h"

#include <cstdlib>
#include <utility>

#include "bindings.h"
#include "mmap_arguments.h"

namespace otlp_arrow::python {
namespace {

constexpr const char* kVariable = "SDK_MMAP_EXPORTER_FILE";

const char* WhoGives(ring::EntryKind kind) {
  switch (kind) {
    case ring::EntryKind::kString: return "record_string";
    case ring::EntryKind::kResource: return "create_resource";
    case ring::EntryKind::kScope: return "create_instrumentation_scope";
    case ring::EntryKind::kMetric: break;
  }
  return "create_metric_stream";
}

}  // namespace

MmapExporter::MmapExporter(std::string path, const ring::WriterOptions& options) { OpenFile(std::move(path), options); }

void MmapExporter::OpenFile(std::string path, const ring::WriterOptions& options) {
  Result<std::unique_ptr<ring::RingWriter>> opened = [&] {
    GilRelease release;
    return ring::RingWriter::Open(path, options);
  }();
  std::unique_ptr<ring::RingWriter> writer = ValueOrRaise(std::move(opened));
  if (writer_ || is_closed_) return;  // another thread was faster
  writer_ = std::move(writer);
  path_ = std::move(path);
  may_wait_ = options.when_full == ring::WhenFull::kBlock;
}

void MmapExporter::Open(const char* function) {
  if (is_closed_) Raise({StatusCode::kShutdown, std::string(function) + ": the exporter of '" + path_ + "' is closed; make a new one"});
  const char* path = std::getenv(kVariable);
  if (!path || !*path) {
    Raise(Status::Config(std::string(function) + ": no file to record into: the environment variable " + kVariable + " is " +
                         (path ? "empty" : "not set") + "; set it to the path of the file (export " + kVariable +
                         "=/dev/shm/program.mmap) before the first call, or use MmapExporter(path)"));
  }
  OpenFile(path, {});
  if (is_closed_) Open(function);
}

void MmapExporter::Close() {
  is_closed_ = true;
  if (uses_ == 0) Free();
}

void MmapExporter::Free() {
  if (!writer_) return;
  last_counters_ = writer_->counters();
  writer_.reset();
}

ring::Ref MmapExporter::RefArgument(const Argument& argument, ring::EntryKind kind) {
  if (kind == ring::EntryKind::kString && IsNone(argument.value)) return 0;
  const ring::Ref ref = IntegerArgument(argument, INT64_MIN, INT64_MAX, "an int that this exporter gave");
  KnownRef& known = known_[static_cast<uint64_t>(ref) % known_.size()];
  const auto bit = static_cast<uint8_t>(kind);
  if (known.ref == ref && (known.kinds & bit) != 0) [[likely]] return ref;
  if (ref == 0 && kind != ring::EntryKind::kMetric) return ref;  // what is empty has this reference
  if (!writer_->IsKnown(ref, kind)) {
    Raise(Status::Export(std::string(argument.function) + ": " + argument.name + " is " + std::to_string(ref) + ", and must be a reference that " +
                         WhoGives(kind) + " gave for '" + path_ + "' in this process"));
  }
  known = {ref, static_cast<uint8_t>(known.ref == ref ? known.kinds | bit : bit)};
  return ref;
}

void MmapExporter::RaiseInvalid(const char* function) const {
  Raise(Status::Export(std::string(function) + ": '" + path_ + "' did not take the record: a reference is none of this file, or values nest deeper than " +
                       std::to_string(ring::kMaxValueDepth) + " levels"));
}

}  // namespace otlp_arrow::python
