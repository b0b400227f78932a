#include <cstring>

#include "otlp/telemetry/decode.h"
#include "otlp/telemetry/decode_values.h"

namespace otlp_arrow {
namespace {

using wire::Tag;

// A repeated number: packed, or one by one.
template <class T>
void AppendFixed64(uint32_t tag, const FieldValue& value, std::vector<T>* numbers) {
  const auto append = [numbers](uint64_t bits) { numbers->push_back(std::bit_cast<T>(bits)); };
  if ((tag & 7) == wire::kFixed64) return append(value.number);
  wire::Cursor c(value.bytes);
  uint64_t bits = 0;
  while (wire::ReadFixed64(&c, &bits)) append(bits);
}
void AppendVarints(uint32_t tag, const FieldValue& value, std::vector<uint64_t>* numbers) {
  if ((tag & 7) == wire::kVarint) return numbers->push_back(value.number);
  wire::Cursor c(value.bytes);
  uint64_t number = 0;
  while (!c.done() && wire::ReadVarint(&c, &number)) numbers->push_back(number);
}

void DecodeExemplar(std::string_view message, Exemplar* exemplar) {
  ForEachField(message, [exemplar](uint32_t tag, const FieldValue& value) {
    switch (tag) {
      case Tag(2, wire::kFixed64): exemplar->time_unix_nano = value.number; break;
      case Tag(3, wire::kFixed64): exemplar->value = value.AsDouble(); break;
      case Tag(4, wire::kLen): DecodeId(value.bytes, &exemplar->span_id); break;
      case Tag(5, wire::kLen): DecodeId(value.bytes, &exemplar->trace_id); break;
      case Tag(6, wire::kFixed64): exemplar->value = static_cast<int64_t>(value.number); break;
      case Tag(7, wire::kLen): DecodeAttribute(value.bytes, &exemplar->filtered_attributes); break;
      default: break;
    }
  });
}

void DecodePoint(std::string_view message, NumberDataPoint* point) {
  ForEachField(message, [point](uint32_t tag, const FieldValue& value) {
    switch (tag) {
      case Tag(2, wire::kFixed64): point->start_time_unix_nano = value.number; break;
      case Tag(3, wire::kFixed64): point->time_unix_nano = value.number; break;
      case Tag(4, wire::kFixed64): point->value = value.AsDouble(); break;
      case Tag(5, wire::kLen): DecodeExemplar(value.bytes, &point->exemplars.emplace_back()); break;
      case Tag(6, wire::kFixed64): point->value = static_cast<int64_t>(value.number); break;
      case Tag(7, wire::kLen): DecodeAttribute(value.bytes, &point->attributes); break;
      case Tag(8, wire::kVarint): point->flags = value.AsUint32(); break;
      default: break;
    }
  });
}

void DecodePoint(std::string_view message, HistogramDataPoint* point) {
  ForEachField(message, [point](uint32_t tag, const FieldValue& value) {
    switch (tag) {
      case Tag(2, wire::kFixed64): point->start_time_unix_nano = value.number; break;
      case Tag(3, wire::kFixed64): point->time_unix_nano = value.number; break;
      case Tag(4, wire::kFixed64): point->count = value.number; break;
      case Tag(5, wire::kFixed64): point->sum = value.AsDouble(); break;
      case Tag(6, wire::kLen):
      case Tag(6, wire::kFixed64): AppendFixed64(tag, value, &point->bucket_counts); break;
      case Tag(7, wire::kLen):
      case Tag(7, wire::kFixed64): AppendFixed64(tag, value, &point->explicit_bounds); break;
      case Tag(8, wire::kLen): DecodeExemplar(value.bytes, &point->exemplars.emplace_back()); break;
      case Tag(9, wire::kLen): DecodeAttribute(value.bytes, &point->attributes); break;
      case Tag(10, wire::kVarint): point->flags = value.AsUint32(); break;
      case Tag(11, wire::kFixed64): point->min = value.AsDouble(); break;
      case Tag(12, wire::kFixed64): point->max = value.AsDouble(); break;
      default: break;
    }
  });
}

void DecodeBuckets(std::string_view message, std::optional<ExponentialHistogramDataPoint::Buckets>* buckets) {
  if (!*buckets) buckets->emplace();
  ForEachField(message, [buckets](uint32_t tag, const FieldValue& value) {
    switch (tag) {
      case Tag(1, wire::kVarint): (*buckets)->offset = value.AsZigZag32(); break;
      case Tag(2, wire::kLen):
      case Tag(2, wire::kVarint): AppendVarints(tag, value, &(*buckets)->bucket_counts); break;
      default: break;
    }
  });
}

void DecodePoint(std::string_view message, ExponentialHistogramDataPoint* point) {
  ForEachField(message, [point](uint32_t tag, const FieldValue& value) {
    switch (tag) {
      case Tag(1, wire::kLen): DecodeAttribute(value.bytes, &point->attributes); break;
      case Tag(2, wire::kFixed64): point->start_time_unix_nano = value.number; break;
      case Tag(3, wire::kFixed64): point->time_unix_nano = value.number; break;
      case Tag(4, wire::kFixed64): point->count = value.number; break;
      case Tag(5, wire::kFixed64): point->sum = value.AsDouble(); break;
      case Tag(6, wire::kVarint): point->scale = value.AsZigZag32(); break;
      case Tag(7, wire::kFixed64): point->zero_count = value.number; break;
      case Tag(8, wire::kLen): DecodeBuckets(value.bytes, &point->positive); break;
      case Tag(9, wire::kLen): DecodeBuckets(value.bytes, &point->negative); break;
      case Tag(10, wire::kVarint): point->flags = value.AsUint32(); break;
      case Tag(11, wire::kLen): DecodeExemplar(value.bytes, &point->exemplars.emplace_back()); break;
      case Tag(12, wire::kFixed64): point->min = value.AsDouble(); break;
      case Tag(13, wire::kFixed64): point->max = value.AsDouble(); break;
      case Tag(14, wire::kFixed64): point->zero_threshold = value.AsDouble(); break;
      default: break;
    }
  });
}

void DecodeQuantile(std::string_view message, SummaryDataPoint::ValueAtQuantile* at) {
  ForEachField(message, [at](uint32_t tag, const FieldValue& value) {
    if (tag == Tag(1, wire::kFixed64)) at->quantile = value.AsDouble();
    if (tag == Tag(2, wire::kFixed64)) at->value = value.AsDouble();
  });
}

void DecodePoint(std::string_view message, SummaryDataPoint* point) {
  ForEachField(message, [point](uint32_t tag, const FieldValue& value) {
    switch (tag) {
      case Tag(2, wire::kFixed64): point->start_time_unix_nano = value.number; break;
      case Tag(3, wire::kFixed64): point->time_unix_nano = value.number; break;
      case Tag(4, wire::kFixed64): point->count = value.number; break;
      case Tag(5, wire::kFixed64): point->sum = value.AsDouble(); break;
      case Tag(6, wire::kLen): DecodeQuantile(value.bytes, &point->quantile_values.emplace_back()); break;
      case Tag(7, wire::kLen): DecodeAttribute(value.bytes, &point->attributes); break;
      case Tag(8, wire::kVarint): point->flags = value.AsUint32(); break;
      default: break;
    }
  });
}

void DecodeTemporality(uint32_t tag, const FieldValue& value, AggregationTemporality* temporality) {
  if (tag == Tag(2, wire::kVarint)) *temporality = static_cast<AggregationTemporality>(value.AsInt32());
}
void DecodeRest(uint32_t, const FieldValue&, Gauge*) {}
void DecodeRest(uint32_t, const FieldValue&, Summary*) {}
void DecodeRest(uint32_t tag, const FieldValue& value, Histogram* histogram) {
  DecodeTemporality(tag, value, &histogram->aggregation_temporality);
}
void DecodeRest(uint32_t tag, const FieldValue& value, ExponentialHistogram* histogram) {
  DecodeTemporality(tag, value, &histogram->aggregation_temporality);
}
void DecodeRest(uint32_t tag, const FieldValue& value, Sum* sum) {
  DecodeTemporality(tag, value, &sum->aggregation_temporality);
  if (tag == Tag(3, wire::kVarint)) sum->is_monotonic = value.number != 0;
}

// The data of a metric, in field `field`. A message that comes in parts is merged; of different kinds the last one stays.
template <class Data>
void DecodeData(uint32_t field, std::string_view message, bool check, Metric* metric) {
  if (!std::holds_alternative<Data>(metric->data)) metric->data.emplace<Data>();
  Data& data = std::get<Data>(metric->data);
  ForEachField(message, [&](uint32_t tag, const FieldValue& value) {
    if (tag != Tag(1, wire::kLen)) return DecodeRest(tag, value, &data);
    if (check && CheckDataPoint(field, value.bytes) != ItemFault::kNone) return;
    DecodePoint(value.bytes, &data.data_points.emplace_back());
  });
}

void DecodeMetric(std::string_view message, bool check, Metric* metric) {
  ForEachField(message, [&](uint32_t tag, const FieldValue& value) {
    switch (tag) {
      case Tag(1, wire::kLen): metric->name = value.AsText(); break;
      case Tag(2, wire::kLen): metric->description = value.AsText(); break;
      case Tag(3, wire::kLen): metric->unit = value.AsText(); break;
      case Tag(5, wire::kLen): DecodeData<Gauge>(5, value.bytes, check, metric); break;
      case Tag(7, wire::kLen): DecodeData<Sum>(7, value.bytes, check, metric); break;
      case Tag(9, wire::kLen): DecodeData<Histogram>(9, value.bytes, check, metric); break;
      case Tag(10, wire::kLen): DecodeData<ExponentialHistogram>(10, value.bytes, check, metric); break;
      case Tag(11, wire::kLen): DecodeData<Summary>(11, value.bytes, check, metric); break;
      case Tag(12, wire::kLen): DecodeAttribute(value.bytes, &metric->metadata); break;
      default: break;
    }
  });
}

}  // namespace

Result<std::vector<ResourceMetrics>> DecodeMetrics(std::string_view request) {
  OTLP_ASSIGN_OR_RETURN(const bool check, ScanForDecoding(Signal::kMetrics, request));
  std::vector<ResourceMetrics> all;
  DecodeContainers(
      request, check, [&] { return &all.emplace_back(); },
      [](ResourceMetrics* metrics) { return &metrics->scope_metrics.emplace_back(); },
      [check](std::string_view bytes, ScopeMetrics* scope) {
        if (check && CheckContainer(Container::kMetric, bytes) != ItemFault::kNone) return;
        DecodeMetric(bytes, check, &scope->metrics.emplace_back());
      });
  return all;
}

}  // namespace otlp_arrow
