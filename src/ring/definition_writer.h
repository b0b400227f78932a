// The messages of the dictionary: resources, scopes, metrics.
#pragma once

#include <string>

#include "otlp_arrow/ring/values.h"

namespace otlp_arrow::ring {

std::string ResourceBytes(const ResourceDefinition& resource);
// `name` and `version`: references of the strings.
std::string ScopeBytes(const ScopeDefinition& scope, Ref name, Ref version);
std::string MetricBytes(const MetricDefinition& metric);

}  // namespace otlp_arrow::ring
