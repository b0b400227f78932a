#include "base/secret_text.h"

#include <cstdlib>

#include "base/platform/platform.h"

namespace otlp_arrow {
namespace {

constexpr uint64_t kLargestSecret = 64 << 10;

Result<std::string> LookUp(const std::string& what, std::string_view reference) {
  const size_t colon = reference.find(':');
  const std::string_view kind = reference.substr(0, colon);
  const std::string name(colon == std::string_view::npos ? "" : reference.substr(colon + 1));
  if (kind == "env" && !name.empty()) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return Status::Config(what + ": the environment variable " + name + " is not set");
    return std::string(value);
  }
  if (kind == "file" && !name.empty()) {
    auto text = platform::ReadFile(name, kLargestSecret);
    if (!text.ok()) return Status::Config(what + ": " + text.status().message());
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    return text;
  }
  return Status::Config(what + ": a reference is ${env:NAME} or ${file:PATH}; write $$ for a dollar sign");
}

}  // namespace

Result<std::string> ResolveSecret(std::string_view what, std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      out += '$';
      text.remove_prefix(1);
      continue;
    }
    const size_t end = text.find('}');
    if (!text.starts_with('{') || end == std::string_view::npos) {
      out += '$';  // any other dollar sign is one
      continue;
    }
    OTLP_ASSIGN_OR_RETURN(const std::string value, LookUp(std::string(what), text.substr(1, end - 1)));
    out += value;
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace otlp_arrow
