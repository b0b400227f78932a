// Spans of the native SDK. What is told about one is in its recorder's ring when the call returns.
#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "otlp_arrow/export.h"
#include "otlp_arrow/ring/ring_writer.h"
#include "otlp_arrow/sdk/attributes.h"
#include "otlp_arrow/sdk/context.h"
#include "otlp_arrow/sdk/sampler.h"
#include "otlp_arrow/telemetry.h"

namespace otlp_arrow::sdk {

class TracerCore;

struct LinkView {
  const SpanContext& context;
  AttributeList attributes{};
};

// {{context, {{"kind", "retry"}}}} or an array: for the length of a call.
class LinkList {
 public:
  LinkList() = default;
  LinkList(std::initializer_list<LinkView> links) : size_(links.size()) { first_ = links.begin(); }  // NOLINT
  LinkList(std::span<const LinkView> links) : first_(links.data()), size_(links.size()) {}           // NOLINT

  const LinkView* begin() const { return first_; }
  const LinkView* end() const { return first_ + size_; }

 private:
  const LinkView* first_ = nullptr;
  size_t size_ = 0;
};

struct SpanOptions {
  SpanKind kind = SpanKind::kInternal;
  const SpanContext* parent = nullptr;  // null: the current one of the thread
  bool is_root = false;                 // without a parent
  uint64_t start_time_unix_nano = 0;    // 0: now
  AttributeList attributes{};
  LinkList links{};
  const SamplingResult* decision = nullptr;  // made already; null: the sampler is asked
  TraceId trace_id{};                        // of a root; empty: a random one
};

// One at work. For one thread at a time; may be moved to another, but not while it is in a Scope. It ends when it goes out of
// scope. After its end, after the provider's shutdown, and in a child that is forked meanwhile, calls do nothing. Its tracer
// outlives it.
class OTLP_ARROW_EXPORT Span {
 public:
  Span() = default;  // records nothing
  ~Span() { End(); }
  Span(Span&& other) noexcept;
  Span& operator=(Span&& other) noexcept;

  // A key that was set before has the last value.
  void SetAttribute(std::string_view key, const AttributeValue& value) noexcept;
  void SetAttributes(AttributeList attributes) noexcept;
  void AddEvent(std::string_view name, AttributeList attributes = {}, uint64_t time_unix_nano = 0) noexcept;
  void AddLink(const SpanContext& context, AttributeList attributes = {}) noexcept;
  // kOk is final, kUnset does nothing; the description is that of an error.
  void SetStatus(SpanStatusCode code, std::string_view description = {}) noexcept;
  void UpdateName(std::string_view name) noexcept;
  // An event "exception" with exception.type, exception.message and exception.stacktrace. The status is left alone.
  void RecordException(const std::exception& exception, AttributeList attributes = {}) noexcept;
  void RecordException(std::string_view type, std::string_view message, std::string_view stacktrace = {}, AttributeList attributes = {}) noexcept;
  // 0: now. Never before the start.
  void End(uint64_t end_time_unix_nano = 0) noexcept;

  bool IsRecording() const noexcept { return writer_ && IsAlive(); }
  const SpanContext& context() const noexcept { return context_; }

 private:
  friend class TracerCore;

  bool IsAlive() const noexcept;
  ring::SpanKey Key() const noexcept { return {scope_, context_.trace_id.bytes, context_.span_id.bytes}; }
  // Whether an attribute with this key still has room; counts those that have none.
  bool Admit(ring::Ref key) noexcept;
  bool Knows(uint32_t key) const noexcept;
  void RecordAttributes(AttributeList attributes) noexcept;

  static constexpr uint32_t kInlineKeys = 16;

  ring::RingWriter* writer_ = nullptr;  // null: not recording
  const TracerCore* tracer_ = nullptr;
  ring::Ref scope_ = 0;
  SpanContext context_;
  uint64_t start_ = 0;
  uint32_t epoch_ = 0;
  uint32_t keys_ = 0;  // attributes with different keys
  uint32_t events_ = 0, links_ = 0;
  ring::SpanDropped dropped_;
  SpanStatusCode status_ = SpanStatusCode::kUnset;
  std::array<uint32_t, kInlineKeys> known_keys_;  // their references' lower halves
  std::vector<uint32_t> more_keys_;
};

// Makes spans of one instrumentation scope. Cheap to copy, for any thread; keeps its provider.
class OTLP_ARROW_EXPORT Tracer {
 public:
  Tracer() = default;  // its spans record nothing
  explicit Tracer(std::shared_ptr<const TracerCore> core) : core_(std::move(core)) {}

  Span Start(std::string_view name, const SpanOptions& options = {}) const noexcept;

 private:
  std::shared_ptr<const TracerCore> core_;
};

}  // namespace otlp_arrow::sdk
