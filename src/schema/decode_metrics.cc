// ResourceMetrics into the metrics table: a row per data point.
#include <arrow/type.h>

#include "otlp/scan.h"
#include "schema/decoder_base.h"

namespace otlp_arrow {
namespace {

using wire::Cursor;
using wire::Tag;

// Field numbers of the kinds of data in a Metric.
enum DataField : uint32_t { kNoData = 0, kGauge = 5, kSum = 7, kHistogram = 9, kExponentialHistogram = 10, kSummary = 11 };

std::string_view MetricTypeName(uint32_t data_field) {
  switch (data_field) {
    case kGauge: return "GAUGE";
    case kSum: return "SUM";
    case kHistogram: return "HISTOGRAM";
    case kExponentialHistogram: return "EXPONENTIAL_HISTOGRAM";
    default: return "SUMMARY";
  }
}

bool IsData(uint32_t tag) {
  const uint32_t field = tag >> 3;
  return (tag & 7) == wire::kLen &&
         (field == kGauge || field == kSum || field == kHistogram || field == kExponentialHistogram || field == kSummary);
}

std::shared_ptr<arrow::DataType> TimeType() {
  static const auto type = arrow::timestamp(arrow::TimeUnit::NANO);
  return type;
}

// list<uint64> or list<float64>, its elements packed or not on the wire.
template <class T>
class NumberListColumn {
 public:
  void AppendFixed64(uint64_t bits) { values_.Push(std::bit_cast<T>(bits)); }
  void AppendPackedFixed64(const Cursor& body) {
    const size_t n = body.left() / 8;
    values_.EnsureRoom(n);
    if (n > 0) std::memcpy(values_.end(), body.p, n * 8);
    values_.SetSize(values_.size() + n);
  }
  void AppendPackedVarints(Cursor body) {
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
  void Append(int64_t row, Cursor buckets) {
    if (row != row_) {
      EndRow();
      row_ = row;
      first_value_ = counts_.value_count();
    }
    uint32_t tag;
    uint64_t value = 0;
    Cursor body(nullptr, nullptr);
    while (!buckets.done() && wire::ReadTag(&buckets, &tag)) {
      bool ok = true;
      switch (tag) {
        case Tag(1, wire::kVarint):
          if ((ok = wire::ReadVarint(&buckets, &value))) offset_value_ = wire::ZigZag32(static_cast<uint32_t>(value));
          break;
        case Tag(2, wire::kLen):
          if ((ok = wire::ReadLen(&buckets, &body))) counts_.AppendPackedVarints(body);
          break;
        case Tag(2, wire::kVarint):
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
  void Append(Cursor exemplar) {
    std::string_view trace_id, span_id;
    uint64_t time = 0;
    NumberValue value;
    uint32_t tag;
    Cursor body(nullptr, nullptr);
    while (!exemplar.done() && wire::ReadTag(&exemplar, &tag)) {
      bool ok = true;
      switch (tag) {
        case Tag(2, wire::kFixed64): ok = wire::ReadFixed64(&exemplar, &time); break;
        case Tag(3, wire::kFixed64):
          ok = wire::ReadFixed64(&exemplar, &value.bits);
          value.kind = NumberValue::kDouble;
          break;
        case Tag(6, wire::kFixed64):
          ok = wire::ReadFixed64(&exemplar, &value.bits);
          value.kind = NumberValue::kInt;
          break;
        case Tag(4, wire::kLen):
          if ((ok = wire::ReadLen(&exemplar, &body))) span_id = body.rest();
          break;
        case Tag(5, wire::kLen):
          if ((ok = wire::ReadLen(&exemplar, &body))) trace_id = body.rest();
          break;
        case Tag(7, wire::kLen):
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
  void Append(Cursor quantile) {
    uint64_t q = 0, v = 0;
    uint32_t tag;
    while (!quantile.done() && wire::ReadTag(&quantile, &tag)) {
      bool ok = true;
      switch (tag) {
        case Tag(1, wire::kFixed64): ok = wire::ReadFixed64(&quantile, &q); break;
        case Tag(2, wire::kFixed64): ok = wire::ReadFixed64(&quantile, &v); break;
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
  void Begin(Cursor metric) {
    std::string_view name, description, unit;
    metadata_entries_.clear();
    metadata_list_ = {};
    uint32_t tag;
    Cursor body(nullptr, nullptr);
    while (!metric.done() && wire::ReadTag(&metric, &tag)) {
      bool ok = true;
      switch (tag) {
        case Tag(1, wire::kLen):
          if ((ok = wire::ReadLen(&metric, &body))) name = body.rest();
          break;
        case Tag(2, wire::kLen):
          if ((ok = wire::ReadLen(&metric, &body))) description = body.rest();
          break;
        case Tag(3, wire::kLen):
          if ((ok = wire::ReadLen(&metric, &body))) unit = body.rest();
          break;
        case Tag(12, wire::kLen):
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

class MetricsDecoder : public DecoderBase {
 public:
  MetricsDecoder(std::vector<PromotedAttribute> promoted, BatchHandler on_batch, DecoderOptions options)
      : DecoderBase(Signal::kMetrics, std::move(promoted), std::move(on_batch), options), attributes_(&promoted_) {}

 protected:
  Status AppendItem(Cursor metric) override {
    if (skip_rejected() && CheckContainer(Container::kMetric, metric.rest()) != ItemFault::kNone) return Status::Ok();
    ReadData(metric);
    if (data_field_ == kNoData) return Status::Ok();
    metric_.Begin(metric);
    metric_.SetData(data_field_, temporality_, is_monotonic_);
    Status status;
    for (size_t i = 0; status.ok() && i < data_.size(); ++i) status = AppendPoints(data_[i]);
    metric_.FillTo(row());
    return status;
  }

  void FinishColumns(Arrays* arrays) override {
    const int64_t n = row();
    metric_.FillTo(n);
    metric_.FinishHead(n, arrays);
    auto type_of = [&](const char* name) { return schema()->GetFieldByName(name)->type(); };
    arrays->insert(arrays->end(),
                   {time_.Finish(TimeType()), start_time_.Finish(TimeType()), value_int_.Finish(arrow::int64(), n),
                    value_double_.Finish(arrow::float64(), n), count_.Finish(arrow::uint64(), n), sum_.Finish(arrow::float64(), n),
                    min_.Finish(arrow::float64(), n), max_.Finish(arrow::float64(), n), bucket_counts_.Finish(type_of("bucket_counts"), n),
                    explicit_bounds_.Finish(type_of("explicit_bounds"), n), scale_.Finish(arrow::int32(), n),
                    zero_count_.Finish(arrow::uint64(), n), zero_threshold_.Finish(arrow::float64(), n),
                    positive_.Finish(type_of("positive"), n), negative_.Finish(type_of("negative"), n), quantiles_.Finish(type_of("quantiles"), n),
                    exemplars_.Finish(type_of("exemplars")), flags_.Finish(arrow::uint32())});
    metric_.FinishMetadata(arrays);
    std::shared_ptr<arrow::ArrayData> map, types;
    attributes_.Finish(&map, &types);
    arrays->insert(arrays->end(), {context_.FinishServiceName(), map, types});
    context_.Finish(arrays);
  }

  void ClearColumns() override {
    metric_.Clear();
    time_.Clear();
    start_time_.Clear();
    value_int_.Clear();
    value_double_.Clear();
    count_.Clear();
    sum_.Clear();
    min_.Clear();
    max_.Clear();
    bucket_counts_.Clear();
    explicit_bounds_.Clear();
    scale_.Clear();
    zero_count_.Clear();
    zero_threshold_.Clear();
    positive_.Clear();
    negative_.Clear();
    quantiles_.Clear();
    exemplars_.Clear();
    flags_.Clear();
    attributes_.Clear();
  }

  void AddDictionaries(Dictionaries* d) override {
    metric_.AddDictionaries(d);
    exemplars_.AddDictionaries(d);
    attributes_.AddDictionaries(d);
  }

  void ForgetIndices() override {
    exemplars_.ForgetIndices();
    attributes_.ForgetKeys();
  }

  int64_t TextBytes() const override { return attributes_.byte_size() + exemplars_.byte_size(); }

 private:
  // What the data messages of a metric say of all their points. `data` is a oneof: of different kinds the last one
  // holds, messages of one kind merge.
  void ReadData(Cursor metric) {
    data_.clear();
    data_field_ = kNoData;
    uint32_t tag;
    Cursor body(nullptr, nullptr);
    while (!metric.done() && wire::ReadTag(&metric, &tag)) {
      if (!IsData(tag)) {
        if (!wire::SkipValue(&metric, tag)) break;
        continue;
      }
      if (!wire::ReadLen(&metric, &body)) break;
      if (data_field_ != tag >> 3) data_.clear();
      data_field_ = tag >> 3;
      data_.push_back(body);
    }
    temporality_ = 0;
    is_monotonic_ = false;
    for (Cursor data : data_) {
      uint64_t value = 0;
      while (!data.done() && wire::ReadTag(&data, &tag)) {
        if (tag == Tag(2, wire::kVarint)) {
          if (!wire::ReadVarint(&data, &value)) break;
          temporality_ = static_cast<int32_t>(value);
        } else if (tag == Tag(3, wire::kVarint)) {
          if (!wire::ReadVarint(&data, &value)) break;
          is_monotonic_ = value != 0;
        } else if (!wire::SkipValue(&data, tag)) {
          break;
        }
      }
    }
  }

  Status AppendPoints(Cursor data) {
    uint32_t tag;
    Cursor point(nullptr, nullptr);
    while (!data.done() && wire::ReadTag(&data, &tag)) {
      if (tag != Tag(1, wire::kLen)) {
        if (!wire::SkipValue(&data, tag)) break;
        continue;
      }
      if (!wire::ReadLen(&data, &point)) break;
      if (skip_rejected() && CheckDataPoint(data_field_, point.rest()) != ItemFault::kNone) continue;
      time_value_ = start_value_ = 0;
      flags_value_ = 0;
      switch (data_field_) {
        case kGauge:
        case kSum: ReadNumberPoint(point); break;
        case kHistogram: ReadHistogramPoint(point); break;
        case kExponentialHistogram: ReadExponentialHistogramPoint(point); break;
        default: ReadSummaryPoint(point);
      }
      OTLP_RETURN_NOT_OK(EndPoint());
    }
    return Status::Ok();
  }

  Status EndPoint() {
    time_.AppendNullIfZero(static_cast<int64_t>(time_value_));
    start_time_.AppendNullIfZero(static_cast<int64_t>(start_value_));
    exemplars_.EndRow();
    flags_.Append(static_cast<uint32_t>(flags_value_));
    attributes_.EndRow();
    return EndItem();
  }

  // Reads fields until the end; `read(tag)` says -1: broken, 0: not known, 1: read.
  template <class Read>
  static void ReadFields(Cursor* c, Read read) {
    uint32_t tag;
    while (!c->done() && wire::ReadTag(c, &tag)) {
      const int outcome = read(tag);
      if (outcome < 0 || (outcome == 0 && !wire::SkipValue(c, tag))) return;
    }
  }
  int ReadAttribute(Cursor* c) {
    Cursor body(nullptr, nullptr);
    if (!wire::ReadLen(c, &body)) return -1;
    attributes_.Append(body);
    return 1;
  }
  int ReadExemplar(Cursor* c) {
    Cursor body(nullptr, nullptr);
    if (!wire::ReadLen(c, &body)) return -1;
    exemplars_.Append(body);
    return 1;
  }
  template <class Column>
  int ReadDouble(Cursor* c, Column* column) {
    uint64_t bits;
    if (!wire::ReadFixed64(c, &bits)) return -1;
    column->Set(row(), wire::ToDouble(bits));
    return 1;
  }
  static int Known(bool ok) { return ok ? 1 : -1; }

  void ReadNumberPoint(Cursor c) {
    NumberValue value;
    ReadFields(&c, [&](uint32_t tag) {
      switch (tag) {
        case Tag(2, wire::kFixed64): return Known(wire::ReadFixed64(&c, &start_value_));
        case Tag(3, wire::kFixed64): return Known(wire::ReadFixed64(&c, &time_value_));
        case Tag(4, wire::kFixed64): value.kind = NumberValue::kDouble; return Known(wire::ReadFixed64(&c, &value.bits));
        case Tag(6, wire::kFixed64): value.kind = NumberValue::kInt; return Known(wire::ReadFixed64(&c, &value.bits));
        case Tag(5, wire::kLen): return ReadExemplar(&c);
        case Tag(7, wire::kLen): return ReadAttribute(&c);
        case Tag(8, wire::kVarint): return Known(wire::ReadVarint(&c, &flags_value_));
        default: return 0;
      }
    });
    value.Store(row(), &value_int_, &value_double_);
  }

  void ReadHistogramPoint(Cursor c) {
    const int64_t first_count = bucket_counts_.value_count(), first_bound = explicit_bounds_.value_count();
    uint64_t count = 0;
    uint64_t bits = 0;
    Cursor body(nullptr, nullptr);
    ReadFields(&c, [&](uint32_t tag) {
      switch (tag) {
        case Tag(2, wire::kFixed64): return Known(wire::ReadFixed64(&c, &start_value_));
        case Tag(3, wire::kFixed64): return Known(wire::ReadFixed64(&c, &time_value_));
        case Tag(4, wire::kFixed64): return Known(wire::ReadFixed64(&c, &count));
        case Tag(5, wire::kFixed64): return ReadDouble(&c, &sum_);
        case Tag(6, wire::kLen):
          if (!wire::ReadLen(&c, &body)) return -1;
          bucket_counts_.AppendPackedFixed64(body);
          return 1;
        case Tag(6, wire::kFixed64):
          if (!wire::ReadFixed64(&c, &bits)) return -1;
          bucket_counts_.AppendFixed64(bits);
          return 1;
        case Tag(7, wire::kLen):
          if (!wire::ReadLen(&c, &body)) return -1;
          explicit_bounds_.AppendPackedFixed64(body);
          return 1;
        case Tag(7, wire::kFixed64):
          if (!wire::ReadFixed64(&c, &bits)) return -1;
          explicit_bounds_.AppendFixed64(bits);
          return 1;
        case Tag(8, wire::kLen): return ReadExemplar(&c);
        case Tag(9, wire::kLen): return ReadAttribute(&c);
        case Tag(10, wire::kVarint): return Known(wire::ReadVarint(&c, &flags_value_));
        case Tag(11, wire::kFixed64): return ReadDouble(&c, &min_);
        case Tag(12, wire::kFixed64): return ReadDouble(&c, &max_);
        default: return 0;
      }
    });
    bucket_counts_.EndRow(row(), first_count);
    explicit_bounds_.EndRow(row(), first_bound);
    count_.Set(row(), count);
  }

  void ReadExponentialHistogramPoint(Cursor c) {
    uint64_t count = 0, zero_count = 0, threshold = 0, scale = 0;
    Cursor body(nullptr, nullptr);
    auto buckets = [&](BucketsColumn* column) {
      if (!wire::ReadLen(&c, &body)) return -1;
      column->Append(row(), body);
      return 1;
    };
    ReadFields(&c, [&](uint32_t tag) {
      switch (tag) {
        case Tag(1, wire::kLen): return ReadAttribute(&c);
        case Tag(2, wire::kFixed64): return Known(wire::ReadFixed64(&c, &start_value_));
        case Tag(3, wire::kFixed64): return Known(wire::ReadFixed64(&c, &time_value_));
        case Tag(4, wire::kFixed64): return Known(wire::ReadFixed64(&c, &count));
        case Tag(5, wire::kFixed64): return ReadDouble(&c, &sum_);
        case Tag(6, wire::kVarint): return Known(wire::ReadVarint(&c, &scale));
        case Tag(7, wire::kFixed64): return Known(wire::ReadFixed64(&c, &zero_count));
        case Tag(8, wire::kLen): return buckets(&positive_);
        case Tag(9, wire::kLen): return buckets(&negative_);
        case Tag(10, wire::kVarint): return Known(wire::ReadVarint(&c, &flags_value_));
        case Tag(11, wire::kLen): return ReadExemplar(&c);
        case Tag(12, wire::kFixed64): return ReadDouble(&c, &min_);
        case Tag(13, wire::kFixed64): return ReadDouble(&c, &max_);
        case Tag(14, wire::kFixed64): return Known(wire::ReadFixed64(&c, &threshold));
        default: return 0;
      }
    });
    count_.Set(row(), count);
    scale_.Set(row(), wire::ZigZag32(static_cast<uint32_t>(scale)));
    zero_count_.Set(row(), zero_count);
    zero_threshold_.Set(row(), wire::ToDouble(threshold));
  }

  void ReadSummaryPoint(Cursor c) {
    const int64_t first_quantile = quantiles_.value_count();
    uint64_t count = 0, sum = 0;
    Cursor body(nullptr, nullptr);
    ReadFields(&c, [&](uint32_t tag) {
      switch (tag) {
        case Tag(2, wire::kFixed64): return Known(wire::ReadFixed64(&c, &start_value_));
        case Tag(3, wire::kFixed64): return Known(wire::ReadFixed64(&c, &time_value_));
        case Tag(4, wire::kFixed64): return Known(wire::ReadFixed64(&c, &count));
        case Tag(5, wire::kFixed64): return Known(wire::ReadFixed64(&c, &sum));
        case Tag(6, wire::kLen):
          if (!wire::ReadLen(&c, &body)) return -1;
          quantiles_.Append(body);
          return 1;
        case Tag(7, wire::kLen): return ReadAttribute(&c);
        case Tag(8, wire::kVarint): return Known(wire::ReadVarint(&c, &flags_value_));
        default: return 0;
      }
    });
    quantiles_.EndRow(row(), first_quantile);
    count_.Set(row(), count);
    sum_.Set(row(), wire::ToDouble(sum));
  }

  // The metric being read.
  std::vector<Cursor> data_;
  uint32_t data_field_ = kNoData;
  int32_t temporality_ = 0;
  bool is_monotonic_ = false;
  // The data point being read.
  uint64_t time_value_ = 0, start_value_ = 0, flags_value_ = 0;

  MetricColumns metric_;
  FixedColumn<int64_t> time_, start_time_;
  SparseColumn<int64_t> value_int_;
  SparseColumn<double> value_double_;
  SparseColumn<uint64_t> count_;
  SparseColumn<double> sum_, min_, max_;
  NumberListColumn<uint64_t> bucket_counts_;
  NumberListColumn<double> explicit_bounds_;
  SparseColumn<int32_t> scale_;
  SparseColumn<uint64_t> zero_count_;
  SparseColumn<double> zero_threshold_;
  BucketsColumn positive_, negative_;
  QuantilesColumn quantiles_;
  ExemplarsColumn exemplars_;
  FixedColumn<uint32_t> flags_;
  AttributesColumn attributes_;
};

}  // namespace

std::unique_ptr<TableDecoder> MakeMetricsDecoder(std::vector<PromotedAttribute> promoted, TableDecoder::BatchHandler on_batch,
                                                 DecoderOptions options) {
  return std::make_unique<MetricsDecoder>(std::move(promoted), std::move(on_batch), options);
}

}  // namespace otlp_arrow
