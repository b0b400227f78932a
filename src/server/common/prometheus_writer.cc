#include "server/common/prometheus_writer.h"

#include <charconv>
#include <cmath>

namespace otlp_arrow {
namespace {

void AppendEscaped(std::string_view text, bool quotes, std::string* out) {
  for (const char c : text) {
    if (c == '\n') {
      out->append("\\n");
      continue;
    }
    if (c == '\\' || (c == '"' && quotes)) out->push_back('\\');
    out->push_back(c);
  }
}

}  // namespace

void PrometheusWriter::Family(std::string_view name, std::string_view type, std::string_view help) {
  family_ = name;
  text_.append("# HELP ").append(name).append(" ");
  AppendEscaped(help, false, &text_);
  text_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

std::string PrometheusWriter::Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

void PrometheusWriter::AddLabel(std::string_view name, std::string_view value, bool* is_first) {
  text_.append(*is_first ? "{" : ",").append(name).append("=\"");
  *is_first = false;
  AppendEscaped(value, true, &text_);
  text_.push_back('"');
}

void PrometheusWriter::Line(std::string_view suffix, Labels labels, std::string_view upper_bound, std::string_view value) {
  text_.append(family_).append(suffix);
  bool is_first = true;
  for (const auto& [name, content] : labels) AddLabel(name, content, &is_first);
  if (!upper_bound.empty()) AddLabel("le", upper_bound, &is_first);
  text_.append(is_first ? " " : "} ").append(value).append("\n");
}

}  // namespace otlp_arrow
