#include <string_view>

#include "convert.h"
#include "convert_groups.h"
#include "convert_items.h"
#include "data_point_values.h"

namespace otlp_arrow::python {
namespace {

struct MetricField {
  enum : uint32_t { kName = 1, kDescription = 2, kUnit = 3, kGauge = 5, kSum = 7, kHistogram = 9, kExponentialHistogram = 10 };
};
// Of Gauge, Sum, Histogram and ExponentialHistogram.
enum : uint32_t { kPoints = 1, kTemporality = 2, kMonotonic = 3 };

inline const Name kExportModule{"opentelemetry.sdk.metrics.export"};
inline const Name kMetricsDataClass{"MetricsData"}, kResourceMetricsClass{"ResourceMetrics"}, kGaugeClass{"Gauge"}, kSumClass{"Sum"};
inline const Name kHistogramClass{"Histogram"}, kExponentialClass{"ExponentialHistogram"};
inline const Name kResourceMetrics{"resource_metrics"}, kScopeMetrics{"scope_metrics"}, kMetrics{"metrics"}, kResource{"resource"}, kScope{"scope"};
inline const Name kName{"name"}, kDescription{"description"}, kUnit{"unit"}, kData{"data"}, kDataPoints{"data_points"};
inline const Name kAggregationTemporality{"aggregation_temporality"}, kIsMonotonic{"is_monotonic"};

// True for objects of a class in opentelemetry.sdk.metrics.export and of classes that derive from it. Who passes one has
// that module loaded.
bool IsA(PyObject* object, const Name& class_name) {
  const nb::object type = LoadedAttr(kExportModule, class_name);
  return type.is_valid() && PyType_Check(type.ptr()) && PyObject_TypeCheck(object, reinterpret_cast<PyTypeObject*>(type.ptr()));
}

nb::object TupleOf(const nb::object& sequence, const char* what) {
  const bool list = !PyUnicode_Check(sequence.ptr()) && !PyDict_Check(sequence.ptr());
  const nb::object tuple = nb::steal(list ? PySequence_Tuple(sequence.ptr()) : nullptr);
  if (tuple.is_valid()) return tuple;
  SwallowError();
  throw Fault(std::string(what) + " is " + ShortRepr(sequence) + " (" + TypeName(sequence.ptr()) + "), and must be a list");
}

// Writes one metric's data: the message of its kind with all points. As in the SDK's encoder a metric without points has
// no data.
void WriteData(wire::Writer* out, PyObject* data) {
  struct Kind {
    const Name& class_name;
    uint32_t field;
    void (*write_point)(wire::Writer*, uint32_t, PyObject*);
  };
  static const Kind kKinds[] = {{kSumClass, MetricField::kSum, WriteSumPoint},
                                {kGaugeClass, MetricField::kGauge, WriteGaugePoint},
                                {kHistogramClass, MetricField::kHistogram, WriteHistogramPoint},
                                {kExponentialClass, MetricField::kExponentialHistogram, WriteExponentialPoint}};
  for (const Kind& kind : kKinds) {
    if (!IsA(data, kind.class_name)) continue;
    const nb::object points = TupleOf(Attr(data, kDataPoints), "data_points");
    const Py_ssize_t count = PyTuple_GET_SIZE(points.ptr());
    if (count == 0) return;
    const auto message = out->Begin(kind.field, 2);
    for (Py_ssize_t i = 0; i < count; ++i) kind.write_point(out, kPoints, PyTuple_GET_ITEM(points.ptr(), i));
    if (kind.field != MetricField::kGauge) {
      out->NonZeroInt32(kTemporality, ToInt32(Attr(data, kAggregationTemporality).ptr(), "aggregation_temporality"));
    }
    if (kind.field == MetricField::kSum) out->NonZeroVarint(kMonotonic, PyObject_IsTrue(Attr(data, kIsMonotonic).ptr()) == 1);
    return out->End(message);
  }
  throw Fault("data is " + ShortRepr(data) + " (" + TypeName(data) + "), and must be a Sum, Gauge, Histogram or ExponentialHistogram");
}

void WriteMetric(wire::Writer* out, PyObject* metric) {
  const nb::object name = Attr(metric, kName);
  const auto message = out->Begin(GroupedRequest::kItemsField, 2);
  out->NonEmpty(MetricField::kName, TextOf(name.ptr()).view());
  out->NonEmpty(MetricField::kDescription, TextOf(Attr(metric, kDescription).ptr()).view());
  out->NonEmpty(MetricField::kUnit, TextOf(Attr(metric, kUnit).ptr()).view());
  try {
    WriteData(out, Attr(metric, kData).ptr());
  } catch (const Fault& fault) {
    throw Fault("metric " + ShortRepr(name) + ": " + fault.what());
  }
  out->End(message);
}

void WriteResourceMetrics(GroupedRequest* request, PyObject* resource_metrics) {
  const nb::object resource = Attr(resource_metrics, kResource);
  const nb::object scopes = TupleOf(Attr(resource_metrics, kScopeMetrics), "scope_metrics");
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(scopes.ptr()); ++i) {
    PyObject* scope_metrics = PyTuple_GET_ITEM(scopes.ptr(), i);
    const nb::object metrics = TupleOf(Attr(scope_metrics, kMetrics), "metrics");
    const nb::object scope = Attr(scope_metrics, kScope);
    wire::Writer* out = request->For(resource.ptr(), scope.ptr());
    for (Py_ssize_t j = 0; j < PyTuple_GET_SIZE(metrics.ptr()); ++j) WriteMetric(out, PyTuple_GET_ITEM(metrics.ptr(), j));
  }
}

// What is no metrics data may be something that metrics data can be collected from.
nb::object Collect(nb::handle source) { return nb::module_::import_("otlp_arrow_library._metric_sources").attr("collect")(source); }

}  // namespace

std::string ConvertMetrics(nb::handle metrics) {
  static SizeGuess guess;
  nb::object data = nb::borrow(metrics);
  const bool is_data = IsA(data.ptr(), kMetricsDataClass) || IsA(data.ptr(), kResourceMetricsClass);
  if (!is_data) data = Collect(metrics);
  if (data.is_none()) return {};
  const bool single = IsA(data.ptr(), kResourceMetricsClass);
  const nb::object list = single ? nb::object(nb::make_tuple(data)) : Attr(data.ptr(), kResourceMetrics);
  constexpr size_t kOne = 8;
  GroupedRequest request(guess.For(kOne));
  ForEachItem(list.ptr(), "resource metric", "a list of ResourceMetrics", [&](PyObject* one) { WriteResourceMetrics(&request, one); });
  std::string bytes = request.Finish();
  guess.Learn(kOne, bytes.size());
  return bytes;
}

}  // namespace otlp_arrow::python
