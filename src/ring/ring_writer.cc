#include "otlp_arrow/ring/ring_writer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/platform/shared_file.h"
#include "ring/create_file.h"
#include "ring/definition_writer.h"
#include "ring/dictionary_writer.h"
#include "ring/fitting.h"
#include "ring/geometry.h"
#include "ring/messages.h"
#include "ring/record_writer.h"
#include "ring/ring_output.h"

namespace otlp_arrow::ring {
namespace {

using platform::Mapping;
using platform::SharedFile;

// A file, mapped from its beginning to where its dictionary may grow to.
struct OpenFile {
  SharedFile file;
  Geometry geometry;
  Mapping mapping;
};

Result<OpenFile> OpenRingFile(const std::string& path, const WriterOptions& options) {
  OTLP_ASSIGN_OR_RETURN(SharedFile file, SharedFile::OpenOrCreate(path, [&](SharedFile* created) { return InitialiseFile(created, options); }));
  OTLP_RETURN_NOT_OK(InitialiseIfEmpty(&file, options));
  OTLP_ASSIGN_OR_RETURN(const uint64_t size, file.Size());
  if (size < sizeof(FileHeader)) return ReadGeometry(path, nullptr, size).status();
  OTLP_ASSIGN_OR_RETURN(Mapping headers, file.Map(size, SharedFile::Mode::kReadWrite));
  OTLP_ASSIGN_OR_RETURN(const Geometry geometry, ReadGeometry(path, headers.data(), size));
  OTLP_RETURN_NOT_OK(CheckIndices(path, geometry, headers.data(), size));
  OTLP_RETURN_NOT_OK(file.Reserve(0, size));  // others may have left holes
  const uint64_t most_end = std::max(size, geometry.dictionary + options.dictionary_max_bytes);
  OTLP_ASSIGN_OR_RETURN(Mapping mapping, file.Map(most_end, SharedFile::Mode::kReadWrite));
  return OpenFile{std::move(file), geometry, std::move(mapping)};
}

RecordResult ResultOf(PutResult put) {
  if (put == PutResult::kPut) [[likely]] return RecordResult::kRecorded;
  return put == PutResult::kFull ? RecordResult::kFull : RecordResult::kDropped;
}

}  // namespace

class RingWriter::Impl {
 public:
  Impl(OpenFile file, const WriterOptions& options)
      : file_(std::move(file)),
        header_(reinterpret_cast<FileHeader*>(file_.mapping.data())),
        identity_(&file_.file, header_),
        dictionary_(&file_.file, &identity_, file_.geometry, file_.mapping.data(), file_.mapping.size()),
        state_{header_, &identity_, options.when_full, options.max_block_ms},
        events_(Place(RingKind::kEvents), &state_),
        spans_(Place(RingKind::kSpans), &state_),
        measurements_(Place(RingKind::kMeasurements), &state_) {}

  Result<Ref> Intern(std::string_view bytes, EntryKind kind) { return dictionary_.Intern(bytes, static_cast<uint8_t>(kind)); }
  Status Check(const char* what, Ref ref, Attributes attributes) const;

  // 0 where this process cannot get one; then nothing can be recorded.
  uint32_t Number() {
    const uint32_t number = identity_.number();
    if (number != 0) [[likely]] return number;
    const auto made = identity_.Ensure();
    return made.ok() ? *made : 0;
  }
  template <class Content>
  static SpanEventRecord<Content> RecordOf(const SpanKey& span, uint32_t event_field, const Content& content) {
    return {span.scope, span.trace_id.data(), span.span_id.data(), event_field, content};
  }
  bool AreValid(Ref ref, Attributes attributes) const {
    const RefRange refs = dictionary_.refs();
    return refs.Holds(ref) && ring::AreValid(attributes, refs);
  }

  OpenFile file_;
  FileHeader* header_;
  WriterIdentity identity_;
  DictionaryWriter dictionary_;
  OutputState state_;
  RingOutput events_, spans_, measurements_;

 private:
  RingPlace Place(RingKind kind) { return file_.geometry.Place(kind, file_.mapping.data()); }
};

Status RingWriter::Impl::Check(const char* what, Ref ref, Attributes attributes) const {
  const RefRange refs = dictionary_.refs();
  const std::string range = " (the dictionary of '" + file_.file.path() + "' reaches from " + std::to_string(refs.first) + " to " + std::to_string(refs.end) + ")";
  if (!refs.Holds(ref)) return Status::Export(std::string(what) + " " + std::to_string(ref) + " is no reference that this file gave" + range);
  for (const Attribute& attribute : attributes) {
    if (!refs.Holds(attribute.key)) return Status::Export("key " + std::to_string(attribute.key) + " is no reference that this file gave" + range);
    if (!IsValid(attribute.value, refs)) {
      return Status::Export("the value of attribute " + std::to_string(attribute.key) + " nests deeper than " + std::to_string(kMaxValueDepth) +
                            " levels, or holds a reference that this file did not give" + range);
    }
  }
  return Status::Ok();
}

Result<std::unique_ptr<RingWriter>> RingWriter::Open(const std::string& path, const WriterOptions& options) {
  OTLP_RETURN_NOT_OK(Validate(options));
  OTLP_ASSIGN_OR_RETURN(OpenFile file, OpenRingFile(path, options));
  auto impl = std::make_unique<Impl>(std::move(file), options);
  OTLP_RETURN_NOT_OK(impl->identity_.Ensure().status());
  return std::unique_ptr<RingWriter>(new RingWriter(std::move(impl)));
}

RingWriter::RingWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RingWriter::~RingWriter() = default;

Result<Ref> RingWriter::InternString(std::string_view text) { return impl_->Intern(text, EntryKind::kString); }

Result<Ref> RingWriter::CreateResource(const ResourceDefinition& resource) {
  OTLP_RETURN_NOT_OK(impl_->Check("resource", 0, resource.attributes));
  return impl_->Intern(ResourceBytes(resource), EntryKind::kResource);
}

Result<Ref> RingWriter::CreateScope(const ScopeDefinition& scope) {
  OTLP_RETURN_NOT_OK(impl_->Check("resource", scope.resource, scope.attributes));
  OTLP_ASSIGN_OR_RETURN(const Ref name, InternString(scope.name));
  OTLP_ASSIGN_OR_RETURN(const Ref version, InternString(scope.version));
  return impl_->Intern(ScopeBytes(scope, name, version), EntryKind::kScope);
}

Result<Ref> RingWriter::CreateMetric(const MetricDefinition& metric) {
  OTLP_RETURN_NOT_OK(impl_->Check("scope", metric.scope, {}));
  return impl_->Intern(MetricBytes(metric), EntryKind::kMetric);
}

bool RingWriter::IsKnown(Ref ref, EntryKind kind) const { return impl_->dictionary_.IsKnown(ref, static_cast<uint8_t>(kind)); }

RecordResult RingWriter::RecordSpanStart(const SpanStart& span) noexcept {
  if (!impl_->AreValid(span.scope, span.attributes)) return RecordResult::kInvalid;
  const StartContent content = {span, span.attributes, span.name, span.trace_state, impl_->Number(), span.dropped_attributes_count};
  const PutResult put = impl_->spans_.Put(Impl::RecordOf({span.scope, span.trace_id, span.span_id}, field::kSpanStart, content));
  if (put != PutResult::kTooLarge) [[likely]] return ResultOf(put);
  return FitSpanStart(&impl_->spans_, &impl_->state_, span);
}

RecordResult RingWriter::RecordSpanEnd(const SpanKey& span, uint64_t end_time_unix_nano, const SpanStatus& status, const SpanDropped& dropped) noexcept {
  if (!impl_->AreValid(span.scope, {})) return RecordResult::kInvalid;
  const EndContent end = {end_time_unix_nano, status, dropped};
  const PutResult put = impl_->spans_.Put(Impl::RecordOf(span, field::kSpanEnd, end));
  if (put != PutResult::kTooLarge) [[likely]] return ResultOf(put);
  return FitSpanEnd(&impl_->spans_, &impl_->state_, span, end);
}

RecordResult RingWriter::RecordSpanName(const SpanKey& span, std::string_view name) noexcept {
  if (!impl_->AreValid(span.scope, {})) return RecordResult::kInvalid;
  const PutResult put = impl_->spans_.Put(Impl::RecordOf(span, field::kSpanName, NameContent{name}));
  if (put != PutResult::kTooLarge) [[likely]] return ResultOf(put);
  return FitSpanName(&impl_->spans_, &impl_->state_, span, name);
}

RecordResult RingWriter::RecordSpanAttributes(const SpanKey& span, Attributes attributes) noexcept {
  if (!impl_->AreValid(span.scope, attributes)) return RecordResult::kInvalid;
  const PutResult put = impl_->spans_.Put(Impl::RecordOf(span, field::kSpanAttributes, UpdateContent{attributes}));
  if (put != PutResult::kTooLarge) [[likely]] return ResultOf(put);
  return FitSpanAttributes(&impl_->spans_, &impl_->state_, span, attributes);
}

RecordResult RingWriter::RecordSpanLink(const SpanKey& span, const SpanLink& link) noexcept {
  if (!impl_->AreValid(span.scope, link.attributes)) return RecordResult::kInvalid;
  const LinkContent content = {link, link.attributes, link.trace_state, link.dropped_attributes_count};
  const PutResult put = impl_->spans_.Put(Impl::RecordOf(span, field::kSpanLink, content));
  if (put != PutResult::kTooLarge) [[likely]] return ResultOf(put);
  return FitSpanLink(&impl_->spans_, &impl_->state_, span, link);
}

RecordResult RingWriter::RecordSpanStatus(const SpanKey& span, const SpanStatus& status) noexcept {
  if (!impl_->AreValid(span.scope, {})) return RecordResult::kInvalid;
  const PutResult put = impl_->spans_.Put(Impl::RecordOf(span, field::kSpanAttributes, StatusContent{status}));
  if (put != PutResult::kTooLarge) [[likely]] return ResultOf(put);
  return FitSpanStatus(&impl_->spans_, &impl_->state_, span, status);
}

RecordResult RingWriter::RecordMeasurement(const Measurement& measurement) noexcept {
  if (measurement.metric == 0 || !impl_->AreValid(measurement.metric, measurement.attributes)) return RecordResult::kInvalid;
  const PutResult put = impl_->measurements_.Put(MeasurementRecord{measurement, measurement.attributes});
  if (put != PutResult::kTooLarge) [[likely]] return ResultOf(put);
  return FitMeasurement(&impl_->measurements_, &impl_->state_, measurement);
}

RecordResult RingWriter::RecordEvent(const Event& event) noexcept {
  const RefRange refs = impl_->dictionary_.refs();
  if (!refs.Holds(event.scope) || !refs.Holds(event.event_name) || !IsValid(event.body, refs) || !AreValid(event.attributes, refs)) {
    return RecordResult::kInvalid;
  }
  const PutResult put =
      impl_->events_.Put(EventRecord{event, event.body, event.attributes, event.severity_text, event.dropped_attributes_count});
  if (put != PutResult::kTooLarge) [[likely]] return ResultOf(put);
  return FitEvent(&impl_->events_, &impl_->state_, event);
}

bool RingWriter::WaitForRoom(RingKind ring, uint32_t milliseconds) noexcept {
  RingOutput* const outputs[] = {&impl_->events_, &impl_->spans_, &impl_->measurements_};
  return outputs[static_cast<size_t>(ring)]->WaitForRoom(std::chrono::milliseconds(milliseconds));
}

void RingWriter::CountDropped(uint32_t n) noexcept { impl_->state_.CountDropped(n); }

WriterCounters RingWriter::counters() const {
  const auto load = [](const std::atomic<uint64_t>& counter) { return counter.load(std::memory_order_relaxed); };
  return {load(impl_->state_.dropped), load(impl_->state_.truncated), load(impl_->state_.reclaimed)};
}

uint32_t RingWriter::number() const { return impl_->identity_.number(); }
const std::string& RingWriter::path() const { return impl_->file_.file.path(); }

}  // namespace otlp_arrow::ring
