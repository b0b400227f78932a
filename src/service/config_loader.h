// Fills a Config from flags, environment and YAML: the first that names a key wins, and defaults fill the rest.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

using Environment = std::map<std::string, std::string>;

// The process's environment, from `environ`.
Environment ReadEnvironment(char** environ);

struct ConfigSources {
  std::string yaml_name;  // in messages: the file's name
  std::string yaml_text;
  Environment environment;
  std::vector<std::pair<std::string, std::vector<std::string>>>
      flags;  // key ("grpc.address") and texts; the last one wins
  std::vector<std::string> forward;  // endpoints of --forward, instead of the destinations from elsewhere
};

struct LoadedConfig {
  Config config;
  std::map<std::string, std::string>
      origins;                        // key ("forwarding.0.endpoint", "forwarding.0") to "otlp.yaml:3", "environment variable OTLP_…", "--…"; not for defaults
  std::vector<std::string> warnings;  // environment variables that look like ours and are not
};

// Errors (config) name the source with its line, the key, the value and what is allowed.
Result<LoadedConfig> LoadConfig(const ConfigSources& sources);

// The same, with the YAML from the file `config_flag`, or else from the file that OTLP_ARROW_CONFIG names, or none.
Result<LoadedConfig> LoadConfigFile(const std::string& config_flag, ConfigSources sources);

// The configuration as YAML that LoadConfig reads back to the same, but for secrets, which are hidden; `origins` become comments.
std::string ConfigToYaml(const Config& config, const std::map<std::string, std::string>& origins = {});

// The tables of docs/configuration.md and docs/forwarding.md.
std::string ConfigReferenceTable();
std::string ForwardingReferenceTable();

}  // namespace otlp_arrow
