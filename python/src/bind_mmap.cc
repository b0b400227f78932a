#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "bindings.h"
#include "mmap_arguments.h"
#include "mmap_exporter.h"
#include "mmap_functions.h"

namespace otlp_arrow::python {
namespace {

using Counters = nb::typed<nb::dict, nb::str, nb::any>;
using Use = MmapExporter::Use;

void Init(MmapExporter* exporter, std::string path, uint64_t events_slots, uint64_t events_slot_bytes, uint64_t spans_slots, uint64_t spans_slot_bytes,
          uint64_t measurements_slots, uint64_t measurements_slot_bytes, uint64_t dictionary_max_bytes, bool block, uint32_t max_block_ms,
          uint64_t time_unix_nano) {
  ring::WriterOptions options;
  options.events = {events_slots, events_slot_bytes};
  options.spans = {spans_slots, spans_slot_bytes};
  options.measurements = {measurements_slots, measurements_slot_bytes};
  options.dictionary_max_bytes = dictionary_max_bytes;
  options.when_full = block ? ring::WhenFull::kBlock : ring::WhenFull::kDropNewest;
  options.max_block_ms = max_block_ms;
  options.time_unix_nano = time_unix_nano;
  new (exporter) MmapExporter(std::move(path), options);
}

Counters CountersOf(const MmapExporter& exporter) {
  const ring::WriterCounters counters = exporter.counters();
  nb::dict counts;
  counts["dropped"] = counters.dropped;
  counts["truncated"] = counters.truncated;
  counts["reclaimed"] = counters.reclaimed;
  return Counters(counts);
}

int64_t CreateResource(MmapExporter* exporter, nb::handle attributes, nb::handle schema_url) {
  constexpr const char* kFunction = "create_resource";
  const Use writer(exporter, kFunction);
  ValueViews views(kFunction, exporter->keys(), writer.get(), false);
  const Utf8 url = TextArgument({kFunction, "schema_url", schema_url.ptr()});
  return ValueOrRaise(writer->CreateResource({.attributes = views.AttributesOf("attributes", attributes.ptr()), .schema_url = url.view()}));
}

int64_t CreateScope(MmapExporter* exporter, nb::handle resource_ref, nb::handle name, nb::handle version, nb::handle attributes, nb::handle schema_url) {
  constexpr const char* kFunction = "create_instrumentation_scope";
  const Use writer(exporter, kFunction);
  ValueViews views(kFunction, exporter->keys(), writer.get(), false);
  const Argument name_argument{kFunction, "name", name.ptr()};
  if (name.is_none()) name_argument.WrongType("a str");
  const Utf8 name_text = TextArgument(name_argument);
  const Utf8 version_text = TextArgument({kFunction, "version", version.ptr()});
  const Utf8 url = TextArgument({kFunction, "schema_url", schema_url.ptr()});
  return ValueOrRaise(writer->CreateScope({.resource = exporter->RefArgument({kFunction, "resource_ref", resource_ref.ptr()}, ring::EntryKind::kResource),
                                           .name = name_text.view(),
                                           .version = version_text.view(),
                                           .attributes = views.AttributesOf("attributs", attributes.ptr()),
                                           .schema_url = url.view()}));
}

// `kind`: gauge, sum, histogram or exp_histogram; the rest as far as it has such fields.
int64_t CreateMetric(MmapExporter* exporter, nb::handle scope_ref, nb::handle name, nb::handle description, nb::handle unit, const std::string& kind,
                     int temporality, bool is_monotonic, const std::vector<double>& bucket_boundaries, int64_t max_buckets, int64_t max_scale) {
  constexpr const char* kFunction = "create_metric_stream";
  const Use writer(exporter, kFunction);
  const Argument name_argument{kFunction, "name", name.ptr()};
  if (name.is_none()) name_argument.WrongType("a str");
  const Utf8 name_text = TextArgument(name_argument);
  const Utf8 description_text = TextArgument({kFunction, "description", description.ptr()});
  const Utf8 unit_text = TextArgument({kFunction, "unit", unit.ptr()});
  const auto temporality_value = static_cast<ring::Temporality>(temporality);
  ring::MetricDefinition metric;
  metric.scope = exporter->RefArgument({kFunction, "insturmentation_scope_ref", scope_ref.ptr()}, ring::EntryKind::kScope);
  metric.name = name_text.view();
  metric.description = description_text.view();
  metric.unit = unit_text.view();
  if (kind == "sum") {
    metric.aggregation = ring::SumAggregation{temporality_value, is_monotonic};
  } else if (kind == "histogram") {
    metric.aggregation = ring::HistogramAggregation{temporality_value, bucket_boundaries};
  } else if (kind == "exp_histogram") {
    metric.aggregation = ring::ExpHistogramAggregation{temporality_value, max_buckets, max_scale};
  }
  return ValueOrRaise(writer->CreateMetric(metric));
}

}  // namespace

void BindMmap(nb::module_& m) {
  auto type = nb::class_<MmapExporter>(m, "MmapWriter", "The writer behind MmapExporter.")
                  .def("__init__", &Init, nb::arg("path"), nb::arg("events_slots"), nb::arg("events_slot_bytes"), nb::arg("spans_slots"),
                       nb::arg("spans_slot_bytes"), nb::arg("measurements_slots"), nb::arg("measurements_slot_bytes"), nb::arg("dictionary_max_bytes"),
                       nb::arg("block"), nb::arg("max_block_ms"), nb::arg("time_unix_nano"))
                  .def(nb::init<>())
                  .def("_create_resource", &CreateResource, nb::arg("attributes").none(), nb::arg("schema_url").none())
                  .def("_create_scope", &CreateScope, nb::arg("resource_ref"), nb::arg("name").none(), nb::arg("version").none(),
                       nb::arg("attributes").none(), nb::arg("schema_url").none())
                  .def("_create_metric", &CreateMetric, nb::arg("scope_ref"), nb::arg("name").none(), nb::arg("description").none(),
                       nb::arg("unit").none(), nb::arg("kind"), nb::arg("temporality"), nb::arg("is_monotonic"), nb::arg("bucket_boundaries"),
                       nb::arg("max_buckets"), nb::arg("max_scale"))
                  .def("close", &MmapExporter::Close, "Lets the file go; it stays, for the collector. Recording raises from now on.")
                  .def("_counters", &CountersOf)
                  .def_prop_ro("_path", &MmapExporter::path)
                  .def_prop_ro("closed", &MmapExporter::is_closed, "True from close() on.");
  AddMmapFunctions(type);
}

}  // namespace otlp_arrow::python
