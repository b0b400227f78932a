// The arguments of `otlp-arrow compact`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "otlp_arrow/signal.h"

namespace CLI {
class App;
}

namespace otlp_arrow {

struct CompactArguments {
  std::string directory;
  std::string config_file;
  std::vector<std::pair<std::string, std::vector<std::string>>> settings;  // configuration key and texts
  std::vector<Signal> signals;  // empty: all
  double reader_grace_secs = 5;
  bool dry_run = false;
  bool json = false;
  bool quiet = false;
};

// Adds the command; `arguments` outlives the parsing.
void AddCompact(CLI::App* app, CompactArguments* arguments);

}  // namespace otlp_arrow
