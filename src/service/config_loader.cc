#include "service/config_loader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "library/config_keys.h"
#include "otlp_arrow/service.h"
#include "service/config_yaml.h"

namespace otlp_arrow {
namespace {

constexpr std::string_view kConfigVariable = "OTLP_ARROW_CONFIG";

Status Apply(const ConfigKey& key, const std::vector<std::string>& texts, const std::string& origin,
             LoadedConfig* loaded) {
  OTLP_RETURN_NOT_OK(WithPrefix(origin, key.set(&loaded->config, texts)));
  loaded->origins[key.name] = origin;
  return Status::Ok();
}

Status ApplyYaml(const ConfigSources& sources, LoadedConfig* loaded) {
  OTLP_ASSIGN_OR_RETURN(const auto read, ReadYamlSettings(sources.yaml_name, sources.yaml_text));
  for (const auto& s : read.settings) OTLP_RETURN_NOT_OK(Apply(*s.key, s.texts, s.origin, loaded));
  for (size_t i = 0; i < read.forwarding.size(); ++i) {
    const std::string name = "forwarding." + std::to_string(i);
    ForwardingConfig& to = loaded->config.forwarding.emplace_back();
    loaded->origins[name] = read.forwarding[i].origin;
    for (const auto& s : read.forwarding[i].settings) {
      OTLP_RETURN_NOT_OK(WithPrefix(s.origin, s.key->set(&to, s.texts)));
      loaded->origins[name + "." + s.key->name] = s.origin;
    }
  }
  return Status::Ok();
}

Status ApplyEnvironment(const Environment& environment, LoadedConfig* loaded) {
  for (const ConfigKey& key : ConfigKeys()) {
    auto it = environment.find(key.EnvironmentName());
    if (it == environment.end()) continue;
    const auto texts = TextsFromEnvironment(key, it->second);
    if (texts) OTLP_RETURN_NOT_OK(Apply(key, *texts, "environment variable " + it->first, loaded));
  }
  const auto variable = [&environment](const std::string& name) {
    const auto it = environment.find(name);
    return it == environment.end() ? nullptr : it->second.c_str();
  };
  const auto found = [loaded](const std::string& key, const std::string& name) {
    loaded->origins[key] = "environment variable " + name;
    loaded->origins.emplace(key.substr(0, key.find('.', std::string_view("forwarding.").size())), "environment variable " + name);
  };
  return ApplyForwardingEnvironment(variable, found, &loaded->config);
}

// Destinations of flags are the only ones.
void ApplyForwardFlags(const std::vector<std::string>& endpoints, LoadedConfig* loaded) {
  if (endpoints.empty()) return;
  loaded->config.forwarding.clear();
  std::erase_if(loaded->origins, [](const auto& origin) { return origin.first.starts_with("forwarding."); });
  for (size_t i = 0; i < endpoints.size(); ++i) {
    loaded->config.forwarding.emplace_back().endpoint = endpoints[i];
    const std::string name = "forwarding." + std::to_string(i);
    loaded->origins[name] = loaded->origins[name + ".endpoint"] = "--forward";
  }
}

// What is wrong with a destination as a whole, with the place where it begins.
Status CheckDestinations(const LoadedConfig& loaded) {
  for (size_t i = 0; i < loaded.config.forwarding.size(); ++i) {
    const auto origin = loaded.origins.find("forwarding." + std::to_string(i));
    if (origin == loaded.origins.end()) continue;
    OTLP_RETURN_NOT_OK(WithPrefix(origin->second, loaded.config.forwarding[i].Validate()));
  }
  return Status::Ok();
}

void WarnOfUnknownVariables(const Environment& environment, std::vector<std::string>* warnings) {
  std::vector<std::string> known = ForwardingVariables();
  known.push_back(std::string(kConfigVariable));
  for (const ConfigKey& key : ConfigKeys()) known.push_back(key.EnvironmentName());
  for (auto it = environment.lower_bound("OTLP_"); it != environment.end() && it->first.starts_with("OTLP_"); ++it) {
    if (std::find(known.begin(), known.end(), it->first) != known.end()) continue;
    const std::string nearest = NearestName(it->first, known);
    warnings->push_back("environment variable " + it->first + " is ignored: there is no such setting" +
                        (nearest.empty() ? std::string() : "; did you mean " + nearest + "?"));
  }
}

Result<std::string> ReadTextFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status::Config("cannot open the configuration file '" + path + "': " + std::strerror(errno));
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) return Status::Config("cannot read the configuration file '" + path + "': " + std::strerror(errno));
  return text;
}

}  // namespace

Environment ReadEnvironment(char** environ) {
  Environment result;
  for (; environ != nullptr && *environ != nullptr; ++environ) {
    const char* equals = std::strchr(*environ, '=');
    if (equals != nullptr) result.emplace(std::string(*environ, static_cast<size_t>(equals - *environ)), equals + 1);
  }
  return result;
}

Result<LoadedConfig> LoadConfig(const ConfigSources& sources) {
  LoadedConfig loaded;
  OTLP_RETURN_NOT_OK(ApplyYaml(sources, &loaded));
  OTLP_RETURN_NOT_OK(ApplyEnvironment(sources.environment, &loaded));
  for (const auto& [name, texts] : sources.flags) {
    const ConfigKey* key = FindConfigKey(name);
    if (key == nullptr) return Status::Config("there is no setting '" + name + "'");
    OTLP_RETURN_NOT_OK(Apply(*key, texts, key->FlagName(), &loaded));
  }
  ApplyForwardFlags(sources.forward, &loaded);
  OTLP_RETURN_NOT_OK(CheckDestinations(loaded));
  OTLP_RETURN_NOT_OK(loaded.config.Validate());
  WarnOfUnknownVariables(sources.environment, &loaded.warnings);
  return loaded;
}

Result<LoadedConfig> LoadConfigFile(const std::string& config_flag, ConfigSources sources) {
  std::string path = config_flag;
  if (auto it = sources.environment.find(std::string(kConfigVariable)); path.empty() && it != sources.environment.end()) {
    path = it->second;
  }
  if (!path.empty()) {
    auto text = ReadTextFile(path);
    if (!text.ok()) {
      return WithPrefix(config_flag.empty() ? "environment variable " + std::string(kConfigVariable) : "--config",
                      text.status());
    }
    sources.yaml_name = path;
    sources.yaml_text = *std::move(text);
  }
  return LoadConfig(sources);
}

Result<Config> ReadYamlConfig(const std::string& path) {
  OTLP_ASSIGN_OR_RETURN(std::string text, ReadTextFile(path));
  OTLP_ASSIGN_OR_RETURN(LoadedConfig loaded, LoadConfig({.yaml_name = path, .yaml_text = std::move(text), .environment = {}, .flags = {}, .forward = {}}));
  return std::move(loaded.config);
}

}  // namespace otlp_arrow
