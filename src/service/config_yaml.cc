#include "service/config_yaml.h"

#include <algorithm>
#include <functional>
#include <set>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "service/config_loader.h"

namespace otlp_arrow {
namespace {

std::string Shape(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Sequence: return "a list";
    case YAML::NodeType::Map: return "a map";
    case YAML::NodeType::Scalar: return "'" + node.Scalar() + "'";
    default: return "no value";
  }
}

// The same where the value may hold a secret.
std::string ShapeUnquoted(const YAML::Node& node) { return node.IsScalar() ? "a text" : Shape(node); }

struct Source {
  const std::string& file_name;

  std::string Origin(const YAML::Node& node) const { return file_name + ":" + std::to_string(node.Mark().line + 1); }
  Status Refuse(const YAML::Node& node, const std::string& what) const { return Status::Config(Origin(node) + ": " + what); }
};

// Reads the keys of one table from a map and the maps inside it.
template <class Key>
class Reader {
 public:
  // `prefix` stands before keys in messages. `is_taken` (may be empty) reads the keys that are in no table.
  using Taken = std::function<bool(const std::string& name, const YAML::Node& key, const YAML::Node& value, Status* status)>;
  Reader(Source source, const std::vector<Key>& table, std::string prefix, std::vector<YamlValue<Key>>* settings, Taken is_taken = {},
         std::vector<std::string> taken = {})
      : source_(source), table_(table), prefix_(std::move(prefix)), settings_(settings), is_taken_(std::move(is_taken)), taken_(std::move(taken)) {}

  // `section` is "" or "grpc.".
  Status ReadMap(const YAML::Node& map, const std::string& section) {
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) {
        return source_.Refuse(entry.first, "a key is " + Shape(entry.first) + "; keys are words such as output_dir");
      }
      const std::string name = section + entry.first.Scalar();
      if (!seen_.insert(name).second) {
        return source_.Refuse(entry.first, prefix_ + name + ": the key stands here a second time; remove one");
      }
      OTLP_RETURN_NOT_OK(ReadEntry(name, entry.first, entry.second));
    }
    return Status::Ok();
  }

 private:
  Status ReadEntry(const std::string& name, const YAML::Node& key_node, const YAML::Node& value) {
    for (const Key& key : table_) {
      if (key.name == name) return ReadValue(key, key_node, value);
    }
    Status status;
    if (is_taken_ && is_taken_(name, key_node, value, &status)) return status;
    if (!IsSection(name)) return Unknown(name, key_node);
    if (value.IsNull()) return Status::Ok();
    if (!value.IsMap()) {
      return source_.Refuse(key_node, prefix_ + name + ": " + Shape(value) + " stands where the keys of a section are wanted: " + KeysOf(name + "."));
    }
    return ReadMap(value, name + ".");
  }

  Status ReadValue(const Key& key, const YAML::Node& key_node, const YAML::Node& value) {
    YamlValue<Key> setting{&key, {}, source_.Origin(key_node)};
    if (key.kind == KeyKind::kPairs) {
      OTLP_RETURN_NOT_OK(ReadPairs(key, key_node, value, &setting.texts));
    } else if (key.kind == KeyKind::kList && value.IsSequence()) {
      for (const auto& item : value) {
        if (!item.IsScalar()) return source_.Refuse(item, prefix_ + key.name + ": an entry is " + Shape(item) + "; wanted are texts");
        setting.texts.push_back(item.Scalar());
      }
    } else if (value.IsScalar()) {
      setting.texts = TextsOf(key, value.Scalar());
    } else {
      return source_.Refuse(key_node, prefix_ + key.name + ": has " + Shape(value) + "; allowed are " + key.allowed);
    }
    settings_->push_back(std::move(setting));
    return Status::Ok();
  }

  Status ReadPairs(const Key& key, const YAML::Node& key_node, const YAML::Node& value, std::vector<std::string>* texts) {
    if (!value.IsMap()) {
      return source_.Refuse(key_node, prefix_ + key.name + ": " + ShapeUnquoted(value) + " stands where a map is wanted; allowed are " + key.allowed);
    }
    for (const auto& entry : value) {
      if (entry.first.IsScalar() && entry.second.IsScalar() && entry.first.Scalar().find('=') == std::string::npos) {
        texts->push_back(entry.first.Scalar() + "=" + entry.second.Scalar());
        continue;
      }
      return source_.Refuse(entry.first, prefix_ + key.name + ": an entry is not of the form name: text");
    }
    return Status::Ok();
  }

  Status Unknown(const std::string& name, const YAML::Node& key_node) {
    std::vector<std::string> names = taken_;
    for (const Key& key : table_) names.push_back(key.name);
    const std::string nearest = NearestName(name, names);
    const size_t dot = name.rfind('.');
    return source_.Refuse(key_node, "'" + prefix_ + name + "' is no key; " + (nearest.empty() ? "" : "did you mean " + prefix_ + nearest + "? ") +
                                        "Allowed are " + KeysOf(dot == std::string::npos ? "" : name.substr(0, dot + 1)));
  }

  bool IsSection(const std::string& name) const {
    for (const Key& key : table_) {
      if (key.name.starts_with(name + ".")) return true;
    }
    return false;
  }

  // The keys and sections directly in a section, comma-separated.
  std::string KeysOf(const std::string& section) const {
    std::string result;
    std::string last;
    const auto add = [&](const std::string& name) {
      if (name == last) return;
      result += (result.empty() ? "" : ", ") + name;
      last = name;
    };
    for (const Key& key : table_) {
      if (!key.name.starts_with(section)) continue;
      const std::string rest = key.name.substr(section.size());
      add(rest.substr(0, rest.find('.')));
    }
    if (section.empty()) std::for_each(taken_.begin(), taken_.end(), add);
    return result;
  }

  const Source source_;
  const std::vector<Key>& table_;
  const std::string prefix_;
  std::vector<YamlValue<Key>>* settings_;
  const Taken is_taken_;
  const std::vector<std::string> taken_;  // the names that is_taken_ knows
  std::set<std::string> seen_;
};

// The list under `forwarding`.
Status ReadForwarding(const Source& source, const YAML::Node& key, const YAML::Node& list, std::vector<YamlDestination>* destinations) {
  if (list.IsNull()) return Status::Ok();
  if (!list.IsSequence()) {
    return source.Refuse(key, "forwarding: " + ShapeUnquoted(list) + " stands where a list is wanted; begin each destination with a dash: '- endpoint: http://collector:4317'");
  }
  for (const auto& item : list) {
    if (!item.IsMap()) {
      return source.Refuse(item, "forwarding: an entry is " + ShapeUnquoted(item) + "; wanted are the keys of a destination, such as 'endpoint: http://collector:4317'");
    }
    destinations->push_back({source.Origin(item), {}});
    OTLP_RETURN_NOT_OK(Reader<ForwardingKey>(source, ForwardingKeys(), "forwarding.", &destinations->back().settings).ReadMap(item, ""));
  }
  return Status::Ok();
}

Result<YamlSettings> ReadDocument(const Source& source, const YAML::Node& document) {
  YamlSettings read;
  const auto is_forwarding = [&](const std::string& name, const YAML::Node& key, const YAML::Node& value, Status* status) {
    if (name != "forwarding") return false;
    *status = ReadForwarding(source, key, value, &read.forwarding);
    return true;
  };
  Reader<ConfigKey> reader(source, ConfigKeys(), "", &read.settings, is_forwarding, {"forwarding"});
  OTLP_RETURN_NOT_OK(reader.ReadMap(document, ""));
  return read;
}

template <class Key, class Struct>
void EmitValue(YAML::Emitter* out, const Key& key, const Struct& from) {
  const auto texts = key.ShownTexts(from);
  if (key.kind == KeyKind::kList) {
    *out << YAML::BeginSeq;
    for (const auto& t : texts) *out << t;
    *out << YAML::EndSeq;
  } else if (key.kind == KeyKind::kPairs) {
    *out << YAML::BeginMap;
    for (const auto& t : texts) *out << YAML::Key << t.substr(0, t.find('=')) << YAML::Value << t.substr(t.find('=') + 1);
    *out << YAML::EndMap;
  } else {
    *out << texts.at(0);
  }
}

// "flight.tls." of "flight.tls.key_file".
std::string SectionOf(const std::string& name) {
  const size_t dot = name.rfind('.');
  return dot == std::string::npos ? "" : name.substr(0, dot + 1);
}

// The keys of a table as a map, sections as maps inside it. `origin` gives a comment or "".
template <class Key, class Struct, class Origin>
void EmitTable(YAML::Emitter* out, const std::vector<Key>& table, const Struct& from, const Origin& origin) {
  std::string open;  // the sections that the next key would stand in
  for (const Key& key : table) {
    const std::string section = SectionOf(key.name);
    while (!section.starts_with(open)) {
      *out << YAML::EndMap;
      open = SectionOf(open.substr(0, open.size() - 1));
    }
    while (open != section) {
      const size_t dot = section.find('.', open.size());
      *out << YAML::Key << section.substr(open.size(), dot - open.size()) << YAML::Value << YAML::BeginMap;
      open = section.substr(0, dot + 1);
    }
    *out << YAML::Key << key.name.substr(section.size()) << YAML::Value;
    EmitValue(out, key, from);
    if (const std::string comment = origin(key.name); !comment.empty()) *out << YAML::Comment(comment);
  }
  for (; !open.empty(); open = SectionOf(open.substr(0, open.size() - 1))) *out << YAML::EndMap;
}

// Steps over a document.
class Unread final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// Not YAML::LoadAll: with yaml-cpp 0.7 it finds documents without end in texts such as ",x\n".
bool HoldsTwoDocuments(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Unread unread;
  return parser.HandleNextDocument(unread) && parser.HandleNextDocument(unread);
}

}  // namespace

Result<YamlSettings> ReadYamlSettings(const std::string& file_name, const std::string& text) {
  try {
    if (HoldsTwoDocuments(text)) return Status::Config(file_name + ": holds more than one YAML document; allowed is one");
    const YAML::Node document = YAML::Load(text);
    if (document.IsNull()) return YamlSettings();
    const Source source{file_name};
    if (!document.IsMap()) {
      return source.Refuse(document, "is " + Shape(document) + "; a configuration is a map of keys, such as 'output_dir: ./output_dir'");
    }
    return ReadDocument(source, document);
  } catch (const YAML::Exception& e) {
    return Status::Config(file_name + ":" + std::to_string(e.mark.line + 1) + ": is no YAML: " + e.msg);
  }
}

std::string ConfigToYaml(const Config& config, const std::map<std::string, std::string>& origins) {
  const auto origin_in = [&origins](const std::string& prefix) {
    return [&origins, prefix](const std::string& name) {
      const auto found = origins.find(prefix + name);
      return found == origins.end() ? std::string() : found->second;
    };
  };
  YAML::Emitter out;
  out << YAML::BeginMap;
  EmitTable(&out, ConfigKeys(), config, origin_in(""));
  out << YAML::Key << "forwarding" << YAML::Value << YAML::BeginSeq;
  for (size_t i = 0; i < config.forwarding.size(); ++i) {
    out << YAML::BeginMap;
    EmitTable(&out, ForwardingKeys(), config.forwarding[i], origin_in("forwarding." + std::to_string(i) + "."));
    out << YAML::EndMap;
  }
  out << YAML::EndSeq << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

}  // namespace otlp_arrow
