#include "library/config_keys.h"
#include "service/config_loader.h"

namespace otlp_arrow {
namespace {

std::string Joined(const std::vector<std::string>& texts) {
  std::string result;
  for (const auto& t : texts) result += (result.empty() ? "" : ",") + t;
  return result;
}

std::string Flags(const ConfigKey& key) {
  if (key.kind != ConfigKey::Kind::kSwitch) return "`" + key.FlagName() + "`";
  return "`" + key.FlagName() + "`, `--no-" + key.name.substr(0, key.name.find('.')) + "`";
}

}  // namespace

std::string ConfigReferenceTable() {
  std::string table = "| YAML | Environment | Flag | Default | Allowed | Meaning |\n|---|---|---|---|---|---|\n";
  for (const ConfigKey& key : ConfigKeys()) {
    table += "| `" + key.name + "` | `" + key.EnvironmentName() + "` | " + Flags(key) + " | `" +
             Joined(key.get(Config())) + "` | " + key.allowed + " | " + key.help + " |\n";
  }
  return table;
}

}  // namespace otlp_arrow
