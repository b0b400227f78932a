#include "bindings.h"
#include "convert.h"

namespace otlp_arrow::python {
namespace {

template <std::string (*kConvert)(nb::handle)>
nb::bytes Encode(nb::handle object) {
  const std::string request = kConvert(object);
  return nb::bytes(request.data(), request.size());
}

}  // namespace

void BindConversion(nb::module_& m) {
  m.def("encode_spans", &Encode<ConvertSpans>, nb::arg("spans").none(), "Spans as an ExportTraceServiceRequest.");
  m.def("encode_metrics", &Encode<ConvertMetrics>, nb::arg("metrics").none(), "Metrics as an ExportMetricsServiceRequest.");
  m.def("encode_logs", &Encode<ConvertLogs>, nb::arg("records").none(), "Log records as an ExportLogsServiceRequest.");
}

}  // namespace otlp_arrow::python
