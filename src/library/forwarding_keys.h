// The table of everything that can be configured for one destination of `forwarding`; docs/forwarding.md lists it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "library/setting_key.h"
#include "otlp_arrow/config.h"
#include "otlp_arrow/forwarding.h"

namespace otlp_arrow {

template <>
inline constexpr std::string_view kKeyPrefix<ForwardingConfig> = "forwarding.";

using ForwardingKey = SettingKey<ForwardingConfig>;

// In the order of the documentation; keys of one section stand together.
const std::vector<ForwardingKey>& ForwardingKeys();

// Null where there is no such key.
const ForwardingKey* FindForwardingKey(std::string_view name);

// Sets keys of destinations from OTLP_FORWARDING_<number>_<KEY>, the number counting from 0; without a number it is the only one's.
// They change the destinations that `config` has and add the next ones. `variable` gives a variable's value or null; `found` (may
// be empty) is told of each that counts, by the origin "forwarding.0.endpoint". Errors: kConfig, naming the variable.
using VariableLookup = std::function<const char*(const std::string& name)>;
using VariableFound = std::function<void(const std::string& key, const std::string& variable)>;
Status ApplyForwardingEnvironment(const VariableLookup& variable, const VariableFound& found, Config* config);

// The variables that the function above looks for.
std::vector<std::string> ForwardingVariables();

}  // namespace otlp_arrow
