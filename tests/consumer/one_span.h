// A request with one span, written by hand.
#pragma once

#include <string>
#include <string_view>

#include <otlp_arrow/wire_writer.h>

// ExportTraceServiceRequest{resource_spans{scope_spans{spans{trace_id, span_id, name, start and end time}}}}
inline std::string OneSpan(std::string_view name) {
  otlp_arrow::wire::Writer writer;
  const auto resource_spans = writer.Begin(1);
  const auto scope_spans = writer.Begin(2);
  const auto span = writer.Begin(2);
  writer.Bytes(1, "0123456789abcdef");
  writer.Bytes(2, "01234567");
  writer.Bytes(5, name);
  writer.Fixed64(7, 1'700'000'000'000'000'000u);
  writer.Fixed64(8, 1'700'000'000'000'001'000u);
  writer.End(span);
  writer.End(scope_spans);
  writer.End(resource_spans);
  return writer.Take();
}
