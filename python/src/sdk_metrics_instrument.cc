#include "sdk_metrics_instrument.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "bindings.h"
#include "otlp_arrow/telemetry.h"
#include "sdk_attributes.h"
#include "sdk_log.h"

namespace otlp_arrow::python {
namespace {

using ring::RecordResult;

std::optional<double> FloatOf(PyObject* amount) {
  const double value = PyFloat_AsDouble(amount);
  if (value != -1.0 || !PyErr_Occurred()) return value;
  SwallowError();
  return std::nullopt;
}

void WarnOfNegative(const std::string& name, PyObject* amount) {
  WarnOfMistake("instrument '%s': %R is negative, which this kind of instrument does not take: the measurement is left out", name.c_str(), amount);
}

}  // namespace

ring::Attributes KeptKeys::Filter(ring::Attributes attributes, uint32_t epoch, ring::RingWriter* writer) {
  if (epoch_ != epoch) {
    refs_.clear();
    for (const std::string& key : keys_) {
      if (auto ref = writer->InternString(key); ref.ok()) refs_.push_back(*ref);
    }
    std::sort(refs_.begin(), refs_.end());
    epoch_ = epoch;
  }
  kept_.clear();
  for (const ring::Attribute& attribute : attributes) {
    if (std::binary_search(refs_.begin(), refs_.end(), attribute.key)) kept_.push_back(attribute);
  }
  return kept_;
}

bool Instrument::NumberOf(PyObject* amount, Number* number) const {
  std::optional<double> value;
  if (PyFloat_Check(amount)) {
    value = PyFloat_AS_DOUBLE(amount);
  } else if (PyIndex_Check(amount)) {
    const nb::object integer = nb::steal(PyNumber_Index(amount));
    int64_t whole = 0;
    if (!integer.is_valid()) {
      SwallowError();
    } else if (ToInt64(integer.ptr(), &whole)) {
      if (whole < 0 && !may_be_negative_) {
        WarnOfNegative(name_, amount);
        return false;
      }
      *number = whole;
      return true;
    } else {
      value = FloatOf(integer.ptr());  // no 64 bits hold it
    }
  } else {
    value = FloatOf(amount);
  }
  if (!value) {
    WarnOfMistake("instrument '%s': a value of the type %s is no number: the measurement is left out", name_.c_str(), Py_TYPE(amount)->tp_name);
  } else if (!std::isfinite(*value)) {
    WarnOfMistake("instrument '%s': %R is not finite: the measurement is left out", name_.c_str(), amount);
  } else if (*value < 0 && !may_be_negative_) {
    WarnOfNegative(name_, amount);
  } else {
    *number = *value;
    return true;
  }
  return false;
}

bool Instrument::Measure(PyObject* amount, PyObject* attributes, PyObject* context) {
  Number number;
  if (scope_->is_closed() || !NumberOf(amount, &number)) return false;
  if (attributes == Py_None) attributes = nullptr;
  SpanIds ids;
  bool is_exemplar = false;
  if (filter_ != ExemplarFilter::kAlwaysOff) {
    ids = SpanIdsOf(context);
    // The collector keeps exemplars of sampled spans.
    if (filter_ == ExemplarFilter::kAlwaysOn) ids.flags |= kSampled;
    is_exemplar = (ids.flags & kSampled) != 0 && ids.is_valid();
  }
  const ring::SpanContext span = ids.context();
  ring::Measurement measurement;
  measurement.time_unix_nano = UnixNanoNow();
  measurement.value = number;
  if (is_exemplar) measurement.context = &span;
  bool recorded = true;
  for (Stream& stream : streams_) recorded &= Put(&stream, measurement, attributes);
  return recorded;
}

bool Instrument::Put(Stream* stream, const ring::Measurement& measurement, PyObject* attributes) {
  const sdk::Binding binding = stream->definition->Get();
  if (!binding) return false;
  RecordResult result = RecordResult::kDropped;
  sink_->Put(binding.writer, ring::RingKind::kMeasurements, [&] {
    AttributeViews views(sink_->keys(), binding.writer);
    nb::object cleaned;
    PyObject* clean = attributes;
    if (clean && !IsClean(clean, {})) [[unlikely]] {
      uint32_t dropped = 0;
      cleaned = CleanAttributes(clean, {}, &dropped);
      clean = cleaned.ptr();
    }
    ring::Measurement mine = measurement;
    mine.metric = binding.ref;
    mine.attributes = views.Of(clean);
    if (stream->kept) mine.attributes = stream->kept->Filter(mine.attributes, sink_->epoch(), binding.writer);
    return result = binding.writer->RecordMeasurement(mine);
  });
  return result == RecordResult::kRecorded || result == RecordResult::kTruncated;
}

// --- The type of Python ---

namespace {

struct InstrumentObject {
  PyObject_HEAD
  Instrument* instrument;  // null until _open
};

Instrument* InstrumentOf(PyObject* self) { return reinterpret_cast<InstrumentObject*>(self)->instrument; }

const char* const kAggregations[] = {"gauge", "sum", "histogram", "exp_histogram"};

// A tuple as `_streams` of _instruments.py makes it.
Instrument::Stream StreamOf(const std::shared_ptr<sdk::ScopeDefinition>& scope, nb::tuple fields) {
  sdk::MetricStreamDefinition stream;
  const auto text = [&](size_t at) { return std::string(Utf8(nb::handle(fields[at]).ptr()).view()); };
  stream.name = text(0);
  stream.description = text(1);
  stream.unit = text(2);
  const auto* kind = std::find(std::begin(kAggregations), std::end(kAggregations), text(3));
  stream.aggregation = static_cast<sdk::AggregationKind>(kind - std::begin(kAggregations));
  stream.temporality = static_cast<ring::Temporality>(nb::cast<int>(fields[4]));
  stream.is_monotonic = nb::cast<bool>(fields[5]);
  for (nb::handle boundary : nb::cast<nb::tuple>(fields[6])) stream.bucket_boundaries.push_back(nb::cast<double>(boundary));
  stream.max_buckets = nb::cast<int64_t>(fields[7]);
  stream.max_scale = nb::cast<int64_t>(fields[8]);
  stream.cardinality_limit = nb::cast<uint32_t>(fields[9]);
  std::unique_ptr<KeptKeys> kept;
  if (!nb::handle(fields[10]).is_none()) {
    std::vector<std::string> keys;
    for (nb::handle key : nb::cast<nb::tuple>(fields[10])) keys.emplace_back(Utf8(key.ptr()).view());
    kept = std::make_unique<KeptKeys>(std::move(keys));
  }
  return {std::make_shared<sdk::MetricDefinition>(scope, std::move(stream)), std::move(kept)};
}

PyObject* Open(PyObject* self, PyObject* args) noexcept {
  try {
    PyObject *scope_object, *name, *streams;
    int may_be_negative, filter;
    if (!PyArg_ParseTuple(args, "OUpiO!:_open", &scope_object, &name, &may_be_negative, &filter, &PyTuple_Type, &streams)) return nullptr;
    const auto* scope = nb::cast<Scope*>(nb::handle(scope_object));
    std::vector<Instrument::Stream> made;
    for (nb::handle fields : nb::borrow<nb::tuple>(streams)) made.push_back(StreamOf(scope->definition(), nb::cast<nb::tuple>(fields)));
    auto instrument = std::make_unique<Instrument>(nb::borrow(scope_object), std::string(Utf8(name).view()), may_be_negative != 0,
                                                   static_cast<ExemplarFilter>(filter), std::move(made));
    delete std::exchange(reinterpret_cast<InstrumentObject*>(self)->instrument, instrument.release());
    Py_RETURN_NONE;
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_TypeError, error.what());
  }
  return nullptr;
}

// `kAnswer`: says whether it was recorded.
template <bool kAnswer>
PyObject* Measure(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) noexcept {
  static const Parameter parameters[] = {{Name("amount")}, {Name("attributes")}, {Name("context")}};
  static const Signature signature = {"measure", parameters, 3, 1};
  PyObject* given[3];
  try {
    signature.Parse(args, nargs, kwnames, given);
  } catch (nb::python_error& error) {
    error.restore();
    return nullptr;
  }
  return Guarded("an instrument", [&]() -> PyObject* {
    Instrument* instrument = InstrumentOf(self);
    const bool recorded = instrument && instrument->Measure(given[0], given[1], given[2]);
    if constexpr (kAnswer) return PyBool_FromLong(recorded);
    Py_RETURN_NONE;
  });
}

void Deallocate(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete InstrumentOf(self);
  type->tp_free(self);
  Py_DECREF(type);
}

}  // namespace

void BindSdkMetrics(nb::module_& m) {
  static PyMethodDef methods[] = {
      {"_open", Open, METH_VARARGS, "_open($self, scope, name, may_be_negative, exemplar_filter, streams, /)\n--\n\n"},
      {"_measure", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(&Measure<false>)), METH_FASTCALL | METH_KEYWORDS,
       "_measure($self, /, amount, attributes=None, context=None)\n--\n\nRecords a measurement."},
      {"_measured", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(&Measure<true>)), METH_FASTCALL | METH_KEYWORDS,
       "_measured($self, /, amount, attributes=None, context=None)\n--\n\nRecords a measurement; False where it could not be."},
      {nullptr, nullptr, 0, nullptr}};
  static PyType_Slot slots[] = {{Py_tp_methods, methods},
                                {Py_tp_dealloc, reinterpret_cast<void*>(&Deallocate)},
                                {Py_tp_new, reinterpret_cast<void*>(&PyType_GenericNew)},
                                {Py_tp_doc, const_cast<char*>("What measures: records into the streams of an instrument.")},
                                {0, nullptr}};
  static PyType_Spec spec = {"otlp_arrow_library._native.Instrument", sizeof(InstrumentObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};
  nb::object type = nb::steal(PyType_FromSpec(&spec));
  if (!type.is_valid()) throw nb::python_error();
  m.attr("Instrument") = type;
}

}  // namespace otlp_arrow::python
