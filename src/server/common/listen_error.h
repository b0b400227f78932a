// Why a server could not listen, in words.
#pragma once

#include <string>
#include <string_view>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

// A server error that names the configuration key, the address, the reason and the way out. `error` is an errno value.
Status ListenError(std::string_view key, std::string_view address, int error);
// The same, where the reason is a sentence.
Status ListenError(std::string_view key, std::string_view address, std::string_view reason);

}  // namespace otlp_arrow
