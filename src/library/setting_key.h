// One thing that can be configured, of whatever struct: the kinds of values and how they are read from texts and shown.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/config_limits.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

enum class KeyKind {
  kSwitch,
  kNumber,
  kText,
  kList,
  kPairs,  // texts "name=value"; a map in YAML
};

// What stands for a secret that is set, wherever settings are shown.
inline constexpr std::string_view kHiddenText = "<hidden>";

template <class Struct>
struct SettingKey {
  using Kind = KeyKind;
  using Texts = std::vector<std::string>;

  std::string name;  // as in YAML; a dot stands for nesting: "grpc.address"
  Kind kind;
  std::string help;     // one sentence
  std::string allowed;  // in messages and in the documentation: "1 to 86400 seconds"
  // Fills the field from texts (exactly one, but for lists and pairs). Errors start with the key and never quote a secret.
  std::function<Status(Struct*, const Texts&)> set;
  // The value as texts that `set` takes. Of secrets, see ShownTexts.
  std::function<Texts(const Struct&)> get;
  bool is_secret = false;  // of pairs: their values are

  // The value as it may be shown: kHiddenText in place of secrets.
  Texts ShownTexts(const Struct& from) const {
    Texts texts = get(from);
    if (!is_secret) return texts;
    for (std::string& text : texts) {
      if (kind == Kind::kPairs) text = text.substr(0, text.find('=') + 1) + std::string(kHiddenText);
      else if (!text.empty()) text = kHiddenText;
    }
    return texts;
  }
};

// Before a key's name in messages: "forwarding." for the keys of ForwardingConfig.
template <class Struct>
inline constexpr std::string_view kKeyPrefix = "";

// The parts of a comma-separated text, without blanks around them; none for "".
std::vector<std::string> SplitList(std::string_view text);
// The name and the value of "name=value". Errors: kConfig, which do not quote the value.
Result<std::pair<std::string, std::string>> SplitPair(const std::string& key, std::string_view text);

namespace key_texts {

Status Refuse(const std::string& key, const std::string& value, const std::string& what, const std::string& allowed);
Result<uint64_t> ReadNumber(const std::string& key, const std::string& text, const limits::Range& range);
std::string ShowNumber(uint64_t value, const limits::Range& range);
Result<bool> ReadSwitch(const std::string& key, const std::string& text);

}  // namespace key_texts

// Makes the keys of a struct. `find` gives the field of an object, const or not.
template <class Struct>
struct KeyMaker {
  using Key = SettingKey<Struct>;
  using Texts = std::vector<std::string>;
  using Check = Status (*)(std::string_view key, const std::string& value);
  template <class Find>
  using Field = std::decay_t<std::invoke_result_t<Find, Struct&>>;

  static std::string Label(const std::string& name) { return std::string(kKeyPrefix<Struct>) + name; }

  template <class Find>
  static Key Number(std::string name, Find find, limits::Range range, std::string help) {
    Key key{name, KeyKind::kNumber, std::move(help), limits::RangeText(range), {}, {}};
    key.set = [label = Label(name), find, range](Struct* to, const Texts& texts) {
      OTLP_ASSIGN_OR_RETURN(const uint64_t value, key_texts::ReadNumber(label, texts.at(0), range));
      find(*to) = static_cast<Field<Find>>(value);
      return Status::Ok();
    };
    key.get = [find, range](const Struct& from) -> Texts { return {key_texts::ShowNumber(find(from), range)}; };
    return key;
  }

  template <class Find>
  static Key Switch(std::string name, Find find, std::string help) {
    Key key{name, KeyKind::kSwitch, std::move(help), "true, false", {}, {}};
    key.set = [label = Label(name), find](Struct* to, const Texts& texts) {
      OTLP_ASSIGN_OR_RETURN(find(*to), key_texts::ReadSwitch(label, texts.at(0)));
      return Status::Ok();
    };
    key.get = [find](const Struct& from) -> Texts { return {find(from) ? "true" : "false"}; };
    return key;
  }

  // `check` may be null.
  template <class Find>
  static Key Text(std::string name, Find find, Check check, std::string allowed, std::string help) {
    Key key{name, KeyKind::kText, std::move(help), std::move(allowed), {}, {}};
    key.set = [label = Label(name), find, check](Struct* to, const Texts& texts) {
      if (check != nullptr) OTLP_RETURN_NOT_OK(check(label, texts.at(0)));
      find(*to) = texts.at(0);
      return Status::Ok();
    };
    key.get = [find](const Struct& from) -> Texts { return {find(from)}; };
    return key;
  }

  template <class Find>
  static Key Secret(std::string name, Find find, std::string help) {
    Key key = Text(std::move(name), find, limits::CheckSecret, "a text; ${env:NAME} and ${file:PATH} are looked up", std::move(help));
    key.is_secret = true;
    return key;
  }

  // `check` judges each entry.
  template <class Find>
  static Key List(std::string name, Find find, Check check, std::string allowed, std::string help) {
    Key key{name, KeyKind::kList, std::move(help), std::move(allowed), {}, {}};
    key.set = [label = Label(name), find, check](Struct* to, const Texts& texts) {
      for (const std::string& text : texts) OTLP_RETURN_NOT_OK(check(label, text));
      find(*to) = texts;
      return Status::Ok();
    };
    key.get = [find](const Struct& from) -> Texts { return find(from); };
    return key;
  }

  template <class Find>
  static Key SecretList(std::string name, Find find, std::string help) {
    Key key = List(std::move(name), find, limits::CheckSecret, "texts; ${env:NAME} and ${file:PATH} are looked up", std::move(help));
    key.is_secret = true;
    return key;
  }

  // Headers, as "name=value".
  template <class Find>
  static Key SecretPairs(std::string name, Find find, std::string help) {
    Key key{name, KeyKind::kPairs, std::move(help), "name=value; in values ${env:NAME} and ${file:PATH} are looked up", {}, {}};
    key.set = [label = Label(name), find](Struct* to, const Texts& texts) {
      Field<Find> pairs;
      for (const std::string& text : texts) {
        OTLP_ASSIGN_OR_RETURN(auto pair, SplitPair(label, text));
        OTLP_RETURN_NOT_OK(limits::CheckHeader(label, pair.first, pair.second));
        pairs.push_back(std::move(pair));
      }
      find(*to) = std::move(pairs);
      return Status::Ok();
    };
    key.get = [find](const Struct& from) {
      Texts texts;
      for (const auto& [header, value] : find(from)) texts.push_back(header + "=" + value);
      return texts;
    };
    key.is_secret = true;
    return key;
  }

  template <class Find>
  static Key Choice(std::string name, Find find, std::vector<std::pair<std::string, Field<Find>>> choices, std::string help) {
    std::string allowed;
    for (const auto& c : choices) allowed += (allowed.empty() ? "" : ", ") + c.first;
    Key key{name, KeyKind::kText, std::move(help), allowed, {}, {}};
    key.set = [label = Label(name), find, choices, allowed](Struct* to, const Texts& texts) {
      for (const auto& [text, value] : choices) {
        if (text != texts.at(0)) continue;
        find(*to) = value;
        return Status::Ok();
      }
      return key_texts::Refuse(label, texts[0], "is unknown", allowed);
    };
    key.get = [find, choices](const Struct& from) -> Texts {
      for (const auto& [text, value] : choices) {
        if (value == find(from)) return {text};
      }
      return {""};
    };
    return key;
  }
};

// Of `candidates` the one that `name` was probably meant to be, or "" where none is near.
std::string NearestName(std::string_view name, const std::vector<std::string>& candidates);

// A key's texts in one text, as the environment and flags have it.
template <class Struct>
std::vector<std::string> TextsOf(const SettingKey<Struct>& key, std::string_view text) {
  if (key.kind == KeyKind::kList || key.kind == KeyKind::kPairs) return SplitList(text);
  return {std::string(text)};
}

}  // namespace otlp_arrow
