#include "server/flight/flight_actions.h"

#include <chrono>
#include <string_view>

#include <arrow/buffer.h>
#include <arrow/ipc/writer.h>

#include "base/json_writer.h"
#include "query/command_json.h"
#include "server/flight/flight_commands.h"
#include "server/flight/flight_status.h"

namespace otlp_arrow {
namespace {

using BufferResult = arrow::Result<std::shared_ptr<arrow::Buffer>>;

constexpr int64_t kDefaultFlushSecs = 30;
constexpr int64_t kMaxFlushSecs = 3600;

Result<std::chrono::seconds> FlushTimeout(std::string_view body) {
  if (body.empty()) return std::chrono::seconds(kDefaultFlushSecs);
  OTLP_ASSIGN_OR_RETURN(const CommandJson json, CommandJson::Parse(body));
  OTLP_RETURN_NOT_OK(CheckMembers(json.object(), "the action flush", {"timeout_secs"}));
  JsonValue value;
  int64_t seconds = kDefaultFlushSecs;
  if (FindMember(json.object(), "timeout_secs", &value) && (value.get(seconds) || seconds < 1 || seconds > kMaxFlushSecs)) {
    return Refused("timeout_secs", value, "1 to " + std::to_string(kMaxFlushSecs));
  }
  return std::chrono::seconds(seconds);
}

void WriteDestination(const DestinationStats& destination, JsonWriter* out) {
  out->BeginObject().Key("name").Text(destination.name).Key("endpoint").Text(destination.endpoint);
  out->Key("protocol").Text(destination.protocol).Key("breaker").Text(destination.breaker);
  out->Key("backlog_bytes").Number(static_cast<int64_t>(destination.backlog_bytes)).Key("in_flight").Number(destination.in_flight);
  for (const Signal signal : kAllSignals) {
    const auto& counts = destination.signals[static_cast<size_t>(signal)];
    int64_t given_up = 0;
    for (const int64_t items : counts.given_up) given_up += items;
    out->Key(SignalName(signal)).BeginObject().Key("accepted").Number(counts.accepted).Key("sent").Number(counts.sent);
    out->Key("rejected").Number(counts.rejected).Key("given_up").Number(given_up).Key("backlog").Number(counts.backlog).EndObject();
  }
  out->EndObject();
}

}  // namespace

std::vector<arrow::flight::ActionType> FlightActions::List() {
  return {{"flush", R"(Returns when all that was accepted before is in readable files; body: empty or {"timeout_secs":30})"},
          {"health", R"(Whether data is taken: {"ready":true})"},
          {"schema", R"(The schema of a table as an Arrow IPC message; body: traces, metrics or logs, or a command that reads)"},
          {"stats", "Counts of items, destinations and streams, as JSON; body: empty"}};
}

BufferResult FlightActions::Run(const arrow::flight::Action& action) const {
  const std::string_view body = action.body ? std::string_view(*action.body) : std::string_view();
  if (action.type == "flush") return Flush(body);
  if (action.type == "health") return arrow::Buffer::FromString(Health());
  if (action.type == "schema") return Schema(body);
  if (action.type == "stats") return arrow::Buffer::FromString(Stats());
  return arrow::Status::NotImplemented("there is no action '" + action.type.substr(0, 60) + "'; there are flush, health, schema, stats");
}

BufferResult FlightActions::Flush(std::string_view body) const {
  const auto timeout = FlushTimeout(body);
  if (!timeout.ok()) return ToFlightStatus(timeout.status());
  const Status flushed = pipeline_->Flush(*timeout);
  if (!flushed.ok()) return ToFlightStatus(flushed);
  return arrow::Buffer::FromString(R"({"flushed":true})");
}

BufferResult FlightActions::Schema(std::string_view body) const {
  auto command = ReadCommandOfTicket(body);
  if (!command.ok()) return ToFlightStatus(command.status());
  command->options.include_journal = false;
  const auto plan = planner_->Plan(command->signal, command->options);
  if (!plan.ok()) return ToFlightStatus(plan.status());
  return arrow::ipc::SerializeSchema(*plan->schema);
}

std::string FlightActions::Stats() const {
  JsonWriter out;
  out.BeginObject().Key("ledger").Raw(pipeline_->GetLedger().ToJson()).Key("destinations").BeginArray();
  for (const auto& destination : pipeline_->ForwardingStats()) WriteDestination(destination, &out);
  out.EndArray().Key("queued_bytes").Number(static_cast<int64_t>(pipeline_->QueuedBytes()));
  out.Key("flight").BeginObject().Key("gets").Number(counters_->gets).Key("puts").Number(counters_->puts);
  out.Key("open_streams").Number(streams_->open()).Key("refused_streams").Number(counters_->refused_streams);
  out.Key("bytes_sent").Number(counters_->bytes_sent).EndObject();
  return out.EndObject().json();
}

std::string FlightActions::Health() const {
  std::string why;
  const bool ready = pipeline_->Ready(&why);
  JsonWriter out;
  out.BeginObject().Key("ready").Bool(ready);
  if (!ready) out.Key("why").Text(why);
  return out.EndObject().json();
}

}  // namespace otlp_arrow
