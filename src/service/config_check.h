// `otlp-arrow serve --check-config`: would a service start with this configuration, and what would it do?
#pragma once

#include <vector>

#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"
#include "service/commands.h"
#include "service/config_loader.h"

namespace otlp_arrow {

// Errors: kConfig where all servers are off.
Status CheckServesSomething(const Config& config);

// What is wrong with things that the configuration names: certificates that do not fit or cannot be read, secrets that cannot be looked up.
std::vector<Status> CheckNamedThings(const Config& config);

// Prints what the service would do, as comments, and the settings in force, as YAML; to console.err what keeps it from starting, and warnings.
// Returns 0, or 2 where it would not start. Changes nothing.
int CheckConfig(const LoadedConfig& loaded, const Console& console);

}  // namespace otlp_arrow
