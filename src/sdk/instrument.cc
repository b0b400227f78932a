#include <algorithm>
#include <cmath>
#include <ctime>

#include <spdlog/spdlog.h>

#include "sdk/attribute_buffer.h"
#include "sdk/instrument_core.h"

namespace otlp_arrow::sdk {
namespace {

// Good to some milliseconds, at a fifth of the price: where only the collector's interval matters.
uint64_t CoarseUnixNano() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

const SpanContext kNoContext;

std::vector<AttributeView> Kept(AttributeList attributes, const std::vector<std::string>& keys) {
  std::vector<AttributeView> kept;
  for (const AttributeView& attribute : attributes) {
    if (std::find(keys.begin(), keys.end(), attribute.key) != keys.end()) kept.push_back(attribute);
  }
  return kept;
}

}  // namespace

void Record(const InstrumentCore* core, int64_t value, AttributeList attributes, const SpanContext* context) noexcept {
  if (core) core->Record(value, attributes, context);
}

void Record(const InstrumentCore* core, double value, AttributeList attributes, const SpanContext* context) noexcept {
  if (core) core->Record(value, attributes, context);
}

bool InstrumentCore::IsAllowed(const Number& value) const noexcept {
  const auto* whole = std::get_if<int64_t>(&value);
  const double number = whole ? static_cast<double>(*whole) : std::get<double>(value);
  const bool only_up = kind == InstrumentKind::kCounter || kind == InstrumentKind::kHistogram;
  if (!std::isnan(number) && !(only_up && number < 0)) [[likely]] return true;
  if (!told_.exchange(true, std::memory_order_relaxed)) {
    Guarded([&] { spdlog::warn("{} is left out: the instrument '{}' records {}; further ones are not told", number, name, only_up ? "numbers from 0 on" : "numbers"); });
  }
  return false;
}

const SpanContext* InstrumentCore::ExemplarContext(const SpanContext* given) const noexcept {
  if (provider_->exemplar_filter == ExemplarFilter::kAlwaysOff) return nullptr;
  const SpanContext* context = ContextOr(given);
  return context && (provider_->exemplar_filter == ExemplarFilter::kAlwaysOn || context->IsSampled()) ? context : nullptr;
}

bool InstrumentCore::RecordInto(const Stream& stream, const Number& value, AttributeList attributes, const SpanContext* context) const {
  const Binding binding = stream.definition->Get();
  if (!binding || provider_->is_shut_down.load(std::memory_order_relaxed)) return false;
  std::vector<AttributeView> kept;
  if (stream.keys) attributes = kept = Kept(attributes, *stream.keys);
  AttributeBuffer buffer;
  buffer.Add({binding.writer, provider_->dictionary_owner()}, attributes, UINT32_MAX, SpanLimits::kUnlimited);
  const bool is_coarse = !context && stream.definition->stream().aggregation != AggregationKind::kGauge;
  ring::Measurement measurement{.metric = binding.ref, .attributes = buffer.view(), .time_unix_nano = is_coarse ? CoarseUnixNano() : UnixNanoNow(), .value = value};
  const ring::SpanContext exemplar = RingContext(context ? *context : kNoContext);
  if (context) measurement.context = &exemplar;
  const auto result = binding.writer->RecordMeasurement(measurement);
  return result == ring::RecordResult::kRecorded || result == ring::RecordResult::kTruncated;
}

void InstrumentCore::Record(const Number& value, AttributeList attributes, const SpanContext* context) const noexcept {
  if (!IsAllowed(value)) return;
  Guarded([&] {
    const SpanContext* exemplar = ExemplarContext(context);
    for (const Stream& stream : streams) RecordInto(stream, value, attributes, exemplar);
  });
}

}  // namespace otlp_arrow::sdk
