// The settings in a YAML file, flat, in the order of the file.
#pragma once

#include <string>
#include <vector>

#include "otlp_arrow/status.h"
#include "library/config_keys.h"

namespace otlp_arrow {

struct YamlSetting {
  const ConfigKey* key;
  std::vector<std::string> texts;
  std::string origin;  // "otlp.yaml:3"
};

// Errors (config): what is no YAML, unknown and repeated keys, and values of another shape than the key's.
Result<std::vector<YamlSetting>> ReadYamlSettings(const std::string& file_name, const std::string& text);

}  // namespace otlp_arrow
