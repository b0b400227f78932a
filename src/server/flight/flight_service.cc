#include "server/flight/flight_service.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/flight/types.h>

#include "server/flight/flight_commands.h"
#include "server/flight/flight_status.h"
#include "server/flight/get_stream.h"
#include "server/flight/put_stream.h"

namespace otlp_arrow {
namespace {

namespace flight = arrow::flight;

// Counting rows reads the headers of every file.
constexpr size_t kMostFilesToCount = 1000;
constexpr int64_t kUnknown = -1;

// Nothing that is thrown may reach gRPC's threads.
template <class Call>
arrow::Status Guarded(const Call& call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return FlightUnavailable("no memory for this call at the moment; try again later");
  } catch (const std::exception& error) {
    return ToFlightStatus(Status::Io(std::string("the call failed: ") + error.what()));
  }
}

PutLimits LimitsOf(const Config& config) {
  PutLimits limits;
  limits.max_batch_bytes = static_cast<int64_t>(config.flight.max_batch_bytes);
  limits.max_request_bytes = static_cast<size_t>(std::min<uint64_t>(limits.max_request_bytes, config.memory_budget / 4));
  return limits;
}

std::vector<PromotedAttribute> PromotedOf(const Config& config) {
  auto promoted = ParsePromotedAttributes(config.promote_attributes);
  return promoted.ok() ? *std::move(promoted) : std::vector<PromotedAttribute>();
}

int64_t BytesOf(const StoreSnapshot& snapshot) {
  int64_t bytes = 0;
  std::error_code gone;
  for (const auto& path : snapshot.files) {
    const auto size = std::filesystem::file_size(path, gone);
    if (!gone) bytes += static_cast<int64_t>(size);
  }
  for (const auto& request : snapshot.requests) bytes += static_cast<int64_t>(request.bytes.size());
  return bytes;
}

}  // namespace

FlightService::FlightService(const Config& config, Pipeline* pipeline)
    : pipeline_(pipeline),
      limits_(LimitsOf(config)),
      promoted_(PromotedOf(config)),
      planner_(config.output_dir),
      streams_(config.flight.max_streams),
      actions_(pipeline, &planner_, &counters_, &streams_) {}

std::string FlightService::MetricsText() const {
  std::string text;
  const auto add = [&](const std::string& name, const char* type, const char* help, int64_t value) {
    text += "# HELP otlp_arrow_flight_" + name + " " + help + "\n# TYPE otlp_arrow_flight_" + name + " " + type + "\n";
    text += "otlp_arrow_flight_" + name + " " + std::to_string(value) + "\n";
  };
  add("gets_total", "counter", "Streams of rows that clients began to read.", counters_.gets);
  add("puts_total", "counter", "Streams of rows that clients began to put.", counters_.puts);
  add("refused_streams_total", "counter", "Streams refused because flight.max_streams were open.", counters_.refused_streams);
  add("refused_calls_total", "counter", "Calls refused because too many were open.", counters_.refused_calls);
  add("unauthenticated_total", "counter", "Calls refused because their credentials were missing or wrong.", counters_.unauthenticated);
  add("sent_bytes_total", "counter", "Bytes of rows and dictionaries handed to clients.", counters_.bytes_sent);
  add("open_streams", "gauge", "Streams open now.", streams_.open());
  return text;
}

arrow::Result<std::unique_ptr<StreamLimit::Open>> FlightService::OpenStream() {
  if (stopping_) return FlightUnavailable("the server is shutting down");
  auto open = streams_.TryOpen();
  if (open) return open;
  ++counters_.refused_streams;
  return FlightUnavailable("there are " + std::to_string(streams_.most()) + " streams already (flight.max_streams); try again later");
}

arrow::Result<flight::FlightInfo> FlightService::InfoOf(const Descriptor& descriptor, const ReadCommand& command) {
  auto plan = planner_.Plan(command.signal, command.options);
  if (!plan.ok()) return ToFlightStatus(plan.status());
  const auto schema = plan->schema;
  const bool is_all = plan->filter.takes_all();
  const int64_t bytes = is_all && command.options.columns.empty() ? BytesOf(plan->snapshot) : kUnknown;
  int64_t rows = kUnknown;
  if (is_all && plan->snapshot.files.size() <= kMostFilesToCount) {
    const auto counted = StoreStream(*std::move(plan)).Count();
    if (counted.ok()) rows = *counted;  // else reading tells what is wrong
  }
  flight::FlightEndpoint endpoint;
  endpoint.ticket.ticket = ReadCommandText(command);
  return flight::FlightInfo::Make(*schema, descriptor, {std::move(endpoint)}, rows, bytes);
}

arrow::Status FlightService::ListFlights(const CallContext&, const flight::Criteria* criteria, std::unique_ptr<flight::FlightListing>* listings) {
  return Guarded([&]() -> arrow::Status {
    const std::string wanted = criteria ? criteria->expression : "";
    if (!wanted.empty() && !SignalFromName(wanted)) {
      return arrow::Status::Invalid("the criteria name no signal; they are empty, traces, metrics or logs");
    }
    std::vector<flight::FlightInfo> infos;
    for (const Signal signal : kAllSignals) {
      const std::string name(SignalName(signal));
      if (!wanted.empty() && wanted != name) continue;
      ReadCommand command;
      command.signal = signal;
      ARROW_ASSIGN_OR_RAISE(auto info, InfoOf(Descriptor::Path({name}), command));
      infos.push_back(std::move(info));
    }
    *listings = std::make_unique<flight::SimpleFlightListing>(std::move(infos));
    return arrow::Status::OK();
  });
}

arrow::Status FlightService::GetFlightInfo(const CallContext&, const Descriptor& request, std::unique_ptr<flight::FlightInfo>* info) {
  return Guarded([&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto command, ReadCommandOf(request));
    ARROW_ASSIGN_OR_RAISE(auto made, InfoOf(request, command));
    *info = std::make_unique<flight::FlightInfo>(std::move(made));
    return arrow::Status::OK();
  });
}

arrow::Status FlightService::GetSchema(const CallContext&, const Descriptor& request, std::unique_ptr<flight::SchemaResult>* schema) {
  return Guarded([&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(auto command, ReadCommandOf(request));
    command.options.include_journal = false;
    const auto plan = planner_.Plan(command.signal, command.options);
    if (!plan.ok()) return ToFlightStatus(plan.status());
    ARROW_ASSIGN_OR_RAISE(*schema, flight::SchemaResult::Make(*plan->schema));
    return arrow::Status::OK();
  });
}

arrow::Status FlightService::DoGet(const CallContext& context, const flight::Ticket& request, std::unique_ptr<flight::FlightDataStream>* stream) {
  return Guarded([&]() -> arrow::Status {
    const auto command = ReadCommandOfTicket(request.ticket);
    if (!command.ok()) return ToFlightStatus(command.status());
    ARROW_ASSIGN_OR_RAISE(auto open, OpenStream());
    auto plan = planner_.Plan(command->signal, command->options);
    if (!plan.ok()) return ToFlightStatus(plan.status());
    ++counters_.gets;
    *stream = std::make_unique<GetStream>(*std::move(plan), command->decompress, &context, std::move(open), &counters_);
    return arrow::Status::OK();
  });
}

arrow::Status FlightService::DoPut(const CallContext& context, std::unique_ptr<flight::FlightMessageReader> reader,
                                   std::unique_ptr<flight::FlightMetadataWriter> writer) {
  return Guarded([&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(auto command, PutCommandOf(reader->descriptor()));
    ARROW_ASSIGN_OR_RAISE(const auto open, OpenStream());
    ARROW_ASSIGN_OR_RAISE(const auto schema, reader->GetSchema());
    const bool acknowledge_each = command.acknowledge_each;
    auto rows = PutRows::Make(std::move(command), schema, promoted_, limits_);
    if (!rows.ok()) return ToFlightStatus(rows.status());
    ++counters_.puts;
    PutStream put({.pipeline = pipeline_, .stopping = &stopping_}, &context, *std::move(rows), acknowledge_each);
    return put.Run(reader.get(), writer.get());
  });
}

arrow::Status FlightService::DoAction(const CallContext&, const flight::Action& action, std::unique_ptr<flight::ResultStream>* result) {
  return Guarded([&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(auto body, actions_.Run(action));
    *result = std::make_unique<flight::SimpleResultStream>(std::vector<flight::Result>{flight::Result{std::move(body)}});
    return arrow::Status::OK();
  });
}

arrow::Status FlightService::ListActions(const CallContext&, std::vector<flight::ActionType>* actions) {
  *actions = FlightActions::List();
  return arrow::Status::OK();
}

}  // namespace otlp_arrow
