#include "library/log_format.h"

#include <array>
#include <chrono>
#include <ctime>

#include <simdjson.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/spdlog.h>

#include "base/json_writer.h"

namespace otlp_arrow {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

// Of the message that this thread is logging; formatters run on the thread that logs.
thread_local const LogFields* current_fields = nullptr;

// %v with control characters as \n or \x1b, so that what a peer sent cannot pass for a line of ours, or move a terminal's cursor.
class EscapedMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& to) override {
    for (const char c : message.payload) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte != 0x7f) {
        to.push_back(c);
        continue;
      }
      to.push_back('\\');
      if (c == '\n' || c == '\t') {
        to.push_back(c == '\n' ? 'n' : 't');
      } else {
        for (const char part : {'x', kDigits[byte >> 4], kDigits[byte & 15]}) to.push_back(part);
      }
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<EscapedMessage>(); }
};

std::string TimeText(spdlog::log_clock::time_point time) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  const std::string fraction = std::to_string(1000 + milliseconds % 1000);
  return std::string(text.data(), length) + "." + fraction.substr(1) + "Z";
}

// The names that log_level takes.
std::string_view LevelName(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace: return "trace";
    case spdlog::level::debug: return "debug";
    case spdlog::level::info: return "info";
    case spdlog::level::warn: return "warn";
    default: return "error";
  }
}

// JSON holds only UTF-8: of other texts the bytes that are no ASCII become \xff, in letters.
std::string Utf8Of(std::string_view text) {
  if (simdjson::validate_utf8(text.data(), text.size())) return std::string(text);
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
  }
  return out;
}

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
    JsonWriter json;
    json.BeginObject();
    json.Key("time").Text(TimeText(message.time));
    json.Key("level").Text(LevelName(message.level));
    json.Key("message").Text(Utf8Of({message.payload.data(), message.payload.size()}));
    json.Key("thread").Number(static_cast<int64_t>(message.thread_id));
    if (current_fields != nullptr && !current_fields->empty()) AddFields(*current_fields, &json);
    json.EndObject();
    to.append(json.json().data(), json.json().data() + json.json().size());
    to.push_back('\n');
  }
  std::unique_ptr<formatter> clone() const override { return std::make_unique<JsonFormatter>(); }

 private:
  static void AddFields(const LogFields& fields, JsonWriter* json) {
    json->Key("fields").BeginObject();
    for (const auto& [name, value] : fields) {
      json->Key(name);
      if (const auto* text = std::get_if<std::string>(&value)) {
        json->Text(Utf8Of(*text));
      } else {
        json->Number(std::get<int64_t>(value));
      }
    }
    json->EndObject();
  }
};

}  // namespace

std::unique_ptr<spdlog::formatter> MakeLogFormatter(const std::string& format) {
  if (format == "json") return std::make_unique<JsonFormatter>();
  auto text = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  text->add_flag<EscapedMessage>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %*");
  return text;
}

void LogWithFields(spdlog::level::level_enum level, std::string_view message, const LogFields& fields) {
  current_fields = &fields;
  spdlog::log(level, "{}", message);
  current_fields = nullptr;
}

}  // namespace otlp_arrow
