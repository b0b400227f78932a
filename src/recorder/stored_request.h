// Is a request in the store already? Asked after a crash, about the one that was under way.
#pragma once

#include <string>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Looks for the request's first item in files and journals. Errors: kIo.
Result<bool> IsStored(const std::string& output_dir, Signal signal, const std::string& request);

}  // namespace otlp_arrow
