#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <utility>

#include <opentelemetry/metrics/async_instruments.h>
#include <opentelemetry/metrics/meter.h>
#include <opentelemetry/metrics/observer_result.h>
#include <opentelemetry/metrics/sync_instruments.h>

#include "api_context.h"
#include "converted_attributes.h"
#include "otlp_arrow/opentelemetry_sdk.h"

namespace otlp_arrow::bridge {
namespace {

namespace metrics = opentelemetry::metrics;
namespace common = opentelemetry::common;
namespace nostd = opentelemetry::nostd;
using opentelemetry::context::Context;
using sdk::InstrumentKind;

using Core = std::shared_ptr<const sdk::InstrumentCore>;

void RecordNumber(const Core& core, int64_t value, sdk::AttributeList attributes, const sdk::SpanContext* context) { sdk::Record(core.get(), value, attributes, context); }
void RecordNumber(const Core& core, double value, sdk::AttributeList attributes, const sdk::SpanContext* context) { sdk::Record(core.get(), value, attributes, context); }
// OTLP's whole numbers have a sign.
void RecordNumber(const Core& core, uint64_t value, sdk::AttributeList attributes, const sdk::SpanContext* context) {
  if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return RecordNumber(core, static_cast<int64_t>(value), attributes, context);
  RecordNumber(core, static_cast<double>(value), attributes, context);
}

// With the span of the context, where it has one; else the native SDK's current one.
template <class T>
void RecordIn(const Core& core, T value, sdk::AttributeList attributes, std::optional<api::SpanContext> span) noexcept {
  try {
    if (!span) return RecordNumber(core, value, attributes, nullptr);
    sdk::SpanContext context = FromApi(*span);
    RecordNumber(core, value, attributes, &context);
  } catch (...) {  // no memory
  }
}

// All instruments but observables take their measurements the same way.
template <class Interface, class T>
class ApiInstrument : public Interface {
 public:
  explicit ApiInstrument(Core core) : core_(std::move(core)) {}

 protected:
  void Measure(T value) noexcept {
    if (core_) RecordIn(core_, value, {}, CurrentApiContext());
  }
  void Measure(T value, const Context& context) noexcept {
    if (core_) RecordIn(core_, value, {}, ContextIn(context.GetValue(api::kSpanKey)));
  }
  void Measure(T value, const common::KeyValueIterable& attributes) noexcept {
    if (core_) RecordIn(core_, value, ConvertedAttributes(attributes).view(), CurrentApiContext());
  }
  void Measure(T value, const common::KeyValueIterable& attributes, const Context& context) noexcept {
    if (core_) RecordIn(core_, value, ConvertedAttributes(attributes).view(), ContextIn(context.GetValue(api::kSpanKey)));
  }

 private:
  const Core core_;
};

// Counters of both kinds.
template <class Interface, class T>
class ApiCounter final : public ApiInstrument<Interface, T> {
 public:
  using ApiInstrument<Interface, T>::ApiInstrument;
  void Add(T value) noexcept override { this->Measure(value); }
  void Add(T value, const Context& context) noexcept override { this->Measure(value, context); }
  void Add(T value, const common::KeyValueIterable& attributes) noexcept override { this->Measure(value, attributes); }
  void Add(T value, const common::KeyValueIterable& attributes, const Context& context) noexcept override { this->Measure(value, attributes, context); }
};

// Histograms, and gauges where the API has them.
template <class Interface, class T>
class ApiRecorder final : public ApiInstrument<Interface, T> {
 public:
  using ApiInstrument<Interface, T>::ApiInstrument;
#if OPENTELEMETRY_ABI_VERSION_NO >= 2
  void Record(T value) noexcept override { this->Measure(value); }
  void Record(T value, const common::KeyValueIterable& attributes) noexcept override { this->Measure(value, attributes); }
#endif
  void Record(T value, const Context& context) noexcept override { this->Measure(value, context); }
  void Record(T value, const common::KeyValueIterable& attributes, const Context& context) noexcept override { this->Measure(value, attributes, context); }
};

template <class T>
class ApiObserver final : public metrics::ObserverResultT<T> {
 public:
  explicit ApiObserver(sdk::Observer* observer) : observer_(observer) {}
  void Observe(T value) noexcept override { observer_->Observe(value); }
  void Observe(T value, const common::KeyValueIterable& attributes) noexcept override { observer_->Observe(value, ConvertedAttributes(attributes).view()); }

 private:
  sdk::Observer* observer_;
};

template <class T>
class ApiObservable final : public metrics::ObservableInstrument {
 public:
  explicit ApiObservable(sdk::Observable observable) : observable_(std::move(observable)) {}

  void AddCallback(metrics::ObservableCallbackPtr callback, void* state) noexcept override {
    const uint64_t number = observable_.Add([callback, state](sdk::Observer& observer) {
      const std::shared_ptr<metrics::ObserverResultT<T>> result = std::make_shared<ApiObserver<T>>(&observer);
      callback(nostd::shared_ptr<metrics::ObserverResultT<T>>(result), state);
    });
    try {
      const std::lock_guard lock(mutex_);
      numbers_.emplace(std::pair(reinterpret_cast<void*>(callback), state), number);
    } catch (...) {  // no memory
      observable_.Remove(number);
    }
  }
  void RemoveCallback(metrics::ObservableCallbackPtr callback, void* state) noexcept override {
    uint64_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto found = numbers_.find({reinterpret_cast<void*>(callback), state});
      if (found == numbers_.end()) return;
      number = found->second;
      numbers_.erase(found);
    }
    observable_.Remove(number);
  }

 private:
  const sdk::Observable observable_;
  std::mutex mutex_;
  std::multimap<std::pair<void*, void*>, uint64_t> numbers_;
};

class ApiMeter final : public metrics::Meter {
 public:
  ApiMeter(std::shared_ptr<sdk::Provider> provider, sdk::Meter meter) : provider_(std::move(provider)), meter_(std::move(meter)) {}

  template <class T>
  using CounterPointer = nostd::unique_ptr<metrics::Counter<T>>;
  template <class T>
  using HistogramPointer = nostd::unique_ptr<metrics::Histogram<T>>;
  template <class T>
  using UpDownPointer = nostd::unique_ptr<metrics::UpDownCounter<T>>;
  using ObservablePointer = nostd::shared_ptr<metrics::ObservableInstrument>;
  using Text = nostd::string_view;

  CounterPointer<uint64_t> CreateUInt64Counter(Text name, Text description, Text unit) noexcept override { return Counter<uint64_t>(name, description, unit); }
  CounterPointer<double> CreateDoubleCounter(Text name, Text description, Text unit) noexcept override { return Counter<double>(name, description, unit); }
  HistogramPointer<uint64_t> CreateUInt64Histogram(Text name, Text description, Text unit) noexcept override { return Histogram<uint64_t>(name, description, unit); }
  HistogramPointer<double> CreateDoubleHistogram(Text name, Text description, Text unit) noexcept override { return Histogram<double>(name, description, unit); }
  UpDownPointer<int64_t> CreateInt64UpDownCounter(Text name, Text description, Text unit) noexcept override { return UpDown<int64_t>(name, description, unit); }
  UpDownPointer<double> CreateDoubleUpDownCounter(Text name, Text description, Text unit) noexcept override { return UpDown<double>(name, description, unit); }
#if OPENTELEMETRY_ABI_VERSION_NO >= 2
  nostd::unique_ptr<metrics::Gauge<int64_t>> CreateInt64Gauge(Text name, Text description, Text unit) noexcept override { return Gauge<int64_t>(name, description, unit); }
  nostd::unique_ptr<metrics::Gauge<double>> CreateDoubleGauge(Text name, Text description, Text unit) noexcept override { return Gauge<double>(name, description, unit); }
#endif
  ObservablePointer CreateInt64ObservableCounter(Text name, Text description, Text unit) noexcept override {
    return Observable<int64_t>(InstrumentKind::kObservableCounter, name, description, unit);
  }
  ObservablePointer CreateDoubleObservableCounter(Text name, Text description, Text unit) noexcept override {
    return Observable<double>(InstrumentKind::kObservableCounter, name, description, unit);
  }
  ObservablePointer CreateInt64ObservableUpDownCounter(Text name, Text description, Text unit) noexcept override {
    return Observable<int64_t>(InstrumentKind::kObservableUpDownCounter, name, description, unit);
  }
  ObservablePointer CreateDoubleObservableUpDownCounter(Text name, Text description, Text unit) noexcept override {
    return Observable<double>(InstrumentKind::kObservableUpDownCounter, name, description, unit);
  }
  ObservablePointer CreateInt64ObservableGauge(Text name, Text description, Text unit) noexcept override {
    return Observable<int64_t>(InstrumentKind::kObservableGauge, name, description, unit);
  }
  ObservablePointer CreateDoubleObservableGauge(Text name, Text description, Text unit) noexcept override {
    return Observable<double>(InstrumentKind::kObservableGauge, name, description, unit);
  }

 private:
  static sdk::InstrumentOptions Options(Text description, Text unit) {
    return {.description = std::string(View(description)), .unit = std::string(View(unit))};
  }
  // One that records nothing where there is no memory for more.
  Core Create(InstrumentKind kind, Text name, Text description, Text unit) noexcept {
    try {
      return meter_.Create(kind, View(name), Options(description, unit));
    } catch (...) {
      return nullptr;
    }
  }
  template <class T>
  CounterPointer<T> Counter(Text name, Text description, Text unit) noexcept {
    return CounterPointer<T>(new ApiCounter<metrics::Counter<T>, T>(Create(InstrumentKind::kCounter, name, description, unit)));
  }
  template <class T>
  HistogramPointer<T> Histogram(Text name, Text description, Text unit) noexcept {
    return HistogramPointer<T>(new ApiRecorder<metrics::Histogram<T>, T>(Create(InstrumentKind::kHistogram, name, description, unit)));
  }
  template <class T>
  UpDownPointer<T> UpDown(Text name, Text description, Text unit) noexcept {
    return UpDownPointer<T>(new ApiCounter<metrics::UpDownCounter<T>, T>(Create(InstrumentKind::kUpDownCounter, name, description, unit)));
  }
#if OPENTELEMETRY_ABI_VERSION_NO >= 2
  template <class T>
  nostd::unique_ptr<metrics::Gauge<T>> Gauge(Text name, Text description, Text unit) noexcept {
    return nostd::unique_ptr<metrics::Gauge<T>>(new ApiRecorder<metrics::Gauge<T>, T>(Create(InstrumentKind::kGauge, name, description, unit)));
  }
#endif
  template <class T>
  ObservablePointer Observable(InstrumentKind kind, Text name, Text description, Text unit) noexcept {
    sdk::Observable observable;
    try {
      observable = meter_.Observe(kind, View(name), {}, Options(description, unit));
    } catch (...) {
    }
    return ObservablePointer(std::shared_ptr<metrics::ObservableInstrument>(std::make_shared<ApiObservable<T>>(std::move(observable))));
  }

  const std::shared_ptr<sdk::Provider> provider_;
  const sdk::Meter meter_;
};

class ApiMeterProvider final : public metrics::MeterProvider {
 public:
  explicit ApiMeterProvider(std::shared_ptr<sdk::Provider> provider) : provider_(std::move(provider)) {}

#if OPENTELEMETRY_ABI_VERSION_NO >= 2
  nostd::shared_ptr<metrics::Meter> GetMeter(nostd::string_view name, nostd::string_view version, nostd::string_view schema_url,
                                             const common::KeyValueIterable* attributes) noexcept override {
    return Get(name, version, schema_url, attributes);
  }
  void RemoveMeter(nostd::string_view, nostd::string_view, nostd::string_view) noexcept override {}  // its streams go on: they are the collector's
#else
  nostd::shared_ptr<metrics::Meter> GetMeter(nostd::string_view name, nostd::string_view version, nostd::string_view schema_url) noexcept override {
    return Get(name, version, schema_url, nullptr);
  }
#endif

 private:
  nostd::shared_ptr<metrics::Meter> Get(nostd::string_view name, nostd::string_view version, nostd::string_view schema_url, const common::KeyValueIterable* attributes) noexcept {
    InstrumentationScope scope{.name = std::string(View(name)), .version = std::string(View(version)), .schema_url = std::string(View(schema_url))};
    if (attributes) scope.attributes = OwnedAttributes(*attributes);
    return nostd::shared_ptr<metrics::Meter>(std::shared_ptr<metrics::Meter>(std::make_shared<ApiMeter>(provider_, provider_->GetMeter(std::move(scope)))));
  }

  const std::shared_ptr<sdk::Provider> provider_;
};

}  // namespace
}  // namespace otlp_arrow::bridge

namespace otlp_arrow {

opentelemetry::nostd::shared_ptr<opentelemetry::metrics::MeterProvider> MakeMeterProvider(std::shared_ptr<sdk::Provider> provider) {
  return opentelemetry::nostd::shared_ptr<opentelemetry::metrics::MeterProvider>(
      std::shared_ptr<opentelemetry::metrics::MeterProvider>(std::make_shared<bridge::ApiMeterProvider>(std::move(provider))));
}

}  // namespace otlp_arrow
