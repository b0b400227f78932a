// Any bytes as a file, and as the messages in it. The first byte selects: 0, a file, for all who open such files; else one
// message. What is read must lie in what was given.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "ring/records.h"
#include "ring/ring_reader.h"
#include "otlp_arrow/ring/ring_writer.h"

namespace otlp_arrow::ring {
namespace {

uint64_t sum = 0;  // of all bytes that were read

void Touch(std::string_view bytes) {
  for (const char c : bytes) sum += static_cast<unsigned char>(c);
}

void Touch(const AnyView& any, int depth);

void Touch(const Repeated& attributes, int depth = 0) {
  for (std::string_view element : attributes) Touch(ReadAttribute(element).value, depth);
}

void Touch(const AnyView& any, int depth) {
  if (depth > 2 * kMaxValueDepth) std::abort();  // checked messages are not so deep
  Touch(any.bytes);
  if (any.type == Value::Type::kMap) Touch(any.elements, depth + 1);
  if (any.type != Value::Type::kArray) return;
  for (std::string_view element : any.elements) Touch(ReadAny(element), depth + 1);
}

void TouchId(std::string_view id, size_t size) {
  if (!id.empty() && id.size() != size) std::abort();
  Touch(id);
}

void Touch(const ContextView& context) {
  TouchId(context.trace_id, 16);
  TouchId(context.span_id, 8);
}

struct EventToucher {
  void operator()(std::monostate) const {}
  void operator()(const StartSpanView& start) const {
    TouchId(start.parent_span_id, 8);
    Touch(start.name);
    Touch(start.trace_state);
    Touch(start.attributes);
  }
  void operator()(const EndSpanView& end) const {
    if (end.status) Touch(end.status->message);
  }
  void operator()(const ChangeNameView& change) const { Touch(change.name); }
  void operator()(const UpdateAttributesView& update) const {
    Touch(update.attributes);
    if (update.status) Touch(update.status->message);
    if (const auto whole = ReadUpdate(update.piece)) Touch(whole->attributes);
  }
  void operator()(const AddLinkView& add) const {
    for (std::string_view element : add.links) {
      const LinkView link = ReadLink(element);
      Touch(link.context);
      Touch(link.trace_state);
      Touch(link.attributes);
    }
  }
};

void ReadMessage(uint8_t which, std::string_view bytes) {
  switch (which % 6) {
    case 0:
      if (const auto span = ReadSpanEvent(bytes)) {
        if (span->trace_id.size() != 16 || span->span_id.size() != 8) std::abort();
        std::visit(EventToucher{}, span->event);
      }
      break;
    case 1:
      if (const auto measurement = ReadMeasurement(bytes)) {
        Touch(measurement->attributes);
        if (measurement->context) Touch(*measurement->context);
      }
      break;
    case 2:
      if (const auto event = ReadEvent(bytes)) {
        if (event->body) Touch(*event->body, 0);
        if (event->context) Touch(*event->context);
        Touch(event->severity_text);
        Touch(event->attributes);
        if (const auto whole = ReadEvent(event->piece)) Touch(whole->attributes);
      }
      break;
    case 3:
      if (const auto resource = ReadResource(bytes)) {
        Touch(resource->attributes);
        Touch(resource->schema_url);
      }
      break;
    case 4:
      if (const auto scope = ReadScope(bytes)) {
        Touch(scope->attributes);
        Touch(scope->schema_url);
      }
      break;
    default:
      if (const auto metric = ReadMetric(bytes)) {
        Touch(metric->name);
        Touch(metric->description);
        Touch(metric->unit);
      }
  }
}

// In memory; opened by the name that the system has for it.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(::memfd_create("ring", 0)) {
    if (fd_ < 0 || ::write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
    path_ = "/proc/self/fd/" + std::to_string(fd_);
  }
  ~MemoryFile() { ::close(fd_); }
  const std::string& path() const { return path_; }

 private:
  int fd_;
  std::string path_;
};

void Write(const std::string& path) {
  WriterOptions options;
  options.dictionary_max_bytes = 1 << 16;
  const auto writer = RingWriter::Open(path, options);
  if (!writer.ok()) return;
  const auto key = (*writer)->InternString("a new key");
  const std::array<uint8_t, 16> trace{1};
  const std::array<uint8_t, 8> span{2};
  const std::string text(1000, 'x');
  const Attribute attributes[] = {{key.ok() ? *key : 0, 1}, {0, text}};
  SpanStart start = {.trace_id = trace, .span_id = span, .name = "name"};
  start.attributes = attributes;
  for (int i = 0; i < 5; ++i) (void)(*writer)->RecordSpanStart(start);
  Event event;
  event.body = text;
  (void)(*writer)->RecordEvent(event);
}

void Read(const std::string& path) {
  ReaderOptions options;
  options.claim_timeout = options.foreign_claim_timeout = std::chrono::milliseconds(0);
  const auto reader = RingReader::Open(path, options);
  if (!reader.ok()) return;
  for (const RingKind kind : kAllRings) {
    for (int round = 0; round < 3; ++round) {
      const auto batch = (*reader)->Poll(kind, 100);
      if (!batch.ok()) break;
      for (const RecordView& record : *batch) {
        for (uint8_t which = 0; which < 6; ++which) ReadMessage(which, record.bytes);
        if (const auto span = ReadSpanEvent(record.bytes)) (void)(*reader)->Entry(span->scope);
      }
      (*reader)->Advance(kind, (*reader)->last_read(kind));
    }
  }
  (void)(*reader)->HasData();
  (void)(*reader)->stats();
}

void Inspect(const std::string& path) {
  const auto inspector = RingInspector::Open(path);
  if (!inspector.ok()) return;
  for (const RingKind kind : kAllRings) {
    for (const RingInspector::Slot& slot : (*inspector)->LastSlots(kind, 50)) Touch(slot.bytes);
  }
  const auto entries = (*inspector)->Entries();
  if (!entries.ok()) return;
  for (const auto& entry : *entries) {
    const auto same = (*inspector)->Entry(entry.ref);
    if (!same.ok() || *same != entry.bytes) std::abort();
    for (uint8_t which = 0; which < 6; ++which) ReadMessage(which, entry.bytes);
  }
}

}  // namespace
}  // namespace otlp_arrow::ring

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace otlp_arrow::ring;  // NOLINT
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] != 0) {
    ReadMessage(data[0], bytes);
    return 0;
  }
  const MemoryFile file(bytes);
  Inspect(file.path());
  Read(file.path());
  Write(file.path());
  Read(file.path());
  return 0;
}
