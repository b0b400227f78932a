// MetricStream's data points: as they are collected, and as they are saved and taken back.
#include <algorithm>
#include <cstring>
#include <utility>

#include "collector/metric_stream.h"

namespace otlp_arrow {
namespace {

using ring::Temporality;
using wire::Cursor;
using wire::Tag;

// OTLP's field numbers.
// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
constexpr uint32_t kMetrics = 2;  // of ScopeMetrics
struct MetricField {
  enum : uint32_t { kName = 1, kDescription = 2, kUnit = 3, kGauge = 5, kSum = 7, kHistogram = 9, kExponential = 10 };
};
struct DataField {
  enum : uint32_t { kPoints = 1, kTemporality = 2, kIsMonotonic = 3 };
};
struct NumberField {
  enum : uint32_t { kStart = 2, kTime = 3, kDouble = 4, kExemplars = 5, kInt = 6, kAttributes = 7 };
};
struct HistogramField {
  enum : uint32_t {
    kStart = 2, kTime = 3, kCount = 4, kSum = 5, kBucketCounts = 6, kBounds = 7, kExemplars = 8, kAttributes = 9, kMin = 11, kMax = 12
  };
};
struct ExponentialField {
  enum : uint32_t {
    kAttributes = 1, kStart = 2, kTime = 3, kCount = 4, kSum = 5, kScale = 6, kZeroCount = 7, kPositive = 8, kNegative = 9,
    kExemplars = 11, kMin = 12, kMax = 13
  };
};
struct BucketsField {
  enum : uint32_t { kOffset = 1, kCounts = 2 };
};
struct ExemplarField {
  enum : uint32_t { kTime = 2, kDouble = 3, kSpanId = 4, kTraceId = 5, kInt = 6 };
};
// What a saved series is made of; the point is OTLP's.
struct SavedField {
  enum : uint32_t { kAttributes = 1, kPoint = 2, kMeasured = 3, kTime = 4 };
};

void WriteNumber(const std::variant<int64_t, double>& number, uint32_t int_field, uint32_t double_field, wire::Writer* out) {
  if (const auto* whole = std::get_if<int64_t>(&number)) {
    out->Fixed64(int_field, static_cast<uint64_t>(*whole));
  } else {
    out->Double(double_field, std::get<double>(number));
  }
}

void WriteBuckets(uint32_t field, const ExponentialAggregation::Buckets& buckets, wire::Writer* out) {
  if (buckets.counts.empty()) return;
  const auto message = out->Begin(field);
  out->ZigZag32(BucketsField::kOffset, buckets.offset);
  const auto packed = out->Begin(BucketsField::kCounts, 2);
  for (uint64_t count : buckets.counts) out->PackedVarint(count);
  out->End(packed);
  out->End(message);
}

void WritePacked64(uint32_t field, const void* values, size_t count, wire::Writer* out) {
  if (count == 0) return;
  std::memcpy(out->BytesRoom(field, count * 8), values, count * 8);
}

bool ReadBuckets(Cursor c, ExponentialAggregation::Buckets* buckets) {
  uint32_t tag = 0;
  uint64_t value = 0;
  while (!c.done()) {
    if (!wire::ReadTag(&c, &tag)) return false;
    if (tag == Tag(BucketsField::kOffset, wire::kVarint)) {
      if (!wire::ReadVarint(&c, &value)) return false;
      buckets->offset = wire::ZigZag32(static_cast<uint32_t>(value));
    } else if (tag == Tag(BucketsField::kCounts, wire::kLen)) {
      Cursor packed{std::string_view()};
      if (!wire::ReadLen(&c, &packed)) return false;
      while (!packed.done()) {
        if (!wire::ReadVarint(&packed, &value)) return false;
        buckets->counts.push_back(value);
      }
    } else if (!wire::SkipValue(&c, tag)) {
      return false;
    }
  }
  return true;
}

}  // namespace

uint32_t MetricStream::AttributesField() const {
  switch (definition_.aggregation) {
    case Aggregation::kHistogram: return HistogramField::kAttributes;
    case Aggregation::kExponentialHistogram: return ExponentialField::kAttributes;
    default: return NumberField::kAttributes;
  }
}

uint32_t MetricStream::ExemplarsField() const {
  switch (definition_.aggregation) {
    case Aggregation::kHistogram: return HistogramField::kExemplars;
    case Aggregation::kExponentialHistogram: return ExponentialField::kExemplars;
    default: return NumberField::kExemplars;
  }
}

// --- collecting ---

uint64_t MetricStream::newest() const {
  uint64_t newest = 0;
  for (const auto& series : series_) newest = std::max(newest, series->time);
  return newest;
}

bool MetricStream::is_measured() const {
  return std::any_of(series_.begin(), series_.end(), [](const auto& series) { return series->measured; });
}

bool MetricStream::MustCollect(const Series& series) const {
  return series.measured || (definition_.aggregation != Aggregation::kGauge && definition_.temporality == Temporality::kCumulative);
}

bool MetricStream::Collect(uint64_t now, wire::Writer* out) {
  const bool any = std::any_of(series_.begin(), series_.end(), [this](const auto& series) { return MustCollect(*series); });
  if (any) {
    const auto metric = out->Begin(kMetrics, 2);
    out->NonEmpty(MetricField::kName, definition_.name);
    out->NonEmpty(MetricField::kDescription, definition_.description);
    out->NonEmpty(MetricField::kUnit, definition_.unit);
    static constexpr uint32_t kDataFields[] = {MetricField::kGauge, MetricField::kSum, MetricField::kHistogram, MetricField::kExponential};
    const auto data = out->Begin(kDataFields[static_cast<size_t>(definition_.aggregation)], 2);
    for (const auto& series : series_) {
      if (!MustCollect(*series)) continue;
      const auto point = out->Begin(DataField::kPoints);
      WritePoint(*series, now, out);
      WriteExemplars(*series, ExemplarsField(), out);
      out->Raw(series->attributes);
      out->End(point);
    }
    if (definition_.aggregation != Aggregation::kGauge) out->Varint(DataField::kTemporality, static_cast<uint32_t>(definition_.temporality));
    if (definition_.aggregation == Aggregation::kSum && definition_.is_monotonic) out->Varint(DataField::kIsMonotonic, 1);
    out->End(data);
    out->End(metric);
  }
  for (const auto& series : series_) {
    series->changed |= series->measured;
    Clear(series.get());
  }
  if (definition_.temporality == Temporality::kDelta) start_ = now;
  return any;
}

void MetricStream::WritePoint(const Series& series, uint64_t now, wire::Writer* out) const {
  switch (definition_.aggregation) {
    case Aggregation::kHistogram: return WriteHistogramPoint(series, now, out);
    case Aggregation::kExponentialHistogram: return WriteExponentialPoint(series, now, out);
    default: return WriteNumberPoint(series, now, out);
  }
}

void MetricStream::WriteNumberPoint(const Series& series, uint64_t now, wire::Writer* out) const {
  const bool gauge = definition_.aggregation == Aggregation::kGauge;
  if (!gauge) out->NonZeroFixed64(NumberField::kStart, start_);
  out->Fixed64(NumberField::kTime, gauge && series.time > 0 ? series.time : now);
  WriteNumber(series.value, NumberField::kInt, NumberField::kDouble, out);
}

void MetricStream::WriteHistogramPoint(const Series& series, uint64_t now, wire::Writer* out) const {
  out->NonZeroFixed64(HistogramField::kStart, start_);
  out->Fixed64(HistogramField::kTime, now);
  out->Fixed64(HistogramField::kCount, series.count);
  out->Double(HistogramField::kSum, series.sum);
  WritePacked64(HistogramField::kBucketCounts, series.bucket_counts.data(), series.bucket_counts.size(), out);
  WritePacked64(HistogramField::kBounds, definition_.boundaries.data(), definition_.boundaries.size(), out);
  if (series.count == 0) return;
  out->Double(HistogramField::kMin, series.min);
  out->Double(HistogramField::kMax, series.max);
}

void MetricStream::WriteExponentialPoint(const Series& series, uint64_t now, wire::Writer* out) const {
  out->NonZeroFixed64(ExponentialField::kStart, start_);
  out->Fixed64(ExponentialField::kTime, now);
  out->Fixed64(ExponentialField::kCount, series.count);
  out->Double(ExponentialField::kSum, series.sum);
  out->ZigZag32(ExponentialField::kScale, series.exponential->scale());
  out->Fixed64(ExponentialField::kZeroCount, series.exponential->zero_count());
  WriteBuckets(ExponentialField::kPositive, series.exponential->positive(), out);
  WriteBuckets(ExponentialField::kNegative, series.exponential->negative(), out);
  if (series.count == 0) return;
  out->Double(ExponentialField::kMin, series.min);
  out->Double(ExponentialField::kMax, series.max);
}

void MetricStream::WriteExemplars(const Series& series, uint32_t field, wire::Writer* out) const {
  for (const Exemplar& exemplar : series.exemplars) {
    if (exemplar.time == 0) continue;
    const auto message = out->Begin(field);
    out->Fixed64(ExemplarField::kTime, exemplar.time);
    WriteNumber(exemplar.value, ExemplarField::kInt, ExemplarField::kDouble, out);
    out->Bytes(ExemplarField::kSpanId, {exemplar.span_id, sizeof(exemplar.span_id)});
    out->Bytes(ExemplarField::kTraceId, {exemplar.trace_id, sizeof(exemplar.trace_id)});
    out->End(message);
  }
}

// --- saving ---

void MetricStream::Save(const Series& series, uint32_t field, wire::Writer* out) const {
  const auto message = out->Begin(field, 2);
  out->Bytes(SavedField::kAttributes, series.attributes);
  const auto point = out->Begin(SavedField::kPoint);
  WritePoint(series, series.time, out);
  out->End(point);
  out->NonZeroVarint(SavedField::kMeasured, series.measured);
  out->Fixed64(SavedField::kTime, series.time);
  out->End(message);
}

void MetricStream::SaveChanges(uint32_t field, wire::Writer* out) {
  for (const auto& series : series_) {
    if (std::exchange(series->changed, false)) Save(*series, field, out);
  }
}

void MetricStream::SaveAll(uint32_t field, wire::Writer* out) const {
  for (const auto& series : series_) Save(*series, field, out);
}

bool MetricStream::RestoreNumber(uint32_t tag, Cursor* c, Series* series) const {
  uint64_t bits = 0;
  if (tag != Tag(NumberField::kInt, wire::kFixed64) && tag != Tag(NumberField::kDouble, wire::kFixed64)) return wire::SkipValue(c, tag);
  if (!wire::ReadFixed64(c, &bits)) return false;
  if (tag == Tag(NumberField::kDouble, wire::kFixed64)) {
    series->value = wire::ToDouble(bits);
  } else {
    series->value = static_cast<int64_t>(bits);
  }
  return true;
}

bool MetricStream::RestoreHistogram(uint32_t tag, Cursor* c, Series* series) const {
  const bool exponential = definition_.aggregation == Aggregation::kExponentialHistogram;
  const uint32_t min_field = exponential ? uint32_t{ExponentialField::kMin} : uint32_t{HistogramField::kMin};
  const uint32_t max_field = exponential ? uint32_t{ExponentialField::kMax} : uint32_t{HistogramField::kMax};
  uint64_t bits = 0;
  if ((tag & 7) == wire::kFixed64) {
    if (!wire::ReadFixed64(c, &bits)) return false;
    const uint32_t field = tag >> 3;
    if (field == HistogramField::kCount) series->count = bits;  // fields 4 and 5 are the same in both
    if (field == HistogramField::kSum) series->sum = wire::ToDouble(bits);
    if (field == min_field) series->min = wire::ToDouble(bits);
    if (field == max_field) series->max = wire::ToDouble(bits);
    return true;
  }
  if (!exponential && tag == Tag(HistogramField::kBucketCounts, wire::kLen)) {
    Cursor packed{std::string_view()};
    if (!wire::ReadLen(c, &packed) || packed.left() != series->bucket_counts.size() * 8) return false;
    std::memcpy(series->bucket_counts.data(), packed.p, packed.left());
    return true;
  }
  return wire::SkipValue(c, tag);
}

bool MetricStream::RestoreExponential(Cursor point, Series* series) const {
  ExponentialAggregation::Buckets positive, negative;
  uint64_t scale = 0, zero_count = 0;
  uint32_t tag = 0;
  Cursor body{std::string_view()};
  while (!point.done()) {
    if (!wire::ReadTag(&point, &tag)) return false;
    bool read = false;
    switch (tag) {
      case Tag(ExponentialField::kScale, wire::kVarint): read = wire::ReadVarint(&point, &scale); break;
      case Tag(ExponentialField::kZeroCount, wire::kFixed64): read = wire::ReadFixed64(&point, &zero_count); break;
      case Tag(ExponentialField::kPositive, wire::kLen): read = wire::ReadLen(&point, &body) && ReadBuckets(body, &positive); break;
      case Tag(ExponentialField::kNegative, wire::kLen): read = wire::ReadLen(&point, &body) && ReadBuckets(body, &negative); break;
      default: read = wire::SkipValue(&point, tag);
    }
    if (!read) return false;
  }
  series->exponential->Restore(wire::ZigZag32(static_cast<uint32_t>(scale)), zero_count, std::move(positive), std::move(negative));
  return true;
}

bool MetricStream::RestorePoint(Cursor point, Series* series) const {
  const bool number = definition_.aggregation == Aggregation::kGauge || definition_.aggregation == Aggregation::kSum;
  Cursor c = point;
  uint32_t tag = 0;
  while (!c.done()) {
    if (!wire::ReadTag(&c, &tag) || !(number ? RestoreNumber(tag, &c, series) : RestoreHistogram(tag, &c, series))) return false;
  }
  return definition_.aggregation != Aggregation::kExponentialHistogram || RestoreExponential(point, series);
}

bool MetricStream::Restore(std::string_view saved) {
  Cursor c(saved), attributes{std::string_view()}, point{std::string_view()};
  uint64_t measured = 0, time = 0;
  uint32_t tag = 0;
  while (!c.done()) {
    if (!wire::ReadTag(&c, &tag)) return false;
    bool read = false;
    switch (tag) {
      case Tag(SavedField::kAttributes, wire::kLen): read = wire::ReadLen(&c, &attributes); break;
      case Tag(SavedField::kPoint, wire::kLen): read = wire::ReadLen(&c, &point); break;
      case Tag(SavedField::kMeasured, wire::kVarint): read = wire::ReadVarint(&c, &measured); break;
      case Tag(SavedField::kTime, wire::kFixed64): read = wire::ReadFixed64(&c, &time); break;
      default: read = wire::SkipValue(&c, tag);
    }
    if (!read) return false;
  }
  Outcome outcome = Outcome::kCounted;
  const auto known = by_attributes_.find(std::string(attributes.rest()));
  Series* series = known != by_attributes_.end() ? known->second : AddSeries(std::string(attributes.rest()), &outcome);
  series->measured = measured != 0;
  series->time = time;
  return RestorePoint(point, series);
}

}  // namespace otlp_arrow
