// The columns that only the metrics table has: lists of numbers, buckets, exemplars, quantiles, and what the data points of
// one metric share.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <arrow/type.h>

#include "otlp/scan.h"
#include "schema/decoder_base.h"

namespace otlp_arrow {

// Field numbers of the kinds of data in a Metric.
enum DataField : uint32_t { kNoData = 0, kGauge = 5, kSum = 7, kHistogram = 9, kExponentialHistogram = 10, kSummary = 11 };

inline std::string_view MetricTypeName(uint32_t data_field) {
  switch (data_field) {
    case kGauge: return "GAUGE";
    case kSum: return "SUM";
    case kHistogram: return "HISTOGRAM";
    case kExponentialHistogram: return "EXPONENTIAL_HISTOGRAM";
    default: return "SUMMARY";
  }
}

inline bool IsData(uint32_t tag) {
  const uint32_t field = tag >> 3;
  return (tag & 7) == wire::kLen &&
         (field == kGauge || field == kSum || field == kHistogram || field == kExponentialHistogram || field == kSummary);
}

// list<uint64> or list<float64>, its elements packed or not on the wire.
template <class T>
class NumberListColumn {
 public:
  void AppendFixed64(uint64_t bits) { values_.Push(std::bit_cast<T>(bits)); }
  void AppendPackedFixed64(const wire::Cursor& body) {
    const size_t n = body.left() / 8;
    values_.EnsureRoom(n);
    if (n > 0) std::memcpy(values_.end(), body.p, n * 8);
    values_.SetSize(values_.size() + n);
  }
  void AppendPackedVarints(wire::Cursor body) {
    uint64_t value;
    while (!body.done() && wire::ReadVarint(&body, &value)) values_.Push(value);
  }
  int64_t value_count() const { return static_cast<int64_t>(values_.size()); }
  // The values added since the last row are those of this one; the rows between are null.
  void EndRow(int64_t row, int64_t first_value) {
    lists_.PadTo(row, first_value);
    lists_.EndRow(value_count());
  }
  std::shared_ptr<arrow::ArrayData> Finish(const std::shared_ptr<arrow::DataType>& type, int64_t rows) {
    const auto n = value_count();
    lists_.PadTo(rows, n);
    return lists_.Finish(type, arrow::ArrayData::Make(type->field(0)->type(), n, {nullptr, values_.Borrow()}, 0));
  }
  void Clear() {
    values_.Clear();
    lists_.Clear();
  }

 private:
  PodVector<T> values_;
  ListOffsets lists_;
};

// struct<offset, bucket_counts> of an exponential histogram's side; null on the rows that lack it.
class BucketsColumn {
 public:
  // Several messages for one row merge.
  void Append(int64_t row, wire::Cursor buckets) {
    if (row != row_) {
      EndRow();
      row_ = row;
      first_value_ = counts_.value_count();
    }
    uint32_t tag;
    uint64_t value = 0;
    wire::Cursor body(nullptr, nullptr);
    while (!buckets.done() && wire::ReadTag(&buckets, &tag)) {
      bool ok = true;
      switch (tag) {
        case wire::Tag(1, wire::kVarint):
          if ((ok = wire::ReadVarint(&buckets, &value))) offset_value_ = wire::ZigZag32(static_cast<uint32_t>(value));
          break;
        case wire::Tag(2, wire::kLen):
          if ((ok = wire::ReadLen(&buckets, &body))) counts_.AppendPackedVarints(body);
          break;
        case wire::Tag(2, wire::kVarint):
          if ((ok = wire::ReadVarint(&buckets, &value))) counts_.AppendFixed64(value);
          break;
        default: ok = wire::SkipValue(&buckets, tag);
      }
      if (!ok) break;
    }
  }
  std::shared_ptr<arrow::ArrayData> Finish(const std::shared_ptr<arrow::DataType>& type, int64_t rows) {
    EndRow();
    AddNullsTo(rows);
    // The nulls are the struct's; its children have plain zeros and empty lists there.
    return arrow::ArrayData::Make(type, rows, {nulls_.Bitmap(rows)},
                                  {offset_.Finish(arrow::int32(), rows), counts_.Finish(type->field(1)->type(), rows)}, nulls_.count());
  }
  void Clear() {
    offset_.Clear();
    counts_.Clear();
    nulls_.Clear();
    rows_ = 0;
    row_ = -1;
  }

 private:
  void EndRow() {
    if (row_ < 0) return;
    AddNullsTo(row_);
    ++rows_;
    offset_.Set(row_, offset_value_);
    counts_.EndRow(row_, first_value_);
    offset_value_ = 0;
    row_ = -1;
  }
  void AddNullsTo(int64_t rows) {
    nulls_.AddRun(rows_, rows - rows_);
    if (rows > rows_) rows_ = rows;
  }

  int64_t rows_ = 0;  // known to be null or not
  int64_t row_ = -1;  // the one being filled
  int64_t first_value_ = 0;
  int32_t offset_value_ = 0;
  NullRows nulls_;
  ZeroedColumn<int32_t> offset_;
  NumberListColumn<uint64_t> counts_;
};

// A NumberDataPoint's or Exemplar's oneof value: the last member on the wire holds.
struct NumberValue {
  enum { kNone, kDouble, kInt } kind = kNone;
  uint64_t bits = 0;

  template <class Row>
  void Store(Row row, SparseColumn<int64_t>* ints, SparseColumn<double>* doubles) const {
    if (kind == kDouble) doubles->Set(row, wire::ToDouble(bits));
    if (kind == kInt) ints->Set(row, static_cast<int64_t>(bits));
  }
};

// list<struct<time, value_int, value_double, trace_id, span_id, filtered_attributes, …_types>>
class ExemplarsColumn {
 public:
  void Append(wire::Cursor exemplar) {
    std::string_view trace_id, span_id;
    uint64_t time = 0;
    NumberValue value;
    uint32_t tag;
    wire::Cursor body(nullptr, nullptr);
    while (!exemplar.done() && wire::ReadTag(&exemplar, &tag)) {
      bool ok = true;
      switch (tag) {
        case wire::Tag(2, wire::kFixed64): ok = wire::ReadFixed64(&exemplar, &time); break;
        case wire::Tag(3, wire::kFixed64):
          ok = wire::ReadFixed64(&exemplar, &value.bits);
          value.kind = NumberValue::kDouble;
          break;
        case wire::Tag(6, wire::kFixed64):
          ok = wire::ReadFixed64(&exemplar, &value.bits);
          value.kind = NumberValue::kInt;
          break;
        case wire::Tag(4, wire::kLen):
          if ((ok = wire::ReadLen(&exemplar, &body))) span_id = body.rest();
          break;
        case wire::Tag(5, wire::kLen):
          if ((ok = wire::ReadLen(&exemplar, &body))) trace_id = body.rest();
          break;
        case wire::Tag(7, wire::kLen):
          if ((ok = wire::ReadLen(&exemplar, &body))) attributes_.Append(body);
          break;
        default: ok = wire::SkipValue(&exemplar, tag);
      }
      if (!ok) break;
    }
    value.Store(time_.size(), &value_int_, &value_double_);
    time_.AppendNullIfZero(static_cast<int64_t>(time));
    trace_id_.Append(trace_id);
    span_id_.Append(span_id);
    attributes_.EndRow();
  }
  void EndRow() { lists_.EndRow(time_.size()); }
  std::shared_ptr<arrow::ArrayData> Finish(const std::shared_ptr<arrow::DataType>& type) {
    std::shared_ptr<arrow::ArrayData> map, types;
    attributes_.Finish(&map, &types);
    const int64_t n = time_.size();
    return lists_.Finish(type, FinishStruct(type->field(0)->type(), n,
                                            {time_.Finish(TimeType()), value_int_.Finish(arrow::int64(), n),
                                             value_double_.Finish(arrow::float64(), n), trace_id_.Finish(), span_id_.Finish(), map, types}));
  }
  void Clear() {
    lists_.Clear();
    time_.Clear();
    value_int_.Clear();
    value_double_.Clear();
    trace_id_.Clear();
    span_id_.Clear();
    attributes_.Clear();
  }
  void AddDictionaries(std::vector<TextDictionary*>* d) { attributes_.AddDictionaries(d); }
  void ForgetIndices() { attributes_.ForgetKeys(); }
  int64_t byte_size() const { return attributes_.byte_size(); }

 private:
  ListOffsets lists_;
  FixedColumn<int64_t> time_;
  SparseColumn<int64_t> value_int_;
  SparseColumn<double> value_double_;
  TraceIdColumn trace_id_;
  SpanIdColumn span_id_;
  AttributesColumn attributes_;
};

// list<struct<quantile, value>>
class QuantilesColumn {
 public:
  void Append(wire::Cursor quantile) {
    uint64_t q = 0, v = 0;
    uint32_t tag;
    while (!quantile.done() && wire::ReadTag(&quantile, &tag)) {
      bool ok = true;
      switch (tag) {
        case wire::Tag(1, wire::kFixed64): ok = wire::ReadFixed64(&quantile, &q); break;
        case wire::Tag(2, wire::kFixed64): ok = wire::ReadFixed64(&quantile, &v); break;
        default: ok = wire::SkipValue(&quantile, tag);
      }
      if (!ok) break;
    }
    quantile_.Append(wire::ToDouble(q));
    value_.Append(wire::ToDouble(v));
  }
  int64_t value_count() const { return quantile_.size(); }
  void EndRow(int64_t row, int64_t first_value) {
    lists_.PadTo(row, first_value);
    lists_.EndRow(quantile_.size());
  }
  std::shared_ptr<arrow::ArrayData> Finish(const std::shared_ptr<arrow::DataType>& type, int64_t rows) {
    const int64_t n = quantile_.size();
    lists_.PadTo(rows, n);
    return lists_.Finish(type, FinishStruct(type->field(0)->type(), n, {quantile_.Finish(arrow::float64()), value_.Finish(arrow::float64())}));
  }
  void Clear() {
    lists_.Clear();
    quantile_.Clear();
    value_.Clear();
  }

 private:
  ListOffsets lists_;
  FixedColumn<double> quantile_, value_;
};

// The columns that say which metric a data point belongs to, repeated over its points.
class MetricColumns {
 public:
  void Begin(wire::Cursor metric) {
    std::string_view name, description, unit;
    metadata_entries_.clear();
    metadata_list_ = {};
    uint32_t tag;
    wire::Cursor body(nullptr, nullptr);
    while (!metric.done() && wire::ReadTag(&metric, &tag)) {
      bool ok = true;
      switch (tag) {
        case wire::Tag(1, wire::kLen):
          if ((ok = wire::ReadLen(&metric, &body))) name = body.rest();
          break;
        case wire::Tag(2, wire::kLen):
          if ((ok = wire::ReadLen(&metric, &body))) description = body.rest();
          break;
        case wire::Tag(3, wire::kLen):
          if ((ok = wire::ReadLen(&metric, &body))) unit = body.rest();
          break;
        case wire::Tag(12, wire::kLen):
          if ((ok = wire::ReadLen(&metric, &body))) metadata_entries_.push_back(body.rest());
          break;
        default: ok = wire::SkipValue(&metric, tag);
      }
      if (!ok) break;
    }
    name_text_ = name;
    description_text_ = description;
    unit_text_ = unit;
  }

  void SetData(uint32_t data_field, int32_t temporality, bool is_monotonic) {
    data_field_ = data_field;
    temporality_value_ = temporality;
    is_monotonic_value_ = is_monotonic;
  }

  void FillTo(int64_t rows) {
    const int64_t n = rows - filled_;
    if (n <= 0) return;
    name_.AppendRun(n, name_.Intern(name_text_));
    description_.AppendRun(n, description_.InternOrNull(description_text_));
    unit_.AppendRun(n, unit_.InternOrNull(unit_text_));
    type_.AppendRun(n, type_.Intern(MetricTypeName(data_field_)));
    const bool has_temporality = data_field_ != kGauge && data_field_ != kSummary;
    temporality_.AppendRun(n, has_temporality ? temporality_.Intern(TemporalityName(temporality_value_)) : kNullIndex);
    if (data_field_ == kSum) {
      is_monotonic_.SetRun(filled_, n, is_monotonic_value_ ? 1 : 0);
    }
    if (!metadata_entries_.empty()) {  // entered once there is a row that needs it
      metadata_.Make(true, metadata_entries_, &metadata_list_);
      metadata_entries_.clear();
    }
    metadata_.Repeat(metadata_list_, n);
    filled_ = rows;
  }

  void FinishHead(int64_t rows, std::vector<std::shared_ptr<arrow::ArrayData>>* arrays) {
    *arrays = {name_.Finish(), description_.Finish(), unit_.Finish(), type_.Finish(), temporality_.Finish(),
               PackBools(is_monotonic_.Finish(arrow::uint8(), rows), &monotonic_bits_)};
  }
  void FinishMetadata(std::vector<std::shared_ptr<arrow::ArrayData>>* arrays) {
    std::shared_ptr<arrow::ArrayData> map, types;
    metadata_.Finish(&map, &types);
    arrays->insert(arrays->end(), {map, types});
  }
  void Clear() {
    filled_ = 0;
    name_.Clear();
    description_.Clear();
    unit_.Clear();
    type_.Clear();
    temporality_.Clear();
    is_monotonic_.Clear();
    metadata_.Clear();
  }
  void AddDictionaries(std::vector<TextDictionary*>* d) {
    for (DictionaryColumn* c : {&name_, &description_, &unit_, &type_, &temporality_}) d->push_back(&c->dictionary());
    metadata_.AddDictionaries(d);
  }

 private:
  int64_t filled_ = 0;
  std::string name_text_, description_text_, unit_text_;
  uint32_t data_field_ = kNoData;
  int32_t temporality_value_ = 0;
  bool is_monotonic_value_ = false;
  std::vector<std::string_view> metadata_entries_;  // not yet in metadata_list_
  AttributeList metadata_list_;

  DictionaryColumn name_, description_, unit_, type_, temporality_;
  SparseColumn<uint8_t> is_monotonic_;
  PodVector<uint8_t> monotonic_bits_;
  RepeatedAttributes metadata_;
};

}  // namespace otlp_arrow
