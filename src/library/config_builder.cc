#include "otlp_arrow/config_builder.h"

#include <cstdlib>

#include "library/config_keys.h"
#include "library/forwarding_keys.h"

namespace otlp_arrow {
namespace {

Status ApplyEnvironment(Config* config) {
  for (const ConfigKey& key : ConfigKeys()) {
    const std::string variable = key.EnvironmentName();
    const char* value = std::getenv(variable.c_str());
    const auto texts = TextsFromEnvironment(key, value ? value : "");
    if (texts) OTLP_RETURN_NOT_OK(WithPrefix("environment variable " + variable, key.set(config, *texts)));
  }
  return ApplyForwardingEnvironment([](const std::string& name) { return std::getenv(name.c_str()); }, {}, config);
}

}  // namespace

Result<Config> ConfigBuilder::Build() const {
  Config config = base_;
  if (environment_) OTLP_RETURN_NOT_OK(ApplyEnvironment(&config));
  for (const Setting& setting : settings_) setting(config);
  OTLP_RETURN_NOT_OK(config.Validate());
  return config;
}

}  // namespace otlp_arrow
