// All that an embedding program needs: the recorder, its configuration, telemetry as plain data, and reading it back.
//
//   auto library = *otlp_arrow::OtlpLibrary::Create({.output_dir = "./telemetry"});
//   (void)library->ExportTrace({.trace_id = id, .span_id = span, .name = "POST /orders"}, {.attributes = {{"service.name", "shop"}}});
//
// For itself: opentelemetry_exporters.h (exporters for the opentelemetry-cpp SDK), service.h and mock_otlp_service.h (servers).
#pragma once

#include "otlp_arrow/config.h"
#include "otlp_arrow/config_builder.h"
#include "otlp_arrow/library.h"
#include "otlp_arrow/reader.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "otlp_arrow/telemetry.h"
