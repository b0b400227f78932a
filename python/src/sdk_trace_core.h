// `_native.TraceCore`: what all tracers of a provider share. Everything here wants the GIL.
#pragma once

#include <memory>

#include "bindings.h"
#include "sdk_attributes.h"
#include "sdk_sampler.h"
#include "sdk_sink.h"

namespace otlp_arrow::python {

struct SpanLimits {
  AttributeLimits span, event, link;
  Py_ssize_t max_events = -1;  // -1: any number
  Py_ssize_t max_links = -1;
};

struct TraceCore {
  nb::object recorder;  // `_native.Recorder`, or None: spans go to processors alone
  Sink* sink = nullptr;
  std::unique_ptr<Sampler> sampler;
  nb::object id_generator;  // not valid: the native one
  bool trace_ids_are_random = true;
  nb::object resource;
  SpanLimits limits;
  nb::object processors;  // a tuple; not valid where there are none
  bool is_shut_down = false;

  // Calls on_start, _on_ending and on_end of the processors; what they raise is logged.
  void TellStart(PyObject* span, PyObject* parent_context) const;
  void TellEnd(PyObject* span) const;
};

}  // namespace otlp_arrow::python
