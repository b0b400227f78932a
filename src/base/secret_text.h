// Secrets that stand elsewhere: texts of the configuration in which ${env:NAME} and ${file:PATH} are looked up when they are needed.
#pragma once

#include <string>
#include <string_view>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

// `text` with what it refers to; a file without the line end behind it. "$$" stands for "$". Errors: kConfig, naming `what` and the
// variable or file, never a value.
Result<std::string> ResolveSecret(std::string_view what, std::string_view text);

// OK, or a config error where a reference is malformed; nothing is looked up.
Status CheckSecretReferences(std::string_view what, std::string_view text);

}  // namespace otlp_arrow
