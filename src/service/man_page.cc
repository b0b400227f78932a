#include "service/man_page.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <vector>

#include <CLI/CLI.hpp>

namespace otlp_arrow {
namespace {

// Text as roff shows it: hyphens that can be copied, and nothing that it takes for a request.
std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  if (!out.empty() && (out[0] == '.' || out[0] == '\'')) out.insert(0, "\\&");
  return out;
}

std::string Bold(const std::string& text) { return "\\fB" + Escaped(text) + "\\fR"; }

bool IsHeading(const std::string& line) {
  return line.size() > 1 && line.back() == ':' && line[0] != ' ' && line.find(". ") == std::string::npos;
}

// A text of --help: headings, paragraphs, and indented lines. `heading` is what begins one.
class HelpText {
 public:
  explicit HelpText(std::string heading) : heading_(std::move(heading)) {}

  std::string ToRoff(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) Add(line);
    EndIndented();
    return std::move(out_);
  }

 private:
  void Add(const std::string& line) {
    if (line.empty()) {
      EndIndented();
      new_paragraph_ = true;
    } else if (IsHeading(line)) {
      EndIndented();
      out_ += heading_ + " \"" + Escaped(line.substr(0, line.size() - 1)) + "\"\n";
      new_paragraph_ = false;
    } else if (line[0] == ' ') {
      if (!indented_) out_ += ".PP\n.nf\n";
      indented_ = true;
      out_ += Escaped(line) + "\n";
    } else {
      EndIndented();
      if (new_paragraph_) out_ += ".PP\n";
      new_paragraph_ = false;
      out_ += Escaped(line) + "\n";
    }
  }
  void EndIndented() {
    if (indented_) out_ += ".fi\n";
    indented_ = false;
  }

  const std::string heading_;
  std::string out_;
  bool indented_ = false;
  bool new_paragraph_ = true;
};

std::string OptionText(const CLI::Option* option) {
  std::string names;
  if (option->get_positional()) {
    names = Bold(option->get_type_name());
  } else {
    names = Bold(option->get_name(false, true));
    if (option->get_type_size() != 0) names += " \\fI" + Escaped(option->get_type_name()) + "\\fR";
  }
  return ".TP\n" + names + "\n" + Escaped(option->get_description()) + "\n";
}

std::string OptionsOf(const CLI::App& command) {
  std::vector<std::string> groups;
  std::string out;
  const auto options = command.get_options([](const CLI::Option* option) { return !option->get_group().empty(); });
  for (const CLI::Option* option : options) {
    if (std::find(groups.begin(), groups.end(), option->get_group()) == groups.end()) groups.push_back(option->get_group());
  }
  for (const std::string& group : groups) {
    out += ".PP\n" + Bold(group) + "\n";
    for (const CLI::Option* option : options) {
      if (option->get_group() == group) out += OptionText(option);
    }
  }
  return out;
}

// "otlp-arrow recover [OPTIONS] DIR".
std::string UsageOf(const CLI::App& command) {
  std::string usage = Bold("otlp-arrow " + command.get_name()) + " [\\fIOPTIONS\\fR]";
  for (const CLI::Option* option : command.get_options([](const CLI::Option* o) { return o->get_positional(); })) {
    usage += " \\fI" + Escaped(option->get_type_name()) + "\\fR";
  }
  return usage;
}

std::string UpperCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string CommandText(const CLI::App& command) {
  std::string out = ".SH \"" + Escaped("OTLP-ARROW " + UpperCase(command.get_name())) + "\"\n" + UsageOf(command) + "\n";
  out += ".PP\n" + Escaped(command.get_description()) + ".\n" + OptionsOf(command);
  return out + HelpText(".SS").ToRoff(command.get_footer());
}

}  // namespace

std::string ManPage(const CLI::App& app) {
  std::string out = ".\\\" Made from the program's --help; do not edit.\n.TH OTLP\\-ARROW 1 \"\" \"otlp\\-arrow " OTLP_ARROW_VERSION "\" \"User Commands\"\n.nh\n";
  out += ".SH NAME\notlp\\-arrow \\- receive OpenTelemetry data and keep it as Apache Arrow files\n.SH SYNOPSIS\n";
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* command : commands) out += UsageOf(*command) + "\n.br\n";
  out += Bold("otlp-arrow --help") + " | " + Bold("--version") + "\n.SH DESCRIPTION\n" + HelpText(".SS").ToRoff(app.get_description());
  out += ".PP\n" + Bold("otlp-arrow-service") + " is another name of " + Bold("otlp-arrow serve") + ".\n.SH COMMANDS\n";
  for (const CLI::App* command : commands) out += ".TP\n" + Bold(command->get_name()) + "\n" + Escaped(command->get_description()) + "\n";
  out += ".SH \"GENERAL OPTIONS\"\n" + OptionsOf(app);
  for (const CLI::App* command : commands) out += CommandText(*command);
  out += ".SH EXAMPLES\n" + HelpText(".SS").ToRoff(app.get_footer());
  out += ".SH \"SEE ALSO\"\n" + Bold("systemctl") + "(1), " + Bold("systemd.service") + "(5), https://opentelemetry.io/docs/specs/otlp\n";
  return out;
}

}  // namespace otlp_arrow
