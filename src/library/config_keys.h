// The one table of everything that can be configured. YAML keys, environment variables, flags, their help, the
// effective-configuration print-out and docs/configuration.md all come from it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

struct ConfigKey {
  enum class Kind { kSwitch, kNumber, kText, kList };

  std::string name;  // as in YAML; a dot stands for nesting: "grpc.address"
  Kind kind;
  std::string help;     // one sentence
  std::string allowed;  // in messages and in the documentation: "1 to 86400 seconds"
  // Fills the field from texts (exactly one, but for lists). Errors start with the key.
  std::function<Status(Config*, const std::vector<std::string>&)> set;
  // The value as texts that `set` takes.
  std::function<std::vector<std::string>(const Config&)> get;

  std::string EnvironmentName() const;  // "OTLP_GRPC_ADDRESS"
  std::string FlagName() const;         // "--grpc-address"
};

// In the order of the documentation; keys of one section stand together.
const std::vector<ConfigKey>& ConfigKeys();

// Null where there is no such key.
const ConfigKey* FindConfigKey(std::string_view name);

// Of `candidates` the one that `name` was probably meant to be, or "" where none is near.
std::string NearestName(std::string_view name, const std::vector<std::string>& candidates);

// The key's texts in the value of its environment variable; nullopt where that counts as unset, being empty.
std::optional<std::vector<std::string>> TextsFromEnvironment(const ConfigKey& key, std::string_view value);

// Puts `prefix` and a colon before the message of an error.
Status WithPrefix(const std::string& prefix, const Status& status);

// The parts of a comma-separated text, without blanks around them; none for "".
std::vector<std::string> SplitList(std::string_view text);

}  // namespace otlp_arrow
