// Instruments of the native SDK. A measurement is one record in the ring; the collector adds up.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "otlp_arrow/export.h"
#include "otlp_arrow/sdk/attributes.h"
#include "otlp_arrow/sdk/context.h"
#include "otlp_arrow/sdk/view.h"

namespace otlp_arrow::sdk {

class MeterCore;
class InstrumentCore;
class ObservableCore;

template <class T>
concept MeasuredNumber = std::same_as<T, int64_t> || std::same_as<T, double>;

// Of a measurement: where its context is not the current span's.
OTLP_ARROW_EXPORT void Record(const InstrumentCore* core, int64_t value, AttributeList attributes, const SpanContext* context) noexcept;
OTLP_ARROW_EXPORT void Record(const InstrumentCore* core, double value, AttributeList attributes, const SpanContext* context) noexcept;

// Cheap to copy, for any thread. One that was made by no meter records nothing.
class Instrument {
 public:
  Instrument() = default;
  explicit Instrument(std::shared_ptr<const InstrumentCore> core) : core_(std::move(core)) {}

 protected:
  std::shared_ptr<const InstrumentCore> core_;
};

template <MeasuredNumber T>
class Counter : public Instrument {
 public:
  using Instrument::Instrument;
  // `value` is not negative: others are left out, told once on the log.
  void Add(T value, AttributeList attributes = {}, const SpanContext* context = nullptr) const noexcept { Record(core_.get(), value, attributes, context); }
};

template <MeasuredNumber T>
class UpDownCounter : public Instrument {
 public:
  using Instrument::Instrument;
  void Add(T value, AttributeList attributes = {}, const SpanContext* context = nullptr) const noexcept { Record(core_.get(), value, attributes, context); }
};

template <MeasuredNumber T>
class Histogram : public Instrument {
 public:
  using Instrument::Instrument;
  void Record(T value, AttributeList attributes = {}, const SpanContext* context = nullptr) const noexcept { sdk::Record(core_.get(), value, attributes, context); }
};

template <MeasuredNumber T>
class Gauge : public Instrument {
 public:
  using Instrument::Instrument;
  void Record(T value, AttributeList attributes = {}, const SpanContext* context = nullptr) const noexcept { sdk::Record(core_.get(), value, attributes, context); }
};

// What a callback tells, once for each attribute set: the sum so far of counters, the value of gauges.
class OTLP_ARROW_EXPORT Observer {
 public:
  virtual void Observe(int64_t value, AttributeList attributes = {}) noexcept = 0;
  virtual void Observe(double value, AttributeList attributes = {}) noexcept = 0;

 protected:
  ~Observer() = default;
};
// Called by the provider's thread every metric interval, and at its flush and shutdown. What it throws is logged.
using ObservableCallback = std::function<void(Observer&)>;

// Removes its callbacks when the last copy of it goes; none of them runs any more then.
class OTLP_ARROW_EXPORT Observable {
 public:
  Observable() = default;
  explicit Observable(std::shared_ptr<ObservableCore> core) : core_(std::move(core)) {}

  // The number is good for Remove. 0: nothing was added.
  uint64_t Add(ObservableCallback callback) const noexcept;
  // When it returns, the callback does not run any more, unless this is within it.
  void Remove(uint64_t callback) const noexcept;

 private:
  std::shared_ptr<ObservableCore> core_;
};

struct InstrumentOptions {
  std::string description{};
  std::string unit{};  // UCUM: "ms", "By", "{request}"
  std::optional<std::vector<double>> bucket_boundaries{};  // advice for histograms: where no view has others
};

// Makes instruments of one scope. Two of the same name, kind, unit and description are one stream. A name that the
// specification does not allow is told on the log, and nothing is recorded. Cheap to copy, for any thread.
class OTLP_ARROW_EXPORT Meter {
 public:
  Meter() = default;  // its instruments record nothing
  explicit Meter(std::shared_ptr<MeterCore> core) : core_(std::move(core)) {}

  template <MeasuredNumber T>
  Counter<T> CreateCounter(std::string_view name, const InstrumentOptions& options = {}) const noexcept {
    return Counter<T>(Create(InstrumentKind::kCounter, name, options));
  }
  template <MeasuredNumber T>
  UpDownCounter<T> CreateUpDownCounter(std::string_view name, const InstrumentOptions& options = {}) const noexcept {
    return UpDownCounter<T>(Create(InstrumentKind::kUpDownCounter, name, options));
  }
  template <MeasuredNumber T>
  Histogram<T> CreateHistogram(std::string_view name, const InstrumentOptions& options = {}) const noexcept {
    return Histogram<T>(Create(InstrumentKind::kHistogram, name, options));
  }
  template <MeasuredNumber T>
  Gauge<T> CreateGauge(std::string_view name, const InstrumentOptions& options = {}) const noexcept {
    return Gauge<T>(Create(InstrumentKind::kGauge, name, options));
  }
  [[nodiscard]] Observable CreateObservableCounter(std::string_view name, ObservableCallback callback = {}, const InstrumentOptions& options = {}) const noexcept {
    return Observe(InstrumentKind::kObservableCounter, name, std::move(callback), options);
  }
  [[nodiscard]] Observable CreateObservableUpDownCounter(std::string_view name, ObservableCallback callback = {}, const InstrumentOptions& options = {}) const noexcept {
    return Observe(InstrumentKind::kObservableUpDownCounter, name, std::move(callback), options);
  }
  [[nodiscard]] Observable CreateObservableGauge(std::string_view name, ObservableCallback callback = {}, const InstrumentOptions& options = {}) const noexcept {
    return Observe(InstrumentKind::kObservableGauge, name, std::move(callback), options);
  }

  // Null where nothing is recorded.
  std::shared_ptr<const InstrumentCore> Create(InstrumentKind kind, std::string_view name, const InstrumentOptions& options) const noexcept;
  Observable Observe(InstrumentKind kind, std::string_view name, ObservableCallback callback, const InstrumentOptions& options) const noexcept;

 private:
  std::shared_ptr<MeterCore> core_;
};

}  // namespace otlp_arrow::sdk
