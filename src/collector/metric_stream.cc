#include "collector/metric_stream.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace otlp_arrow {
namespace {

using ring::Temporality;
using wire::Cursor;

constexpr uint32_t kSampledFlag = 1;  // of a span context

using Number = std::variant<int64_t, double>;

double AsDouble(const Number& number) {
  const auto* whole = std::get_if<int64_t>(&number);
  return whole ? static_cast<double>(*whole) : std::get<double>(number);
}

// Of a measurement that has a value.
Number NumberOf(const ring::MeasurementView& measurement) {
  const auto* whole = std::get_if<int64_t>(&measurement.value);
  return whole ? Number(*whole) : Number(std::get<double>(measurement.value));
}

}  // namespace

MetricStream::MetricStream(MetricDefinition definition, const DictionaryConverter* converter, uint64_t start, size_t most_series)
    : definition_(std::move(definition)), converter_(converter), start_(start), most_series_(std::max<size_t>(most_series, 1)) {}

MetricStream::Outcome MetricStream::Record(const ring::MeasurementView& measurement) {
  Outcome outcome = Outcome::kCounted;
  if (std::holds_alternative<std::monostate>(measurement.value)) return Outcome::kInvalid;
  Series* series = FindSeries(measurement.attributes, &outcome);
  if (!series || !Aggregate(measurement, series)) return Outcome::kInvalid;
  series->measured = series->changed = true;
  series->time = std::max(series->time, measurement.time_unix_nano);
  return outcome;
}

MetricStream::Series* MetricStream::FindSeries(const ring::Repeated& attributes, Outcome* outcome) {
  thread_local std::string record;
  record.clear();
  for (std::string_view pair : attributes) {
    const uint64_t size = pair.size();
    record.append(reinterpret_cast<const char*>(&size), sizeof(size)).append(pair);
  }
  if (const auto found = by_record_.find(record); found != by_record_.end()) return found->second;
  auto canonical = Canonical(attributes);
  if (!canonical) return nullptr;
  const auto known = by_attributes_.find(*canonical);
  Series* series = known != by_attributes_.end() ? known->second : AddSeries(*std::move(canonical), outcome);
  // One attribute set has few spellings, unless somebody plays with it.
  if (by_record_.size() >= 2 * most_series_) by_record_.clear();
  if (*outcome == Outcome::kCounted) by_record_.emplace(record, series);
  return series;
}

MetricStream::Series* MetricStream::AddSeries(std::string attributes, Outcome* outcome) {
  if (series_.size() >= most_series_) {
    *outcome = Outcome::kOverflowed;
    if (overflow_) return overflow_;
    wire::Writer mark;
    const auto attribute = mark.Begin(AttributesField());
    mark.Bytes(1, "otel.metric.overflow");
    const auto value = mark.Begin(2);
    mark.Varint(2, 1);
    mark.End(value);
    mark.End(attribute);
    attributes = mark.Take();
    if (const auto found = by_attributes_.find(attributes); found != by_attributes_.end()) return overflow_ = found->second;
  }
  auto series = std::make_unique<Series>();
  series->attributes = attributes;
  if (definition_.aggregation == Aggregation::kHistogram) series->bucket_counts.resize(definition_.boundaries.size() + 1);
  if (definition_.aggregation == Aggregation::kExponentialHistogram) {
    series->exponential = std::make_unique<ExponentialAggregation>(definition_.max_buckets, definition_.max_scale);
  }
  Series* added = series_.emplace_back(std::move(series)).get();
  by_attributes_.emplace(std::move(attributes), added);
  if (*outcome == Outcome::kOverflowed) overflow_ = added;
  return added;
}

// Each key once, by key: an attribute set is the same in whatever order it was written.
std::optional<std::string> MetricStream::Canonical(const ring::Repeated& attributes) const {
  wire::Writer converted;
  for (std::string_view pair : attributes) {
    if (!converter_->Attribute(Cursor(pair), AttributesField(), &converted)) return std::nullopt;
  }
  const std::string unique = LastOfEachKey(converted.view());
  std::vector<EncodedAttribute> parts = SplitAttributes(unique);
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  std::string sorted;
  sorted.reserve(unique.size());
  for (const EncodedAttribute& part : parts) sorted += part.field;
  return sorted;
}

bool MetricStream::Aggregate(const ring::MeasurementView& measurement, Series* series) {
  const auto number = NumberOf(measurement);
  const double value = AsDouble(number);
  switch (definition_.aggregation) {
    case Aggregation::kGauge:
      series->value = number;
      KeepExemplar(measurement, 0, series);
      return true;
    case Aggregation::kSum:
      AddNumber(number, series);
      KeepExemplar(measurement, 0, series);
      return true;
    case Aggregation::kHistogram: {
      if (std::isnan(value)) return false;
      const size_t bucket = BucketOf(value);
      ++series->bucket_counts[bucket];
      KeepExemplar(measurement, bucket, series);
      break;
    }
    case Aggregation::kExponentialHistogram:
      if (!series->exponential->Record(value)) return false;
      KeepExemplar(measurement, 0, series);
      break;
  }
  series->min = series->count == 0 ? value : std::min(series->min, value);
  series->max = series->count == 0 ? value : std::max(series->max, value);
  series->sum += value;
  ++series->count;
  return true;
}

// A sum stays a whole number until something else is added or it does not fit.
void MetricStream::AddNumber(const Number& value, Series* series) {
  const auto* whole = std::get_if<int64_t>(&value);
  auto* sum = std::get_if<int64_t>(&series->value);
  int64_t added = 0;
  if (whole && sum && !__builtin_add_overflow(*sum, *whole, &added)) {
    *sum = added;
  } else {
    series->value = AsDouble(series->value) + AsDouble(value);
  }
}

void MetricStream::KeepExemplar(const ring::MeasurementView& measurement, size_t place, Series* series) {
  const auto& context = measurement.context;
  if (!context || !(context->flags & kSampledFlag) || context->trace_id.empty() || context->span_id.empty()) return;
  if (series->exemplars.size() <= place) series->exemplars.resize(place + 1);
  Exemplar& exemplar = series->exemplars[place];
  exemplar.time = std::max<uint64_t>(measurement.time_unix_nano, 1);
  exemplar.value = NumberOf(measurement);
  std::memcpy(exemplar.trace_id, context->trace_id.data(), sizeof(exemplar.trace_id));
  std::memcpy(exemplar.span_id, context->span_id.data(), sizeof(exemplar.span_id));
}

// Upper bounds belong to their bucket.
size_t MetricStream::BucketOf(double value) const {
  const auto& bounds = definition_.boundaries;
  return static_cast<size_t>(std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin());
}

void MetricStream::Clear(Series* series) {
  series->measured = false;
  series->exemplars.clear();
  if (definition_.temporality == Temporality::kCumulative || definition_.aggregation == Aggregation::kGauge) return;
  series->value = int64_t{0};
  series->sum = series->min = series->max = 0;
  series->count = 0;
  std::fill(series->bucket_counts.begin(), series->bucket_counts.end(), 0);
  if (series->exponential) series->exponential->Clear();
}

}  // namespace otlp_arrow
