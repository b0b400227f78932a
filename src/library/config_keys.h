// The one table of everything that can be configured but for the destinations of forwarding (forwarding_keys.h). YAML keys,
// environment variables, flags, their help, the effective-configuration print-out and docs/configuration.md all come from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "library/setting_key.h"
#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// "OTLP_GRPC_ADDRESS" of "grpc.address".
std::string EnvironmentNameOf(std::string_view name);

// What becomes of a new value when a running service reads its configuration again (SIGHUP).
enum class Reloading {
  kUndecided,  // of no key
  kNow,        // it takes effect
  kRestart,    // the old one holds until the next start, and the service says so
};

struct ConfigKey : SettingKey<Config> {
  Reloading reloading = Reloading::kUndecided;

  std::string EnvironmentName() const { return EnvironmentNameOf(name); }
  std::string FlagName() const;    // "--grpc-address"
  std::string NoFlagName() const;  // of switches: "--no-grpc", "--no-store"
};

// In the order of the documentation; keys of one section stand together.
const std::vector<ConfigKey>& ConfigKeys();

// Null where there is no such key.
const ConfigKey* FindConfigKey(std::string_view name);

// The key's texts in the value of its environment variable; nullopt where that counts as unset, being empty.
std::optional<std::vector<std::string>> TextsFromEnvironment(const ConfigKey& key, std::string_view value);

// Puts `prefix` and a colon before the message of an error.
Status WithPrefix(const std::string& prefix, const Status& status);

}  // namespace otlp_arrow
