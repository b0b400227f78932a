#include "schema/data_point_writer.h"

#include <cstring>

namespace otlp_arrow {
namespace {

constexpr uint32_t kDataPoints = 1;  // of Gauge, Sum, …
// The same in every kind of data point.
constexpr uint32_t kStartTime = 2;
constexpr uint32_t kTime = 3;
// Most data points take between 128 bytes and 16 KiB.
constexpr size_t kLengthBytes = 2;

using DoubleReader = NumberReader<arrow::DoubleType>;

void WriteOptional(const DoubleReader& values, int64_t row, uint32_t field, wire::Writer* out) {
  if (!values.IsNull(row)) out->Double(field, values[row]);
}

// Packed fixed64 or double numbers: the bytes that the column holds.
template <class Reader>
void WritePacked(const ListReader& lists, const Reader& values, int64_t row, uint32_t field, wire::Writer* out) {
  static_assert(sizeof(typename Reader::Value) == 8);
  const RowRange range = lists[row];
  if (range.size() == 0 || !values.raw_values()) return;
  const auto bytes = static_cast<size_t>(range.size()) * 8;
  std::memcpy(out->BytesRoom(field, bytes), values.raw_values() + range.begin, bytes);
}

template <class Reader>
Status BindNumbers(const Columns& columns, const char* name, ListReader* lists, Reader* values) {
  OTLP_RETURN_NOT_OK(columns.Bind(name, lists));
  return values->Bind(name, lists->elements());
}

}  // namespace

Status ValueWriter::Bind(const Columns& columns) {
  return BindAll(columns, Column("value_int", &int_), Column("value_double", &double_));
}

void ValueWriter::Write(int64_t row, uint32_t double_field, wire::Writer* out) const {
  constexpr uint32_t kAsInt = 6;
  if (!int_.IsNull(row)) {
    out->Fixed64(kAsInt, static_cast<uint64_t>(int_[row]));
  } else {
    WriteOptional(double_, row, double_field, out);
  }
}

Status ExemplarWriter::Bind(const Columns& columns) {
  OTLP_RETURN_NOT_OK(columns.Bind("exemplars", &exemplars_));
  OTLP_ASSIGN_OR_RETURN(const Columns fields, Columns::OfElements(exemplars_));
  OTLP_RETURN_NOT_OK(value_.Bind(fields));
  OTLP_RETURN_NOT_OK(filtered_attributes_.Bind(fields, "filtered_attributes"));
  return BindAll(fields, Column("time", &time_), Column("trace_id", &trace_id_), Column("span_id", &span_id_));
}

Status ExemplarWriter::Write(int64_t row, uint32_t field, wire::Writer* out) const {
  enum Field : uint32_t { kExemplarTime = 2, kAsDouble = 3, kSpanId = 4, kTraceId = 5, kFilteredAttributes = 7 };
  const RowRange range = exemplars_[row];
  for (int64_t i = range.begin; i < range.end; ++i) {
    const auto exemplar = out->Begin(field);
    out->NonZeroFixed64(kExemplarTime, time_[i]);
    value_.Write(i, kAsDouble, out);
    OTLP_RETURN_NOT_OK(span_id_.Write(i, kSpanId, out));
    OTLP_RETURN_NOT_OK(trace_id_.Write(i, kTraceId, out));
    OTLP_RETURN_NOT_OK(filtered_attributes_.Write(i, kFilteredAttributes, out));
    out->End(exemplar);
  }
  return {};
}

Status BucketsWriter::Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array) {
  OTLP_ASSIGN_OR_RETURN(const Columns fields, Columns::OfStruct(path, array));
  validity_ = fields.validity();
  OTLP_RETURN_NOT_OK(fields.Bind("offset", &offset_));
  return BindNumbers(fields, "bucket_counts", &counts_, &count_);
}

void BucketsWriter::Write(int64_t row, uint32_t field, wire::Writer* out) const {
  enum Field : uint32_t { kOffset = 1, kBucketCounts = 2 };
  if (validity_.IsNull(row)) return;
  const auto buckets = out->Begin(field);
  if (offset_[row] != 0) out->ZigZag32(kOffset, offset_[row]);
  const RowRange range = counts_[row];
  if (range.size() != 0) {
    const auto packed = out->Begin(kBucketCounts);
    for (int64_t i = range.begin; i < range.end; ++i) out->PackedVarint(count_[i]);
    out->End(packed);
  }
  out->End(buckets);
}

Status DataPointWriter::Bind(const Columns& columns) {
  OTLP_RETURN_NOT_OK(attributes_.Bind(columns, "attributes"));
  OTLP_RETURN_NOT_OK(exemplars_.Bind(columns));
  OTLP_RETURN_NOT_OK(value_.Bind(columns));
  OTLP_RETURN_NOT_OK(BindNumbers(columns, "bucket_counts", &bucket_counts_, &bucket_count_));
  OTLP_RETURN_NOT_OK(BindNumbers(columns, "explicit_bounds", &explicit_bounds_, &explicit_bound_));
  OTLP_RETURN_NOT_OK(columns.Bind("quantiles", &quantiles_));
  OTLP_ASSIGN_OR_RETURN(const Columns quantile_fields, Columns::OfElements(quantiles_));
  OTLP_RETURN_NOT_OK(BindAll(quantile_fields, Column("quantile", &quantile_), Column("value", &quantile_value_)));
  return BindAll(columns, Column("time", &time_), Column("start_time", &start_time_), Column("flags", &flags_),
                 Column("count", &count_), Column("sum", &sum_), Column("min", &min_), Column("max", &max_), Column("scale", &scale_),
                 Column("zero_count", &zero_count_), Column("zero_threshold", &zero_threshold_), Column("positive", &positive_),
                 Column("negative", &negative_));
}

Status DataPointWriter::Write(DataField kind, int64_t row, wire::Writer* out) const {
  const auto point = out->Begin(kDataPoints, kLengthBytes);
  Status status;
  switch (kind) {
    case DataField::kGauge:
    case DataField::kSum: status = WriteNumber(row, out); break;
    case DataField::kHistogram: status = WriteHistogram(row, out); break;
    case DataField::kExponentialHistogram: status = WriteExponentialHistogram(row, out); break;
    case DataField::kSummary: status = WriteSummary(row, out); break;
  }
  out->End(point);
  return status;
}

void DataPointWriter::WriteTimes(int64_t row, wire::Writer* out) const {
  out->NonZeroFixed64(kStartTime, start_time_[row]);
  out->NonZeroFixed64(kTime, time_[row]);
}

Status DataPointWriter::WriteNumber(int64_t row, wire::Writer* out) const {
  enum Field : uint32_t { kAsDouble = 4, kExemplars = 5, kAttributes = 7, kFlags = 8 };
  WriteTimes(row, out);
  value_.Write(row, kAsDouble, out);
  OTLP_RETURN_NOT_OK(exemplars_.Write(row, kExemplars, out));
  OTLP_RETURN_NOT_OK(attributes_.Write(row, kAttributes, out));
  out->NonZeroVarint(kFlags, flags_[row]);
  return {};
}

Status DataPointWriter::WriteHistogram(int64_t row, wire::Writer* out) const {
  enum Field : uint32_t {
    kCount = 4, kSum = 5, kBucketCounts = 6, kExplicitBounds = 7, kExemplars = 8, kAttributes = 9, kFlags = 10, kMin = 11, kMax = 12,
  };
  WriteTimes(row, out);
  out->NonZeroFixed64(kCount, count_[row]);
  WriteOptional(sum_, row, kSum, out);
  WritePacked(bucket_counts_, bucket_count_, row, kBucketCounts, out);
  WritePacked(explicit_bounds_, explicit_bound_, row, kExplicitBounds, out);
  OTLP_RETURN_NOT_OK(exemplars_.Write(row, kExemplars, out));
  OTLP_RETURN_NOT_OK(attributes_.Write(row, kAttributes, out));
  out->NonZeroVarint(kFlags, flags_[row]);
  WriteOptional(min_, row, kMin, out);
  WriteOptional(max_, row, kMax, out);
  return {};
}

Status DataPointWriter::WriteExponentialHistogram(int64_t row, wire::Writer* out) const {
  enum Field : uint32_t {
    kAttributes = 1, kCount = 4, kSum = 5, kScale = 6, kZeroCount = 7, kPositive = 8, kNegative = 9, kFlags = 10, kExemplars = 11,
    kMin = 12, kMax = 13, kZeroThreshold = 14,
  };
  OTLP_RETURN_NOT_OK(attributes_.Write(row, kAttributes, out));
  WriteTimes(row, out);
  out->NonZeroFixed64(kCount, count_[row]);
  WriteOptional(sum_, row, kSum, out);
  if (scale_[row] != 0) out->ZigZag32(kScale, scale_[row]);
  out->NonZeroFixed64(kZeroCount, zero_count_[row]);
  positive_.Write(row, kPositive, out);
  negative_.Write(row, kNegative, out);
  out->NonZeroVarint(kFlags, flags_[row]);
  OTLP_RETURN_NOT_OK(exemplars_.Write(row, kExemplars, out));
  WriteOptional(min_, row, kMin, out);
  WriteOptional(max_, row, kMax, out);
  out->NonZeroDouble(kZeroThreshold, zero_threshold_[row]);
  return {};
}

Status DataPointWriter::WriteSummary(int64_t row, wire::Writer* out) const {
  enum Field : uint32_t { kCount = 4, kSum = 5, kQuantileValues = 6, kAttributes = 7, kFlags = 8 };
  WriteTimes(row, out);
  out->NonZeroFixed64(kCount, count_[row]);
  out->NonZeroDouble(kSum, sum_[row]);
  WriteQuantiles(row, kQuantileValues, out);
  OTLP_RETURN_NOT_OK(attributes_.Write(row, kAttributes, out));
  out->NonZeroVarint(kFlags, flags_[row]);
  return {};
}

void DataPointWriter::WriteQuantiles(int64_t row, uint32_t field, wire::Writer* out) const {
  enum Field : uint32_t { kQuantile = 1, kValue = 2 };
  const RowRange range = quantiles_[row];
  for (int64_t i = range.begin; i < range.end; ++i) {
    const auto value = out->Begin(field);
    out->NonZeroDouble(kQuantile, quantile_[i]);
    out->NonZeroDouble(kValue, quantile_value_[i]);
    out->End(value);
  }
}

}  // namespace otlp_arrow
