// What a configuration that was read again changes of the one in force.
#pragma once

#include <string>
#include <vector>

#include "library/config_keys.h"
#include "otlp_arrow/config.h"

namespace otlp_arrow {

struct ConfigChange {
  std::string key;
  std::string from;  // as they may be shown: no secrets
  std::string to;
  bool needs_restart = false;
};

// In the order of the documentation.
std::vector<ConfigChange> CompareConfigs(const Config& running, const Config& wanted);

// `running` with everything of `wanted` that takes effect without a restart.
Config ReloadedConfig(const Config& running, const Config& wanted);

// "log_level: info -> debug", with what becomes of it where it does not take effect.
std::string ChangeText(const ConfigChange& change);

}  // namespace otlp_arrow
