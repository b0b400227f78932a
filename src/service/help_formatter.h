// CLI11's help, with descriptions wrapped to the width of a terminal.
#pragma once

#include <CLI/CLI.hpp>

namespace otlp_arrow {

class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
};

}  // namespace otlp_arrow
