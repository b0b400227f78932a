// Rows of the metrics table into data points, and neighbouring rows of one metric into Metric messages.
#include <optional>
#include <utility>

#include <arrow/type.h>

#include "schema/data_point_writer.h"
#include "schema/row_writer.h"
#include "schema/schemas.h"

namespace otlp_arrow {
namespace {

// The field numbers of a Metric's oneof, by the name in metric_type.
std::optional<int32_t> DataFieldFromName(std::string_view name) {
  constexpr std::pair<std::string_view, DataField> kNames[] = {{"GAUGE", DataField::kGauge},
                                                               {"SUM", DataField::kSum},
                                                               {"HISTOGRAM", DataField::kHistogram},
                                                               {"EXPONENTIAL_HISTOGRAM", DataField::kExponentialHistogram},
                                                               {"SUMMARY", DataField::kSummary}};
  for (const auto& [known, field] : kNames) {
    if (known == name) return static_cast<int32_t>(field);
  }
  return std::nullopt;
}

// What the data points of one Metric message have in common.
class MetricWriter {
 public:
  Status Bind(const Columns& columns) {
    OTLP_RETURN_NOT_OK(metadata_.Bind(columns, "metric_metadata"));
    return BindAll(columns, Column("metric_name", &name_), Column("description", &description_), Column("unit", &unit_),
                   Column("metric_type", &type_), Column("aggregation_temporality", &temporality_),
                   Column("is_monotonic", &is_monotonic_));
  }

  bool Same(int64_t a, int64_t b) const {
    return name_.Same(a, b) && type_.Same(a, b) && unit_.Same(a, b) && description_.Same(a, b) && temporality_.Same(a, b) &&
           is_monotonic_.Same(a, b) && metadata_.Same(a, b);
  }

  // Opens the message and its data; Tail ends what Head opened, for the same row.
  Status Head(int64_t row, wire::Writer* out) {
    enum Field : uint32_t { kName = 1, kDescription = 2, kUnit = 3 };
    row_ = row;
    int32_t field = 0;
    OTLP_RETURN_NOT_OK(type_.Read(row, &field));
    OTLP_RETURN_NOT_OK(temporality_.Read(row, &temporality_value_));
    if (field == 0) return Status::Export("column 'metric_type' is null; it says which data points a metric has");
    data_field_ = static_cast<DataField>(field);
    metric_ = out->Begin(kMetrics, 2);
    out->NonEmpty(kName, name_[row]);
    out->NonEmpty(kDescription, description_[row]);
    out->NonEmpty(kUnit, unit_[row]);
    data_ = out->Begin(static_cast<uint32_t>(data_field_), 2);
    return {};
  }

  Status Tail(wire::Writer* out) const {
    enum Field : uint32_t { kTemporality = 2, kIsMonotonic = 3, kMetadata = 12 };
    if (data_field_ != DataField::kGauge && data_field_ != DataField::kSummary) {
      out->NonZeroInt32(kTemporality, temporality_value_);
    }
    if (data_field_ == DataField::kSum) out->NonZeroVarint(kIsMonotonic, is_monotonic_[row_]);
    out->End(data_);
    OTLP_RETURN_NOT_OK(metadata_.Write(row_, kMetadata, out));
    out->End(metric_);
    return {};
  }

  DataField data_field() const { return data_field_; }

 private:
  static constexpr uint32_t kMetrics = 2;  // of ScopeMetrics

  TextReader name_;
  TextReader description_;
  TextReader unit_;
  EnumReader type_{DataFieldFromName};
  EnumReader temporality_{TemporalityFromName};
  BoolReader is_monotonic_;
  AttributeWriter metadata_;

  DataField data_field_ = DataField::kGauge;
  int32_t temporality_value_ = 0;
  int64_t row_ = 0;
  wire::Writer::OpenMessage metric_;
  wire::Writer::OpenMessage data_;
};

class DataPointRowWriter : public RowWriter {
 public:
  Status Bind(const Columns& columns) override {
    OTLP_RETURN_NOT_OK(metric_.Bind(columns));
    return points_.Bind(columns);
  }

  Status Write(int64_t row, wire::Writer* out) override {
    if (open_ && !metric_.Same(row, row - 1)) OTLP_RETURN_NOT_OK(EndScope(out));
    if (!open_) OTLP_RETURN_NOT_OK(metric_.Head(row, out));
    open_ = true;
    return points_.Write(metric_.data_field(), row, out);
  }

  Status EndScope(wire::Writer* out) override {
    const bool was_open = std::exchange(open_, false);
    return was_open ? metric_.Tail(out) : Status();
  }

 private:
  MetricWriter metric_;
  DataPointWriter points_;
  bool open_ = false;
};

}  // namespace

std::unique_ptr<RowWriter> MakeDataPointWriter() { return std::make_unique<DataPointRowWriter>(); }

}  // namespace otlp_arrow
