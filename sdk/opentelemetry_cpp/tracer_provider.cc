#include <algorithm>
#include <chrono>
#include <mutex>
#include <new>
#include <utility>

#include <opentelemetry/sdk/trace/sampler.h>
#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/tracer.h>

#include "api_context.h"
#include "converted_attributes.h"
#include "otlp_arrow/opentelemetry_sdk.h"
#include "otlp_arrow/sdk/ids.h"

namespace otlp_arrow::bridge {
namespace {

namespace common = opentelemetry::common;
namespace nostd = opentelemetry::nostd;
namespace foreign = opentelemetry::sdk::trace;
using std::chrono::nanoseconds;

// A call that must not fail: there may be no memory.
template <class Call>
void Guarded(Call&& call) noexcept {
  try {
    call();
  } catch (...) {
  }
}

int64_t SteadyNow() { return std::chrono::duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

class ApiTracer;

// Unlike one of the native SDK, for any number of threads at once.
class ApiSpan final : public api::Span {
 public:
  ApiSpan(std::shared_ptr<const ApiTracer> tracer, sdk::Span span, api::SpanContext context, uint64_t start, int64_t steady_start) noexcept
      : tracer_(std::move(tracer)), span_(std::move(span)), context_(std::move(context)), start_(start), steady_start_(steady_start) {}

  void SetAttribute(nostd::string_view key, const common::AttributeValue& value) noexcept override {
    ConvertedAttributes attributes;
    attributes.Add(View(key), value);
    const std::lock_guard lock(mutex_);
    span_.SetAttributes(attributes.view());
  }
  void AddEvent(nostd::string_view name) noexcept override { AddEventAt(name, 0, {}); }
  void AddEvent(nostd::string_view name, common::SystemTimestamp time) noexcept override { AddEventAt(name, NanosecondsOf(time), {}); }
  void AddEvent(nostd::string_view name, const common::KeyValueIterable& attributes) noexcept override {
    AddEventAt(name, 0, ConvertedAttributes(attributes).view());
  }
  void AddEvent(nostd::string_view name, common::SystemTimestamp time, const common::KeyValueIterable& attributes) noexcept override {
    AddEventAt(name, NanosecondsOf(time), ConvertedAttributes(attributes).view());
  }
#if OPENTELEMETRY_ABI_VERSION_NO >= 2
  void AddLink(const api::SpanContext& target, const common::KeyValueIterable& attributes) noexcept override {
    Guarded([&] {
      const sdk::SpanContext context = FromApi(target);
      const ConvertedAttributes converted(attributes);
      const std::lock_guard lock(mutex_);
      span_.AddLink(context, converted.view());
    });
  }
  void AddLinks(const api::SpanContextKeyValueIterable& links) noexcept override {
    links.ForEachKeyValue([this](const api::SpanContext& target, const common::KeyValueIterable& attributes) { return AddLink(target, attributes), true; });
  }
#endif
  void SetStatus(api::StatusCode code, nostd::string_view description) noexcept override {
    const std::lock_guard lock(mutex_);
    span_.SetStatus(static_cast<SpanStatusCode>(code), View(description));
  }
  void UpdateName(nostd::string_view name) noexcept override {
    const std::lock_guard lock(mutex_);
    span_.UpdateName(View(name));
  }
  void End(const api::EndSpanOptions& options) noexcept override {
    const std::lock_guard lock(mutex_);
    span_.End(EndTime(options.end_steady_time.time_since_epoch().count()));
  }
  api::SpanContext GetContext() const noexcept override { return context_; }
  bool IsRecording() const noexcept override {
    const std::lock_guard lock(mutex_);
    return span_.IsRecording();
  }
  sdk::Span& native() { return span_; }

 private:
  static uint64_t NanosecondsOf(common::SystemTimestamp time) { return static_cast<uint64_t>(time.time_since_epoch().count()); }

  void AddEventAt(nostd::string_view name, uint64_t time, sdk::AttributeList attributes) noexcept {
    const std::lock_guard lock(mutex_);
    span_.AddEvent(View(name), attributes, time);
  }
  // 0: now. `steady_end`: 0 where it was not given.
  uint64_t EndTime(int64_t steady_end) const {
    if (steady_start_ != 0) return start_ + static_cast<uint64_t>(std::max<int64_t>((steady_end != 0 ? steady_end : SteadyNow()) - steady_start_, 0));
    return steady_end == 0 ? 0 : UnixNanoNow() - static_cast<uint64_t>(SteadyNow() - steady_end);
  }

  const std::shared_ptr<const ApiTracer> tracer_;
  mutable std::mutex mutex_;
  sdk::Span span_;
  const api::SpanContext context_;
  const uint64_t start_;
  const int64_t steady_start_;  // 0: not given
};

// Where a span comes from, in both forms; nothing where the native SDK's current span is to be taken.
struct Parent {
  std::optional<api::SpanContext> context;
  bool is_root = false;
};

Parent ParentOf(const api::StartSpanOptions& options) {
  if (const auto* context = nostd::get_if<api::SpanContext>(&options.parent)) {
    if (context->IsValid()) return {*context};
  } else if (const auto* given = nostd::get_if<opentelemetry::context::Context>(&options.parent)) {
    if (auto found = ContextIn(given->GetValue(api::kSpanKey))) return {std::move(found)};
    if (api::IsRootSpan(*given)) return {std::nullopt, true};
  }
  return {CurrentApiContext()};
}

class ApiTracer final : public api::Tracer, public std::enable_shared_from_this<ApiTracer> {
 public:
  ApiTracer(std::shared_ptr<sdk::Provider> provider, std::shared_ptr<foreign::Sampler> sampler, sdk::Tracer tracer)
      : provider_(std::move(provider)), sampler_(std::move(sampler)), tracer_(std::move(tracer)) {}

  nostd::shared_ptr<api::Span> StartSpan(nostd::string_view name, const common::KeyValueIterable& attributes, const api::SpanContextKeyValueIterable& links,
                                         const api::StartSpanOptions& options) noexcept override {
    try {
      return Start(name, attributes, links, options);
    } catch (...) {  // no memory
      return nostd::shared_ptr<api::Span>(new (std::nothrow) api::DefaultSpan(api::SpanContext::GetInvalid()));
    }
  }
#if OPENTELEMETRY_ABI_VERSION_NO == 1
  void ForceFlushWithMicroseconds(uint64_t timeout) noexcept override { (void)provider_->ForceFlush(std::chrono::milliseconds(std::min<uint64_t>(timeout / 1000, 86'400'000))); }
  void CloseWithMicroseconds(uint64_t timeout) noexcept override { ForceFlushWithMicroseconds(timeout); }
#endif

 private:
  nostd::shared_ptr<api::Span> Start(nostd::string_view name, const common::KeyValueIterable& attributes, const api::SpanContextKeyValueIterable& links,
                                     const api::StartSpanOptions& options) {
    const Parent parent = ParentOf(options);
    sdk::SpanContext parent_context;
    const ConvertedAttributes converted(attributes);
    sdk::SpanOptions native{.kind = static_cast<SpanKind>(static_cast<int>(options.kind) + 1), .is_root = parent.is_root, .attributes = converted.view()};
    if (parent.context) {
      parent_context = FromApi(*parent.context);
      native.parent = &parent_context;
    }
    native.start_time_unix_nano = static_cast<uint64_t>(options.start_system_time.time_since_epoch().count());
    const int64_t steady = options.start_steady_time.time_since_epoch().count();
    if (steady != 0 && native.start_time_unix_nano == 0) native.start_time_unix_nano = UnixNanoNow() - static_cast<uint64_t>(SteadyNow() - steady);

    auto state = parent.context && parent.context->trace_state() ? parent.context->trace_state() : api::TraceState::GetDefault();
    sdk::Span span;
    if (sampler_) {
      span = StartSampled(name, attributes, links, native, parent, &state);
    } else {
      span = tracer_.Start(View(name), native);
    }
    if (!parent.context && span.context().trace_state) state = api::TraceState::FromHeader(*span.context().trace_state);
    const api::SpanContext context = ToApi(span.context(), std::move(state));
    auto made = std::make_shared<ApiSpan>(shared_from_this(), std::move(span), context, native.start_time_unix_nano, native.start_time_unix_nano != 0 ? steady : 0);
    if (links.size() > 0) AddLinks(links, &made->native());
    return nostd::shared_ptr<api::Span>(std::shared_ptr<api::Span>(std::move(made)));
  }

  // The decision of opentelemetry-cpp's sampler is about a trace's id, which a root does not have yet: it gets one here.
  sdk::Span StartSampled(nostd::string_view name, const common::KeyValueIterable& attributes, const api::SpanContextKeyValueIterable& links,
                         sdk::SpanOptions native, const Parent& parent, nostd::shared_ptr<api::TraceState>* state) {
    const sdk::SpanContext none;
    const sdk::SpanContext& from = native.parent ? *native.parent : parent.is_root ? none : sdk::CurrentContext();
    native.trace_id = from.IsValid() ? from.trace_id : sdk::RandomTraceId();
    const api::SpanContext parent_context = parent.context ? *parent.context : ToApi(from, api::TraceState::GetDefault());
    const auto result = sampler_->ShouldSample(parent_context, api::TraceId(std::as_const(native.trace_id.bytes)), name, static_cast<api::SpanKind>(static_cast<int>(native.kind) - 1), attributes, links);
    if (result.trace_state) *state = result.trace_state;
    sdk::SamplingResult decision{.sampled = result.decision == foreign::Decision::RECORD_AND_SAMPLE};
    if (*state && !(*state)->Empty()) decision.trace_state = std::make_shared<const std::string>((*state)->ToHeader());
    native.decision = &decision;
    sdk::Span span = tracer_.Start(View(name), native);
    if (result.attributes) {
      ConvertedAttributes added;
      for (const auto& [key, value] : *result.attributes) added.Add(key, value);
      span.SetAttributes(added.view());
    }
    return span;
  }

  static void AddLinks(const api::SpanContextKeyValueIterable& links, sdk::Span* span) {
    links.ForEachKeyValue([span](const api::SpanContext& target, const common::KeyValueIterable& attributes) {
      Guarded([&] { span->AddLink(FromApi(target), ConvertedAttributes(attributes).view()); });
      return true;
    });
  }

  const std::shared_ptr<sdk::Provider> provider_;
  const std::shared_ptr<foreign::Sampler> sampler_;
  const sdk::Tracer tracer_;
};

class ApiTracerProvider final : public api::TracerProvider {
 public:
  ApiTracerProvider(std::shared_ptr<sdk::Provider> provider, std::shared_ptr<foreign::Sampler> sampler) : provider_(std::move(provider)), sampler_(std::move(sampler)) {}

#if OPENTELEMETRY_ABI_VERSION_NO >= 2
  nostd::shared_ptr<api::Tracer> GetTracer(nostd::string_view name, nostd::string_view version, nostd::string_view schema_url,
                                           const common::KeyValueIterable* attributes) noexcept override {
    return Get(name, version, schema_url, attributes);
  }
#else
  nostd::shared_ptr<api::Tracer> GetTracer(nostd::string_view name, nostd::string_view version, nostd::string_view schema_url) noexcept override {
    return Get(name, version, schema_url, nullptr);
  }
#endif

 private:
  nostd::shared_ptr<api::Tracer> Get(nostd::string_view name, nostd::string_view version, nostd::string_view schema_url, const common::KeyValueIterable* attributes) noexcept {
    std::shared_ptr<api::Tracer> tracer;
    Guarded([&] {
      InstrumentationScope scope{.name = std::string(View(name)), .version = std::string(View(version)), .schema_url = std::string(View(schema_url))};
      if (attributes) scope.attributes = OwnedAttributes(*attributes);
      tracer = std::make_shared<ApiTracer>(provider_, sampler_, provider_->GetTracer(std::move(scope)));
    });
    return nostd::shared_ptr<api::Tracer>(std::move(tracer));
  }

  const std::shared_ptr<sdk::Provider> provider_;
  const std::shared_ptr<foreign::Sampler> sampler_;
};

}  // namespace
}  // namespace otlp_arrow::bridge

namespace otlp_arrow {

opentelemetry::nostd::shared_ptr<opentelemetry::trace::TracerProvider> MakeTracerProvider(std::shared_ptr<sdk::Provider> provider,
                                                                                         const OpenTelemetryTracerOptions& options) {
  return opentelemetry::nostd::shared_ptr<opentelemetry::trace::TracerProvider>(
      std::shared_ptr<opentelemetry::trace::TracerProvider>(std::make_shared<bridge::ApiTracerProvider>(std::move(provider), options.sampler)));
}

}  // namespace otlp_arrow
