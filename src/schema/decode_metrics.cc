// ResourceMetrics into the metrics table: a row per data point.
#include <arrow/type.h>

#include "otlp/scan.h"
#include "schema/decoder_base.h"
#include "schema/metric_columns.h"

namespace otlp_arrow {
namespace {

using wire::Cursor;
using wire::Tag;

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
