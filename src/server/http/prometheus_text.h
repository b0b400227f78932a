// The pipeline's counters for Prometheus.
// https://prometheus.io/docs/instrumenting/exposition_formats
#pragma once

#include <string>
#include <string_view>

#include "pipeline/pipeline.h"

namespace otlp_arrow {

inline constexpr std::string_view kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";

// otlp_arrow_items_total{signal,state,reason} counts what only grows (received, refused, invalid, expired, relayed); the gauges
// otlp_arrow_items_stored and _in_flight complete the ledger's equation. Then queued bytes, readiness, where anything is forwarded
// otlp_arrow_forward_… for each destination (docs/forwarding.md), and the process.
std::string PrometheusText(const Pipeline& pipeline);

}  // namespace otlp_arrow
