#include "library/config_keys.h"
#include "library/forwarding_keys.h"
#include "service/config_loader.h"

namespace otlp_arrow {
namespace {

std::string Joined(const std::vector<std::string>& texts) {
  std::string result;
  for (const auto& t : texts) result += (result.empty() ? "" : ",") + t;
  return result;
}

// A value as code; nothing where there is none.
std::string Code(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

std::string Flags(const ConfigKey& key) {
  if (key.kind != ConfigKey::Kind::kSwitch) return "`" + key.FlagName() + "`";
  return "`" + key.FlagName() + "`, `" + key.NoFlagName() + "`";
}

}  // namespace

std::string ConfigReferenceTable() {
  std::string table = "| YAML | Environment | Flag | Default | Allowed | SIGHUP | Meaning |\n|---|---|---|---|---|---|---|\n";
  for (const ConfigKey& key : ConfigKeys()) {
    table += "| `" + key.name + "` | `" + key.EnvironmentName() + "` | " + Flags(key) + " | " + Code(Joined(key.get(Config()))) + " | " + key.allowed +
             (key.reloading == Reloading::kNow ? " | now | " : " | restart | ") + key.help + " |\n";
  }
  return table;
}

std::string ForwardingReferenceTable() {
  std::string table = "| YAML | Default | Allowed | Meaning |\n|---|---|---|---|\n";
  for (const ForwardingKey& key : ForwardingKeys()) {
    table += "| `" + key.name + "` | " + Code(Joined(key.get(ForwardingConfig()))) + " | " + key.allowed + " | " + key.help + " |\n";
  }
  return table;
}

}  // namespace otlp_arrow
