// Any text as the configuration file, with settings of the environment and flags behind a line of its own. What is taken is a valid
// configuration, which comes out as YAML that reads back to the same; what is refused says where and why.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "library/config_keys.h"
#include "library/forwarding_keys.h"
#include "service/config_loader.h"

namespace otlp_arrow {
namespace {

// Nobody's configuration is larger, and yaml-cpp takes long for much of anything.
constexpr size_t kLongestInput = 4096;
constexpr std::string_view kOtherSettings = "\n#settings\n";
constexpr std::string_view kFileName = "otlp.yaml";

// Lines "NAME=value" of the environment, and "--key value" of flags.
void ReadSettings(std::string_view lines, ConfigSources* sources) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const bool is_flag = line.starts_with("--");
    const size_t split = line.find(is_flag ? ' ' : '=');
    if (split == std::string_view::npos) continue;
    const std::string value(line.substr(split + 1));
    if (!is_flag) {
      sources->environment[std::string(line.substr(0, split))] = value;
    } else if (line.starts_with("--forward ")) {
      sources->forward.push_back(value);
    } else if (FindConfigKey(line.substr(2, split - 2))) {  // the command line knows its flags
      sources->flags.emplace_back(line.substr(2, split - 2), std::vector<std::string>{value});
    }
  }
}

template <class Key, class Struct>
bool HasSecret(const std::vector<Key>& keys, const Struct& from) {
  for (const Key& key : keys) {
    if (key.get(from) != key.ShownTexts(from)) return true;
  }
  return false;
}

bool HasSecrets(const Config& config) {
  if (HasSecret(ConfigKeys(), config)) return true;
  for (const auto& destination : config.forwarding) {
    if (HasSecret(ForwardingKeys(), destination)) return true;
  }
  return false;
}

void CheckTaken(const Config& config) {
  if (!config.Validate().ok()) std::abort();
  if (HasSecrets(config)) return;  // shown hidden
  const std::string yaml = ConfigToYaml(config);
  ConfigSources again;
  again.yaml_name = kFileName;
  again.yaml_text = yaml;
  const auto loaded = LoadConfig(again);
  if (!loaded.ok() || ConfigToYaml(loaded->config) != yaml) std::abort();
}

}  // namespace
}  // namespace otlp_arrow

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace otlp_arrow;  // NOLINT
  if (size > kLongestInput) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  ConfigSources sources;
  sources.yaml_name = kFileName;
  const size_t split = input.find(kOtherSettings);
  sources.yaml_text = input.substr(0, split);
  if (split != std::string_view::npos) ReadSettings(input.substr(split + kOtherSettings.size()), &sources);
  const auto loaded = LoadConfig(sources);
  if (loaded.ok()) {
    CheckTaken(loaded->config);
  } else if (loaded.status().code() != StatusCode::kConfig || loaded.status().message().empty()) {
    std::abort();
  }
  return 0;
}
