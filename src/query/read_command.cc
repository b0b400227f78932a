#include "query/read_command.h"

#include <memory>
#include <optional>

#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/json_writer.h"
#include "query/command_json.h"

namespace otlp_arrow {
namespace {

std::optional<int64_t> ParseIsoTime(std::string_view text) {
  for (const auto* zone : {"", "UTC"}) {
    const auto type = arrow::timestamp(arrow::TimeUnit::NANO, zone);
    const auto parsed = arrow::Scalar::Parse(type, text);
    if (parsed.ok()) return static_cast<const arrow::TimestampScalar&>(**parsed).value;
  }
  return std::nullopt;
}

Status ReadTime(const JsonObject& object, const std::string& name, std::optional<int64_t>* time) {
  JsonValue value;
  if (!FindMember(object, name, &value) || value.is_null()) return Status::Ok();
  int64_t nanoseconds = 0;
  std::string_view text;
  if (!value.get(nanoseconds)) {
    *time = nanoseconds;
  } else if (!value.get(text)) {
    *time = ParseIsoTime(text);
  }
  if (*time) return Status::Ok();
  return Refused(name, value, "nanoseconds since 1970 as an integer, or a time like \"2024-05-06T07:08:09Z\" (UTC where it has no zone)");
}

Status ReadList(const JsonObject& object, const std::string& name, std::vector<std::string>* texts) {
  JsonValue value;
  if (!FindMember(object, name, &value)) return Status::Ok();
  OTLP_ASSIGN_OR_RETURN(*texts, ReadTexts(value, name));
  return Status::Ok();
}

void WriteList(std::string_view name, const std::vector<std::string>& texts, JsonWriter* out) {
  if (texts.empty()) return;
  out->Key(name).BeginArray();
  for (const auto& text : texts) out->Text(text);
  out->EndArray();
}

}  // namespace

Result<ReadCommand> ParseReadCommand(std::string_view text) {
  OTLP_ASSIGN_OR_RETURN(const CommandJson json, CommandJson::Parse(text));
  const JsonObject& object = json.object();
  OTLP_RETURN_NOT_OK(CheckMembers(object, "a command that reads", {"signal", "start", "end", "services", "trace_ids", "columns", "include_journal", "compression"}));
  ReadCommand command;
  OTLP_ASSIGN_OR_RETURN(command.signal, ReadSignal(object));
  OTLP_RETURN_NOT_OK(ReadTime(object, "start", &command.options.start));
  OTLP_RETURN_NOT_OK(ReadTime(object, "end", &command.options.end));
  OTLP_RETURN_NOT_OK(ReadList(object, "services", &command.options.services));
  OTLP_RETURN_NOT_OK(ReadList(object, "trace_ids", &command.options.trace_ids));
  OTLP_RETURN_NOT_OK(ReadList(object, "columns", &command.options.columns));
  JsonValue value;
  if (FindMember(object, "include_journal", &value)) {
    OTLP_ASSIGN_OR_RETURN(command.options.include_journal, ReadBool(value, "include_journal"));
  }
  if (FindMember(object, "compression", &value)) {
    OTLP_ASSIGN_OR_RETURN(const std::string compression, ReadText(value, "compression"));
    if (compression != "stored" && compression != "none") {
      return Refused("compression", value, "\"stored\" (as the files have it) or \"none\"");
    }
    command.decompress = compression == "none";
  }
  return command;
}

std::string ReadCommandText(const ReadCommand& command) {
  JsonWriter out;
  out.BeginObject().Key("signal").Text(SignalName(command.signal));
  if (command.options.start) out.Key("start").Number(*command.options.start);
  if (command.options.end) out.Key("end").Number(*command.options.end);
  WriteList("services", command.options.services, &out);
  WriteList("trace_ids", command.options.trace_ids, &out);
  WriteList("columns", command.options.columns, &out);
  if (!command.options.include_journal) out.Key("include_journal").Bool(false);
  if (command.decompress) out.Key("compression").Text("none");
  return out.EndObject().json();
}

}  // namespace otlp_arrow
