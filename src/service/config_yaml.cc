#include "service/config_yaml.h"

#include <set>

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

class Reader {
 public:
  Reader(const std::string& file_name, std::vector<YamlSetting>* settings)
      : file_name_(file_name), settings_(settings) {}

  // `section` is "" or "grpc.".
  Status ReadMap(const YAML::Node& map, const std::string& section) {
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) {
        return Refuse(entry.first, "a key is " + Shape(entry.first) + "; keys are words such as output_dir");
      }
      const std::string name = section + entry.first.Scalar();
      if (!seen_.insert(name).second) {
        return Refuse(entry.first, name + ": the key stands here a second time; remove one");
      }
      OTLP_RETURN_NOT_OK(ReadEntry(name, entry.first, entry.second));
    }
    return Status::Ok();
  }

 private:
  Status ReadEntry(const std::string& name, const YAML::Node& key_node, const YAML::Node& value) {
    if (const ConfigKey* key = FindConfigKey(name)) return ReadValue(*key, key_node, value);
    if (!IsSection(name)) return Unknown(name, key_node);
    if (value.IsNull()) return Status::Ok();
    if (!value.IsMap()) {
      return Refuse(key_node, name + ": " + Shape(value) +
                                  " stands where the keys of a section are wanted: " + KeysOf(name + "."));
    }
    return ReadMap(value, name + ".");
  }

  Status ReadValue(const ConfigKey& key, const YAML::Node& key_node, const YAML::Node& value) {
    YamlSetting setting{&key, {}, Origin(key_node)};
    const bool list = key.kind == ConfigKey::Kind::kList;
    if (list && value.IsSequence()) {
      for (const auto& item : value) {
        if (!item.IsScalar()) return Refuse(item, key.name + ": an entry is " + Shape(item) + "; wanted are texts");
        setting.texts.push_back(item.Scalar());
      }
    } else if (value.IsScalar()) {
      setting.texts = list ? SplitList(value.Scalar()) : std::vector<std::string>{value.Scalar()};
    } else {
      return Refuse(key_node, key.name + ": has " + Shape(value) + "; allowed are " + key.allowed);
    }
    settings_->push_back(std::move(setting));
    return Status::Ok();
  }

  Status Unknown(const std::string& name, const YAML::Node& key_node) {
    std::vector<std::string> names;
    for (const ConfigKey& key : ConfigKeys()) names.push_back(key.name);
    const std::string nearest = NearestName(name, names);
    const size_t dot = name.find('.');
    return Refuse(key_node, "'" + name + "' is no key; " + (nearest.empty() ? "" : "did you mean " + nearest + "? ") +
                                "Allowed are " + KeysOf(dot == std::string::npos ? "" : name.substr(0, dot + 1)));
  }

  static bool IsSection(const std::string& name) {
    for (const ConfigKey& key : ConfigKeys()) {
      if (key.name.starts_with(name + ".")) return true;
    }
    return false;
  }

  // The keys and sections directly in a section, comma-separated.
  static std::string KeysOf(const std::string& section) {
    std::string result;
    std::string last;
    for (const ConfigKey& key : ConfigKeys()) {
      if (!key.name.starts_with(section)) continue;
      const std::string rest = key.name.substr(section.size());
      const std::string name = rest.substr(0, rest.find('.'));
      if (name == last) continue;
      result += (result.empty() ? "" : ", ") + name;
      last = name;
    }
    return result;
  }

  std::string Origin(const YAML::Node& node) const { return file_name_ + ":" + std::to_string(node.Mark().line + 1); }
  Status Refuse(const YAML::Node& node, const std::string& what) const {
    return Status::Config(Origin(node) + ": " + what);
  }

  const std::string& file_name_;
  std::vector<YamlSetting>* settings_;
  std::set<std::string> seen_;
};

void EmitValue(YAML::Emitter* out, const ConfigKey& key, const Config& config) {
  const auto texts = key.get(config);
  if (key.kind == ConfigKey::Kind::kList) {
    *out << YAML::BeginSeq;
    for (const auto& t : texts) *out << t;
    *out << YAML::EndSeq;
  } else {
    *out << texts.at(0);
  }
}

}  // namespace

Result<std::vector<YamlSetting>> ReadYamlSettings(const std::string& file_name, const std::string& text) {
  std::vector<YamlSetting> settings;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() > 1) {
      return Status::Config(file_name + ": holds " + std::to_string(documents.size()) +
                            " YAML documents; allowed is one");
    }
    if (documents.empty() || documents[0].IsNull()) return settings;
    if (!documents[0].IsMap()) {
      return Status::Config(file_name + ":" + std::to_string(documents[0].Mark().line + 1) + ": is " +
                            Shape(documents[0]) +
                            "; a configuration is a map of keys, such as 'output_dir: ./output_dir'");
    }
    OTLP_RETURN_NOT_OK(Reader(file_name, &settings).ReadMap(documents[0], ""));
  } catch (const YAML::Exception& e) {
    return Status::Config(file_name + ":" + std::to_string(e.mark.line + 1) + ": is no YAML: " + e.msg);
  }
  return settings;
}

std::string ConfigToYaml(const Config& config, const std::map<std::string, std::string>& origins) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  std::string section;
  for (const ConfigKey& key : ConfigKeys()) {
    const size_t dot = key.name.find('.');
    const std::string key_section = dot == std::string::npos ? "" : key.name.substr(0, dot);
    if (key_section != section) {
      if (!section.empty()) out << YAML::EndMap;
      if (!key_section.empty()) out << YAML::Key << key_section << YAML::Value << YAML::BeginMap;
      section = key_section;
    }
    out << YAML::Key << (dot == std::string::npos ? key.name : key.name.substr(dot + 1)) << YAML::Value;
    EmitValue(&out, key, config);
    if (auto it = origins.find(key.name); it != origins.end()) out << YAML::Comment(it->second);
  }
  if (!section.empty()) out << YAML::EndMap;
  out << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

}  // namespace otlp_arrow
