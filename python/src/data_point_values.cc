#include "data_point_values.h"

#include "convert_values.h"

namespace otlp_arrow::python {
namespace {

// Field numbers.
// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
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
    kAttributes = 1, kStart = 2, kTime = 3, kCount = 4, kSum = 5, kScale = 6, kZeroCount = 7, kPositive = 8, kNegative = 9, kFlags = 10,
    kExemplars = 11, kMin = 12, kMax = 13
  };
};
struct BucketsField {
  enum : uint32_t { kOffset = 1, kBucketCounts = 2 };
};
struct ExemplarField {
  enum : uint32_t { kTime = 2, kDouble = 3, kSpanId = 4, kTraceId = 5, kInt = 6, kAttributes = 7 };
};

inline const Name kAttributes{"attributes"}, kFiltered{"filtered_attributes"}, kStart{"start_time_unix_nano"}, kTime{"time_unix_nano"};
inline const Name kValue{"value"}, kExemplars{"exemplars"}, kCount{"count"}, kSum{"sum"}, kMin{"min"}, kMax{"max"};
inline const Name kBucketCounts{"bucket_counts"}, kBounds{"explicit_bounds"}, kScale{"scale"}, kZeroCount{"zero_count"};
inline const Name kPositive{"positive"}, kNegative{"negative"}, kOffset{"offset"}, kFlags{"flags"}, kTraceId{"trace_id"}, kSpanId{"span_id"};

constexpr size_t kTraceIdSize = 16;
constexpr size_t kSpanIdSize = 8;

nb::object TupleOf(const nb::object& sequence) {
  if (sequence.is_none()) return nb::make_tuple();
  nb::object tuple = nb::steal(PySequence_Tuple(sequence.ptr()));
  if (!tuple.is_valid()) throw nb::python_error();
  return tuple;
}

// Ints of more than 64 bits lose their last digits rather than themselves.
void WriteNumber(wire::Writer* out, PyObject* value, uint32_t int_field, uint32_t double_field) {
  int64_t integer = 0;
  if (PyLong_Check(value) && ToInt64(value, &integer)) return out->Fixed64(int_field, static_cast<uint64_t>(integer));
  out->Double(double_field, ToDouble(value, "value"));
}

// A field that may be missing: None is not 0.
void WriteOptional(wire::Writer* out, uint32_t field, PyObject* point, const Name& name) {
  const nb::object value = Attr(point, name);
  if (!value.is_none()) out->Double(field, ToDouble(value.ptr(), name.text()));
}

uint64_t Unsigned(PyObject* point, const Name& name) { return ToUint64(Attr(point, name).ptr(), name.text()); }

void WriteId(wire::Writer* out, uint32_t field, const nb::object& id, size_t size, const char* name) {
  ToBigEndian(id.ptr(), reinterpret_cast<uint8_t*>(out->BytesRoom(field, size)), size, name);
}

void WriteExemplar(wire::Writer* out, uint32_t field, PyObject* exemplar) {
  const nb::object trace_id = Attr(exemplar, kTraceId);
  const nb::object span_id = Attr(exemplar, kSpanId);
  const auto message = out->Begin(field);
  out->NonZeroFixed64(ExemplarField::kTime, Unsigned(exemplar, kTime));
  WriteNumber(out, Attr(exemplar, kValue).ptr(), ExemplarField::kInt, ExemplarField::kDouble);
  if (!trace_id.is_none() && !span_id.is_none()) {
    WriteId(out, ExemplarField::kSpanId, span_id, kSpanIdSize, "an exemplar's span_id");
    WriteId(out, ExemplarField::kTraceId, trace_id, kTraceIdSize, "an exemplar's trace_id");
  }
  WriteAttributes(out, ExemplarField::kAttributes, Attr(exemplar, kFiltered).ptr(), "an exemplar's filtered_attributes");
  out->End(message);
}

void WriteExemplars(wire::Writer* out, uint32_t field, PyObject* point) {
  const nb::object exemplars = Attr(point, kExemplars);
  if (PyList_Check(exemplars.ptr()) && PyList_GET_SIZE(exemplars.ptr()) == 0) return;
  const nb::object tuple = TupleOf(exemplars);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple.ptr()); ++i) WriteExemplar(out, field, PyTuple_GET_ITEM(tuple.ptr(), i));
}

void WritePackedFixed64(wire::Writer* out, uint32_t field, const nb::object& counts) {
  const nb::object tuple = TupleOf(counts);
  if (PyTuple_GET_SIZE(tuple.ptr()) == 0) return;
  const auto packed = out->Begin(field);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple.ptr()); ++i) {
    const uint64_t count = ToUint64(PyTuple_GET_ITEM(tuple.ptr(), i), "a bucket count");
    out->Raw({reinterpret_cast<const char*>(&count), sizeof(count)});
  }
  out->End(packed);
}

void WritePackedDoubles(wire::Writer* out, uint32_t field, const nb::object& bounds) {
  const nb::object tuple = TupleOf(bounds);
  if (PyTuple_GET_SIZE(tuple.ptr()) == 0) return;
  const auto packed = out->Begin(field);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple.ptr()); ++i) {
    const double bound = ToDouble(PyTuple_GET_ITEM(tuple.ptr(), i), "an explicit bound");
    out->Raw({reinterpret_cast<const char*>(&bound), sizeof(bound)});
  }
  out->End(packed);
}

void WriteBuckets(wire::Writer* out, uint32_t field, const nb::object& buckets) {
  if (buckets.is_none()) return;
  const nb::object counts = TupleOf(Attr(buckets.ptr(), kBucketCounts));
  if (PyTuple_GET_SIZE(counts.ptr()) == 0) return;
  const auto message = out->Begin(field, 2);
  const int32_t offset = ToInt32(Attr(buckets.ptr(), kOffset).ptr(), "a bucket offset");
  if (offset) out->ZigZag32(BucketsField::kOffset, offset);
  const auto packed = out->Begin(BucketsField::kBucketCounts, 2);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(counts.ptr()); ++i) {
    out->PackedVarint(ToUint64(PyTuple_GET_ITEM(counts.ptr(), i), "a bucket count"));
  }
  out->End(packed);
  out->End(message);
}

void WriteNumberPoint(wire::Writer* out, uint32_t field, PyObject* point, bool has_start) {
  const auto message = out->Begin(field);
  if (has_start) out->NonZeroFixed64(NumberField::kStart, Unsigned(point, kStart));
  out->NonZeroFixed64(NumberField::kTime, Unsigned(point, kTime));
  WriteNumber(out, Attr(point, kValue).ptr(), NumberField::kInt, NumberField::kDouble);
  WriteExemplars(out, NumberField::kExemplars, point);
  WriteAttributes(out, NumberField::kAttributes, Attr(point, kAttributes).ptr());
  out->End(message);
}

}  // namespace

void WriteSumPoint(wire::Writer* out, uint32_t field, PyObject* point) { WriteNumberPoint(out, field, point, true); }

// The SDK's encoder leaves out a gauge's start: it says nothing of a value that is the last one.
void WriteGaugePoint(wire::Writer* out, uint32_t field, PyObject* point) { WriteNumberPoint(out, field, point, false); }

void WriteHistogramPoint(wire::Writer* out, uint32_t field, PyObject* point) {
  const auto message = out->Begin(field, 2);
  out->NonZeroFixed64(HistogramField::kStart, Unsigned(point, kStart));
  out->NonZeroFixed64(HistogramField::kTime, Unsigned(point, kTime));
  out->NonZeroFixed64(HistogramField::kCount, Unsigned(point, kCount));
  WriteOptional(out, HistogramField::kSum, point, kSum);
  WritePackedFixed64(out, HistogramField::kBucketCounts, Attr(point, kBucketCounts));
  WritePackedDoubles(out, HistogramField::kBounds, Attr(point, kBounds));
  WriteExemplars(out, HistogramField::kExemplars, point);
  WriteAttributes(out, HistogramField::kAttributes, Attr(point, kAttributes).ptr());
  WriteOptional(out, HistogramField::kMin, point, kMin);
  WriteOptional(out, HistogramField::kMax, point, kMax);
  out->End(message);
}

void WriteExponentialPoint(wire::Writer* out, uint32_t field, PyObject* point) {
  const auto message = out->Begin(field, 2);
  WriteAttributes(out, ExponentialField::kAttributes, Attr(point, kAttributes).ptr());
  out->NonZeroFixed64(ExponentialField::kStart, Unsigned(point, kStart));
  out->NonZeroFixed64(ExponentialField::kTime, Unsigned(point, kTime));
  out->NonZeroFixed64(ExponentialField::kCount, Unsigned(point, kCount));
  WriteOptional(out, ExponentialField::kSum, point, kSum);
  const int32_t scale = ToInt32(Attr(point, kScale).ptr(), "scale");
  if (scale) out->ZigZag32(ExponentialField::kScale, scale);
  out->NonZeroFixed64(ExponentialField::kZeroCount, Unsigned(point, kZeroCount));
  WriteBuckets(out, ExponentialField::kPositive, Attr(point, kPositive));
  WriteBuckets(out, ExponentialField::kNegative, Attr(point, kNegative));
  out->NonZeroVarint(ExponentialField::kFlags, ToUint32(Attr(point, kFlags).ptr(), "flags"));
  WriteExemplars(out, ExponentialField::kExemplars, point);
  WriteOptional(out, ExponentialField::kMin, point, kMin);
  WriteOptional(out, ExponentialField::kMax, point, kMax);
  out->End(message);
}

}  // namespace otlp_arrow::python
