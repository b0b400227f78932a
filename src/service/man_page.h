// The manual page, from the same texts as --help.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace otlp_arrow {

// In roff, for man(1): all commands with their options, and the texts below them. In those, lines that end with a colon at the left edge
// are headings, and indented lines stay as they are.
std::string ManPage(const CLI::App& app);

}  // namespace otlp_arrow
