// The commands of otlp-arrow. Each returns the process's exit code; results go to `out`, all else to `err`.
#pragma once

#include <ostream>

#include "service/command_line.h"
#include "service/config_loader.h"

namespace otlp_arrow {

struct Console {
  std::ostream& out;
  std::ostream& err;
  Environment environment;
};

// Serves until SIGTERM or SIGINT, then writes what is under way.
int RunServe(const ServeOptions& options, const Console& console);
// Fails where something in the journals was damaged.
int RunRecover(const RecoverOptions& options, const Console& console);
// Fails only where the path, or the only file, cannot be read.
int RunInspect(const InspectOptions& options, const Console& console);
// Succeeds only where everything was taken, or where SIGTERM ended it and everything was taken up to then.
int RunReplay(const ReplayOptions& options, const Console& console);

// Fails where an input cannot be read, or where something could not be handed on before the end.
int RunCollect(const CollectOptions& options, const Console& console);

// Fails where a file cannot be read, where the disk refuses, and where another process is at it.
int RunCompact(const CompactArguments& arguments, const Console& console);

// kExitUsage for what is wrong with the configuration, else kExitFailure.
int ExitCodeOf(const Status& status);
// "otlp-arrow: <message>" and the exit code that fits the status.
int Report(const Status& status, const Console& console);

}  // namespace otlp_arrow
