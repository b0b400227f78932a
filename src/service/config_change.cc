#include "service/config_change.h"

#include "library/forwarding_keys.h"

namespace otlp_arrow {
namespace {

std::string Shown(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ",") + text;
  return all;
}

// "http." of "http.tls.key_file", "" of "tls.key_file"; null where the key is of no TLS section.
const ConfigKey* CertificateOf(const ConfigKey& key) {
  constexpr std::string_view kSection = "tls.";
  const size_t at = key.name.find(kSection);
  if (at == std::string::npos || (at > 0 && key.name[at - 1] != '.')) return nullptr;
  return FindConfigKey(key.name.substr(0, at + kSection.size()) + "cert_file");
}

bool IsSet(const ConfigKey& key, const Config& config) { return !Shown(key.get(config)).empty(); }

// Certificates are replaced while a server runs; whether it speaks TLS at all, and asks clients for certificates, is decided at its start.
bool SwitchesTls(const ConfigKey& key, const Config& running, const Config& wanted) {
  const ConfigKey* certificate = CertificateOf(key);
  if (certificate == nullptr) return false;
  if (IsSet(*certificate, running) != IsSet(*certificate, wanted)) return true;
  return key.name.ends_with("client_ca_file") && IsSet(key, running) != IsSet(key, wanted);
}

bool NeedsRestart(const ConfigKey& key, const Config& running, const Config& wanted) {
  return key.reloading != Reloading::kNow || SwitchesTls(key, running, wanted);
}

bool SameDestination(const ForwardingConfig& a, const ForwardingConfig& b) {
  for (const ForwardingKey& key : ForwardingKeys()) {
    if (key.get(a) != key.get(b)) return false;
  }
  return true;
}

std::string Names(const std::vector<ForwardingConfig>& destinations) {
  std::string names;
  for (const ForwardingConfig& d : destinations) names += (names.empty() ? "" : ",") + d.DisplayName();
  return names;
}

bool SameDestinations(const std::vector<ForwardingConfig>& a, const std::vector<ForwardingConfig>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!SameDestination(a[i], b[i])) return false;
  }
  return true;
}

std::string OrNothing(const std::string& text) { return text.empty() ? "(nothing)" : text; }

}  // namespace

std::vector<ConfigChange> CompareConfigs(const Config& running, const Config& wanted) {
  std::vector<ConfigChange> changes;
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.get(running) == key.get(wanted)) continue;
    changes.push_back({key.name, Shown(key.ShownTexts(running)), Shown(key.ShownTexts(wanted)), NeedsRestart(key, running, wanted)});
  }
  if (!SameDestinations(running.forwarding, wanted.forwarding)) {
    changes.push_back({"forwarding", Names(running.forwarding), Names(wanted.forwarding), true});
  }
  return changes;
}

Config ReloadedConfig(const Config& running, const Config& wanted) {
  Config reloaded = running;
  for (const ConfigKey& key : ConfigKeys()) {
    // What a key gives it also takes.
    if (!NeedsRestart(key, running, wanted)) (void)key.set(&reloaded, key.get(wanted));
  }
  return reloaded;
}

std::string ChangeText(const ConfigChange& change) {
  std::string text = change.key + ": ";
  text += change.from == change.to ? "another value" : OrNothing(change.from) + " -> " + OrNothing(change.to);
  if (change.needs_restart) text += "; this takes effect at the next start, until then the old value holds";
  return text;
}

}  // namespace otlp_arrow
