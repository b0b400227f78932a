// The settings in a YAML file, flat, in the order of the file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "library/config_keys.h"
#include "library/forwarding_keys.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

template <class Key>
struct YamlValue {
  const Key* key;
  std::vector<std::string> texts;
  std::string origin;  // "otlp.yaml:3"
};

struct YamlDestination {
  std::string origin;
  std::vector<YamlValue<ForwardingKey>> settings;
};

struct YamlSettings {
  std::vector<YamlValue<ConfigKey>> settings;
  std::vector<YamlDestination> forwarding;
};

// Errors (config): what is no YAML, unknown and repeated keys, and values of another shape than the key's.
Result<YamlSettings> ReadYamlSettings(const std::string& file_name, const std::string& text);

}  // namespace otlp_arrow
