// Rows of the metrics table into the data point messages of each kind of metric.
#pragma once

#include <cstdint>

#include <arrow/type.h>

#include "otlp_arrow/status.h"
#include "otlp_arrow/wire_writer.h"
#include "schema/attribute_writer.h"
#include "schema/column_reader.h"
#include "schema/field_reader.h"

namespace otlp_arrow {

// Field numbers of a Metric's data.
enum class DataField : uint32_t { kGauge = 5, kSum = 7, kHistogram = 9, kExponentialHistogram = 10, kSummary = 11 };

// value_int and value_double, of which at most one is set: sfixed64 field 6 and the double field `double_field`.
class ValueWriter {
 public:
  Status Bind(const Columns& columns);
  void Write(int64_t row, uint32_t double_field, wire::Writer* out) const;

 private:
  NumberReader<arrow::Int64Type> int_;
  NumberReader<arrow::DoubleType> double_;
};

class ExemplarWriter {
 public:
  Status Bind(const Columns& columns);
  Status Write(int64_t row, uint32_t field, wire::Writer* out) const;

 private:
  ListReader exemplars_;
  TimeReader time_;
  ValueWriter value_;
  TraceIdReader trace_id_;
  SpanIdReader span_id_;
  AttributeWriter filtered_attributes_;
};

// struct<offset, bucket_counts> of one side of an exponential histogram.
class BucketsWriter {
 public:
  Status Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array);
  void Write(int64_t row, uint32_t field, wire::Writer* out) const;

 private:
  Validity validity_;
  NumberReader<arrow::Int32Type> offset_;
  ListReader counts_;
  NumberReader<arrow::UInt64Type> count_;
};

class DataPointWriter {
 public:
  Status Bind(const Columns& columns);
  // Appends the data point of a row to the open Gauge, Sum, … message.
  Status Write(DataField kind, int64_t row, wire::Writer* out) const;

 private:
  Status WriteNumber(int64_t row, wire::Writer* out) const;
  Status WriteHistogram(int64_t row, wire::Writer* out) const;
  Status WriteExponentialHistogram(int64_t row, wire::Writer* out) const;
  Status WriteSummary(int64_t row, wire::Writer* out) const;
  void WriteTimes(int64_t row, wire::Writer* out) const;
  void WriteQuantiles(int64_t row, uint32_t field, wire::Writer* out) const;

  AttributeWriter attributes_;
  ExemplarWriter exemplars_;
  TimeReader time_;
  TimeReader start_time_;
  NumberReader<arrow::UInt32Type> flags_;
  ValueWriter value_;
  NumberReader<arrow::UInt64Type> count_;
  NumberReader<arrow::DoubleType> sum_;
  NumberReader<arrow::DoubleType> min_;
  NumberReader<arrow::DoubleType> max_;
  ListReader bucket_counts_;
  NumberReader<arrow::UInt64Type> bucket_count_;
  ListReader explicit_bounds_;
  NumberReader<arrow::DoubleType> explicit_bound_;
  NumberReader<arrow::Int32Type> scale_;
  NumberReader<arrow::UInt64Type> zero_count_;
  NumberReader<arrow::DoubleType> zero_threshold_;
  BucketsWriter positive_;
  BucketsWriter negative_;
  ListReader quantiles_;
  NumberReader<arrow::DoubleType> quantile_;
  NumberReader<arrow::DoubleType> quantile_value_;
};

}  // namespace otlp_arrow
