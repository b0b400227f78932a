// One metric of a ring file: its measurements, aggregated for each attribute set, as OTLP data points.
// https://opentelemetry.io/docs/specs/otel/metrics/sdk/#aggregation
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "collector/dictionary_converter.h"
#include "collector/exponential_aggregation.h"
#include "collector/metric_definition.h"
#include "ring/records.h"

namespace otlp_arrow {

// Beyond its limit of attribute sets, a stream counts further ones together under the attribute otel.metric.overflow.
class MetricStream {
 public:
  enum class Outcome { kCounted, kOverflowed, kInvalid };

  // `start`: when counting began, nanoseconds since 1970. `most_series` is at least 1.
  MetricStream(MetricDefinition definition, const DictionaryConverter* converter, uint64_t start, size_t most_series);

  // kInvalid: the attributes refer to what is not there, or a histogram is given what is no number.
  Outcome Record(const ring::MeasurementView& measurement);

  // Writes the metric (ScopeMetrics.metrics) as it stands at `now`. Delta streams begin anew, and are left out, as gauges
  // are, where nothing was measured since. True where something was written.
  bool Collect(uint64_t now, wire::Writer* out);

  const MetricDefinition& definition() const { return definition_; }
  size_t series_count() const { return series_.size(); }
  // The newest measurement's time; 0: none.
  uint64_t newest() const;
  // Was anything measured since the last collection?
  bool is_measured() const;

  // Writes each series that changed since the last call, as field `field`; Restore takes one of them back.
  void SaveChanges(uint32_t field, wire::Writer* out);
  void SaveAll(uint32_t field, wire::Writer* out) const;
  bool Restore(std::string_view saved);
  // The end of the last interval, for streams that begin anew.
  uint64_t start() const { return start_; }
  void set_start(uint64_t start) { start_ = start; }

 private:
  struct Exemplar {
    uint64_t time = 0;  // 0: none
    std::variant<int64_t, double> value;
    char trace_id[16] = {};
    char span_id[8] = {};
  };
  struct Series {
    std::string attributes;  // KeyValue fields of a data point
    bool measured = false;   // since the last collection
    bool changed = false;    // since the last save
    uint64_t time = 0;       // of the newest measurement
    std::variant<int64_t, double> value;  // a sum or the last value
    uint64_t count = 0;
    double sum = 0, min = 0, max = 0;
    std::vector<uint64_t> bucket_counts;
    std::unique_ptr<ExponentialAggregation> exponential;
    std::vector<Exemplar> exemplars;  // one, or one for each bucket
  };

  uint32_t AttributesField() const;
  uint32_t ExemplarsField() const;
  Series* FindSeries(const ring::Repeated& attributes, Outcome* outcome);
  Series* AddSeries(std::string attributes, Outcome* outcome);
  std::optional<std::string> Canonical(const ring::Repeated& attributes) const;
  bool Aggregate(const ring::MeasurementView& measurement, Series* series);
  static void AddNumber(const std::variant<int64_t, double>& value, Series* series);
  void KeepExemplar(const ring::MeasurementView& measurement, size_t place, Series* series);
  size_t BucketOf(double value) const;
  void Clear(Series* series);

  bool MustCollect(const Series& series) const;
  void WritePoint(const Series& series, uint64_t now, wire::Writer* out) const;
  void WriteNumberPoint(const Series& series, uint64_t now, wire::Writer* out) const;
  void WriteHistogramPoint(const Series& series, uint64_t now, wire::Writer* out) const;
  void WriteExponentialPoint(const Series& series, uint64_t now, wire::Writer* out) const;
  void WriteExemplars(const Series& series, uint32_t field, wire::Writer* out) const;
  void Save(const Series& series, uint32_t field, wire::Writer* out) const;
  bool RestorePoint(wire::Cursor point, Series* series) const;
  bool RestoreNumber(uint32_t tag, wire::Cursor* c, Series* series) const;
  bool RestoreHistogram(uint32_t tag, wire::Cursor* c, Series* series) const;
  bool RestoreExponential(wire::Cursor point, Series* series) const;

  MetricDefinition definition_;
  const DictionaryConverter* converter_;
  uint64_t start_;
  size_t most_series_;
  std::vector<std::unique_ptr<Series>> series_;             // in the order of their first measurements
  std::unordered_map<std::string, Series*> by_attributes_;  // attributes in canonical order
  std::unordered_map<std::string, Series*> by_record_;      // attributes as records spell them, a bounded cache
  Series* overflow_ = nullptr;
};

}  // namespace otlp_arrow
