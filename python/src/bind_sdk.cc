#include <nanobind/stl/string.h>

#include <chrono>
#include <string>

#include "bindings.h"
#include "gil.h"
#include "otlp_arrow/library_recorder.h"
#include "sdk_sink.h"
#include "wait.h"

namespace otlp_arrow::python {
namespace {

using Counters = nb::typed<nb::dict, nb::str, nb::any>;

// Of a ring that is created, in the order of the arguments below.
ring::WriterOptions RingOptions(uint64_t events_slots, uint64_t events_slot_bytes, uint64_t spans_slots, uint64_t spans_slot_bytes,
                                uint64_t measurements_slots, uint64_t measurements_slot_bytes, uint64_t dictionary_max_bytes, uint32_t max_wait_ms) {
  ring::WriterOptions options;
  options.events = {events_slots, events_slot_bytes};
  options.spans = {spans_slots, spans_slot_bytes};
  options.measurements = {measurements_slots, measurements_slot_bytes};
  options.dictionary_max_bytes = dictionary_max_bytes;
  options.when_full = ring::WhenFull::kReport;  // a record that waits does so without the GIL
  options.max_block_ms = max_wait_ms;
  return options;
}

Sink* OpenFile(std::string path, uint64_t events_slots, uint64_t events_slot_bytes, uint64_t spans_slots, uint64_t spans_slot_bytes,
               uint64_t measurements_slots, uint64_t measurements_slot_bytes, uint64_t dictionary_max_bytes, uint32_t max_wait_ms) {
  sdk::FileRecorderOptions options;
  options.path = std::move(path);
  options.ring = RingOptions(events_slots, events_slot_bytes, spans_slots, spans_slot_bytes, measurements_slots, measurements_slot_bytes,
                             dictionary_max_bytes, max_wait_ms);
  auto recorder = [&] {
    GilRelease release;
    return sdk::OpenFileRecorder(options);
  }();
  return new Sink(ValueOrRaise(std::move(recorder)), max_wait_ms);
}

Sink* OpenLibrary(nb::handle python_library, uint64_t events_slots, uint64_t events_slot_bytes, uint64_t spans_slots, uint64_t spans_slot_bytes,
                  uint64_t measurements_slots, uint64_t measurements_slot_bytes, uint64_t dictionary_max_bytes, uint32_t max_wait_ms,
                  int64_t metric_interval_ms) {
  LibraryRecorderOptions options;
  options.ring = RingOptions(events_slots, events_slot_bytes, spans_slots, spans_slot_bytes, measurements_slots, measurements_slot_bytes,
                             dictionary_max_bytes, max_wait_ms);
  options.metric_interval = std::chrono::milliseconds(metric_interval_ms);
  auto library = LibraryFromPython(python_library);
  auto recorder = [&] {
    GilRelease release;
    return OpenLibraryRecorder(std::move(library), options);
  }();
  return new Sink(ValueOrRaise(std::move(recorder)), max_wait_ms);
}

Counters CountersOf(const Sink& sink) {
  const ring::WriterCounters counters = sink.counters();
  nb::dict counts;
  counts["dropped"] = counters.dropped;
  counts["truncated"] = counters.truncated;
  counts["reclaimed"] = counters.reclaimed;
  counts["invalid"] = sink.invalid();
  return Counters(counts);
}

void ForceFlush(const Sink& sink, int64_t timeout_ms) {
  RaiseIfFailed(RunInterruptibly([recorder = sink.recorder(), timeout_ms] { return recorder->ForceFlush(std::chrono::milliseconds(timeout_ms)); }));
}

void Shutdown(const Sink& sink, int64_t timeout_ms) {
  RaiseIfFailed(RunInterruptibly([recorder = sink.recorder(), timeout_ms] { return recorder->Shutdown(std::chrono::milliseconds(timeout_ms)); }));
}

}  // namespace

void BindSdk(nb::module_& m) {
  nb::class_<Sink>(m, "Recorder", "Where the native SDK records: a ring file, its own or one of a library.")
      .def_static("open_file", &OpenFile, nb::rv_policy::take_ownership, nb::arg("path"), nb::arg("events_slots"), nb::arg("events_slot_bytes"),
                  nb::arg("spans_slots"), nb::arg("spans_slot_bytes"), nb::arg("measurements_slots"), nb::arg("measurements_slot_bytes"),
                  nb::arg("dictionary_max_bytes"), nb::arg("max_wait_ms"))
      .def_static("open_library", &OpenLibrary, nb::rv_policy::take_ownership, nb::arg("library"), nb::arg("events_slots"), nb::arg("events_slot_bytes"),
                  nb::arg("spans_slots"), nb::arg("spans_slot_bytes"), nb::arg("measurements_slots"), nb::arg("measurements_slot_bytes"),
                  nb::arg("dictionary_max_bytes"), nb::arg("max_wait_ms"), nb::arg("metric_interval_ms") = 60'000)
      .def("force_flush", &ForceFlush, nb::arg("timeout_ms"), "Returns when what was recorded is where it is meant to be.")
      .def("shutdown", &Shutdown, nb::arg("timeout_ms"), "Flushes; nothing is recorded afterwards.")
      .def("counters", &CountersOf, "Records dropped, values truncated, claims reclaimed, records invalid.")
      .def_prop_ro("is_shut_down", [](const Sink& sink) { return sink.recorder()->is_shut_down(); })
      .def_prop_ro("epoch", &Sink::epoch, "Grows in a forked child that records into a ring of its own.")
      .def_prop_ro("metric_interval_ms", [](const Sink& sink) { return sink.recorder()->metric_interval().count(); });
}

}  // namespace otlp_arrow::python
