#include "query/command_json.h"

#include <algorithm>
#include <set>
#include <utility>

namespace otlp_arrow {
namespace {

constexpr size_t kMaxShown = 60;
constexpr size_t kMaxDepth = 16;

std::string Shown(const JsonValue& value) {
  std::string text = simdjson::minify(value);
  if (text.size() <= kMaxShown) return text;
  size_t end = kMaxShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not within a character
  return text.substr(0, end) + "…";
}

}  // namespace

Result<CommandJson> CommandJson::Parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return Status::Config("the command has " + std::to_string(text.size()) + " bytes; at most " + std::to_string(kMaxBytes) + " are taken");
  }
  CommandJson json;
  json.parser_ = std::make_unique<simdjson::dom::parser>(kMaxBytes);
  simdjson::error_code error = json.parser_->allocate(kMaxBytes, kMaxDepth);
  JsonValue root;
  if (!error) error = json.parser_->parse(text.data(), text.size()).get(root);
  if (!error) error = root.get(json.object_);
  if (error) {
    return Status::Config(std::string("the command is no JSON object: ") + simdjson::error_message(error) + R"(; write it like {"signal":"traces"})");
  }
  return json;
}

Status CheckMembers(const JsonObject& object, std::string_view what, std::initializer_list<std::string_view> known) {
  std::set<std::string_view> seen;
  for (const auto member : object) {
    std::string list;
    for (const auto name : known) list += (list.empty() ? "" : ", ") + std::string(name);
    const std::string shown(member.key.substr(0, kMaxShown));
    if (std::find(known.begin(), known.end(), member.key) == known.end()) {
      return Status::Config("there is no '" + shown + "' in " + std::string(what) + "; there are " + list);
    }
    if (!seen.insert(member.key).second) return Status::Config("'" + shown + "' stands twice in " + std::string(what));
  }
  return Status::Ok();
}

const JsonValue* FindMember(const JsonObject& object, std::string_view name, JsonValue* found) {
  return object.at_key(name).get(*found) ? nullptr : found;
}

Status Refused(const std::string& name, const JsonValue& value, const std::string& allowed) {
  return Status::Config("'" + name + "' is " + Shown(value) + "; allowed is " + allowed);
}

Result<std::string> ReadText(const JsonValue& value, const std::string& name) {
  std::string_view text;
  if (value.get(text)) return Refused(name, value, "a text");
  return std::string(text);
}

Result<bool> ReadBool(const JsonValue& value, const std::string& name) {
  bool flag = false;
  if (value.get(flag)) return Refused(name, value, "true or false");
  return flag;
}

Result<std::vector<std::string>> ReadTexts(const JsonValue& value, const std::string& name) {
  simdjson::dom::array array;
  if (value.get(array)) return Refused(name, value, "a list of texts");
  std::vector<std::string> texts;
  for (const auto element : array) {
    OTLP_ASSIGN_OR_RETURN(auto text, ReadText(element, name));
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<Signal> ReadSignal(const JsonObject& object) {
  constexpr std::string_view kAllowed = "\"traces\", \"metrics\" or \"logs\"";
  JsonValue value;
  if (!FindMember(object, "signal", &value)) return Status::Config("the command has no 'signal'; it is " + std::string(kAllowed));
  OTLP_ASSIGN_OR_RETURN(const std::string name, ReadText(value, "signal"));
  const auto signal = SignalFromName(name);
  if (!signal) return Refused("signal", value, std::string(kAllowed));
  return *signal;
}

}  // namespace otlp_arrow
