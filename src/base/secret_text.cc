#include "base/secret_text.h"

#include <cstdlib>

#include "base/platform/platform.h"

namespace otlp_arrow {
namespace {

constexpr uint64_t kLargestSecret = 64 << 10;

bool IsReference(std::string_view reference) {
  return (reference.starts_with("env:") && reference.size() > 4) || (reference.starts_with("file:") && reference.size() > 5);
}

Result<std::string> LookUp(const std::string& what, std::string_view reference) {
  if (!IsReference(reference)) return Status::Config(what + ": a reference is ${env:NAME} or ${file:PATH}; write $$ for a dollar sign");
  const size_t colon = reference.find(':');
  const std::string name(reference.substr(colon + 1));
  if (reference.starts_with("env:")) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return Status::Config(what + ": the environment variable " + name + " is not set");
    return std::string(value);
  }
  auto text = platform::ReadFile(name, kLargestSecret);
  if (!text.ok()) return Status::Config(what + ": " + text.status().message());
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  return text;
}

// `text` with each reference replaced by what `look_up` makes of it.
template <class LookUpReference>
Result<std::string> Expand(std::string_view text, const LookUpReference& look_up) {
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
    OTLP_ASSIGN_OR_RETURN(const std::string value, look_up(text.substr(1, end - 1)));
    out += value;
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

Result<std::string> ResolveSecret(std::string_view what, std::string_view text) {
  return Expand(text, [&](std::string_view reference) { return LookUp(std::string(what), reference); });
}

Status CheckSecretReferences(std::string_view what, std::string_view text) {
  return Expand(text, [&](std::string_view reference) -> Result<std::string> {
           if (IsReference(reference)) return std::string();
           return Status::Config(std::string(what) + ": a reference is ${env:NAME} or ${file:PATH}; write $$ for a dollar sign");
         })
      .status();
}

}  // namespace otlp_arrow
