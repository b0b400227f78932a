#include "query/put_command.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <arrow/type.h>

#include "query/command_json.h"
#include "schema/any_value_text.h"

namespace otlp_arrow {
namespace {

using Entries = std::vector<ColumnMapping::Entry>;

Result<arrow::TimeUnit::type> ReadUnit(const JsonValue& value, const std::string& name) {
  OTLP_ASSIGN_OR_RETURN(const std::string unit, ReadText(value, name));
  if (unit == "s") return arrow::TimeUnit::SECOND;
  if (unit == "ms") return arrow::TimeUnit::MILLI;
  if (unit == "us") return arrow::TimeUnit::MICRO;
  if (unit == "ns") return arrow::TimeUnit::NANO;
  return Refused(name, value, R"("s", "ms", "us" or "ns")");
}

// A text, a number or a truth value, the same on every row.
Result<ValueSource> ReadConstant(const JsonValue& value, const std::string& name) {
  ValueSource source;
  std::string_view text;
  bool flag = false;
  int64_t integer = 0;
  double number = 0;
  if (!value.get(text)) {
    source.text = text;
  } else if (!value.get(flag)) {
    source.text = flag ? "true" : "false";
    source.type = ValueType::kBool;
  } else if (!value.get(integer)) {
    source.text = std::to_string(integer);
    source.type = ValueType::kInt;
  } else if (value.is_double() && !value.get(number)) {
    (void)AppendDoubleText(number, &source.text);
    source.type = ValueType::kDouble;
  } else {
    return Refused(name, value, R"(a text, a number, true, false, or {"column":"NAME"})");
  }
  return source;
}

// {"column":"ts","unit":"ms"} or {"value":"GAUGE"}.
Result<ValueSource> ReadSourceObject(const JsonObject& object, const JsonValue& shown, const std::string& name) {
  OTLP_RETURN_NOT_OK(CheckMembers(object, "'" + name + "'", {"column", "unit", "value"}));
  JsonValue column, unit, value;
  const bool has_column = FindMember(object, "column", &column) != nullptr;
  const bool has_value = FindMember(object, "value", &value) != nullptr;
  if (has_column == has_value) return Refused(name, shown, R"({"column":"NAME"} or {"value":…})");
  if (has_value) return ReadConstant(value, name);
  ValueSource source;
  OTLP_ASSIGN_OR_RETURN(source.column, ReadText(column, name + ".column"));
  if (source.column.empty()) return Refused(name, shown, "the name of a column");
  if (FindMember(object, "unit", &unit)) {
    OTLP_ASSIGN_OR_RETURN(source.unit, ReadUnit(unit, name + ".unit"));
  }
  return source;
}

// `text_is_column`: whether a plain text names a column or is the value itself.
Result<ValueSource> ReadSource(const JsonValue& value, const std::string& name, bool text_is_column) {
  JsonObject object;
  if (!value.get(object)) return ReadSourceObject(object, value, name);
  if (!text_is_column) return ReadConstant(value, name);
  ValueSource source;
  std::string_view column;
  if (value.get(column) || column.empty()) return Refused(name, value, R"(the name of a column, {"column":"NAME","unit":"ms"} or {"value":…})");
  source.column = column;
  return source;
}

Status AddEntry(std::string name, ValueSource source, const std::string& what, Entries* entries) {
  if (name.empty()) return Status::Config("'" + what + "' has an empty name");
  const bool there = std::any_of(entries->begin(), entries->end(), [&](const auto& e) { return e.name == name; });
  if (there) return Status::Config("'" + what + "' names '" + name + "' twice");
  entries->push_back({std::move(name), std::move(source)});
  return Status::Ok();
}

// {"ours": SOURCE, …}, or for attributes also ["column", …], whose keys are the columns' names.
Status ReadEntries(const JsonObject& command, const std::string& what, bool text_is_column, Entries* entries) {
  JsonValue value;
  if (!FindMember(command, what, &value)) return Status::Ok();
  JsonObject object;
  if (value.get(object)) {
    if (what != "attributes") return Refused(what, value, "an object");
    OTLP_ASSIGN_OR_RETURN(const auto names, ReadTexts(value, what));
    for (const auto& name : names) OTLP_RETURN_NOT_OK(AddEntry(name, {name, std::nullopt, {}, ValueType::kString}, what, entries));
    return Status::Ok();
  }
  for (const auto member : object) {
    const std::string name(member.key);
    OTLP_ASSIGN_OR_RETURN(auto source, ReadSource(member.value, what + "." + name, text_is_column));
    OTLP_RETURN_NOT_OK(AddEntry(name, std::move(source), what, entries));
  }
  return Status::Ok();
}

Status ReadOthers(const JsonObject& command, ColumnMapping::Others* others) {
  JsonValue value;
  if (!FindMember(command, "other_columns", &value)) return Status::Ok();
  OTLP_ASSIGN_OR_RETURN(const std::string text, ReadText(value, "other_columns"));
  if (text == "ignore") {
    *others = ColumnMapping::Others::kIgnore;
  } else if (text == "attributes") {
    *others = ColumnMapping::Others::kAttributes;
  } else if (text == "refuse") {
    *others = ColumnMapping::Others::kRefuse;
  } else {
    return Refused("other_columns", value, R"("ignore", "attributes" or "refuse")");
  }
  return Status::Ok();
}

Result<bool> ReadAcknowledge(const JsonObject& command) {
  JsonValue value;
  if (!FindMember(command, "acknowledge", &value)) return true;
  OTLP_ASSIGN_OR_RETURN(const std::string text, ReadText(value, "acknowledge"));
  if (text != "batch" && text != "end") return Refused("acknowledge", value, R"("batch" or "end")");
  return text == "batch";
}

}  // namespace

Result<PutCommand> ParsePutCommand(std::string_view text) {
  constexpr std::string_view kMapping[] = {"columns", "attributes", "resource_attributes", "scope_attributes", "other_columns"};
  OTLP_ASSIGN_OR_RETURN(const CommandJson json, CommandJson::Parse(text));
  const JsonObject& object = json.object();
  OTLP_RETURN_NOT_OK(CheckMembers(object, "a command that puts",
                                  {"signal", "acknowledge", "columns", "attributes", "resource_attributes", "scope_attributes", "other_columns"}));
  PutCommand command;
  OTLP_ASSIGN_OR_RETURN(command.signal, ReadSignal(object));
  OTLP_ASSIGN_OR_RETURN(command.acknowledge_each, ReadAcknowledge(object));
  JsonValue ignored;
  if (std::none_of(std::begin(kMapping), std::end(kMapping), [&](auto name) { return FindMember(object, name, &ignored) != nullptr; })) {
    return command;
  }
  ColumnMapping& mapping = command.mapping.emplace();
  OTLP_RETURN_NOT_OK(ReadEntries(object, "columns", true, &mapping.columns));
  OTLP_RETURN_NOT_OK(ReadEntries(object, "attributes", true, &mapping.attributes));
  OTLP_RETURN_NOT_OK(ReadEntries(object, "resource_attributes", false, &mapping.resource_attributes));
  OTLP_RETURN_NOT_OK(ReadEntries(object, "scope_attributes", false, &mapping.scope_attributes));
  OTLP_RETURN_NOT_OK(ReadOthers(object, &mapping.others));
  return command;
}

}  // namespace otlp_arrow
