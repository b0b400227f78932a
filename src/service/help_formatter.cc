#include "service/help_formatter.h"

#include <sstream>

namespace otlp_arrow {
namespace {

constexpr size_t kNameWidth = 36;
constexpr size_t kLineWidth = 110;

// Words of `text` in lines that begin at kNameWidth; the first line continues where `used` columns are taken.
std::string Wrapped(const std::string& text, size_t used) {
  std::istringstream words(text);
  std::string out = used + 1 < kNameWidth ? std::string(kNameWidth - used, ' ') : "\n" + std::string(kNameWidth, ' ');
  size_t column = kNameWidth;
  for (std::string word; words >> word;) {
    if (column > kNameWidth && column + 1 + word.size() > kLineWidth) {
      out += "\n" + std::string(kNameWidth, ' ');
      column = kNameWidth;
    }
    if (column > kNameWidth) out += ' ';
    column += word.size() + 1;
    out += word;
  }
  return out;
}

}  // namespace

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  const std::string name = "  " + make_option_name(option, is_positional) + make_option_opts(option);
  return name + Wrapped(make_option_desc(option), name.size()) + "\n";
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  std::string text;
  if (option->get_type_size() != 0) text += " " + option->get_type_name();
  if (option->get_required()) text += " (required)";
  return text;
}

}  // namespace otlp_arrow
