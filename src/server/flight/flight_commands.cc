#include "server/flight/flight_commands.h"

#include <optional>

#include "server/flight/flight_status.h"

namespace otlp_arrow {
namespace {

using arrow::flight::FlightDescriptor;

constexpr const char* kThereIs =
    R"(this server has the paths [traces], [metrics] and [logs], and commands in JSON like {"signal":"traces"})";

bool LooksLikeJson(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != text.npos && text[first] == '{';
}

arrow::Result<Signal> SignalOfPath(const FlightDescriptor& descriptor) {
  if (descriptor.path.size() == 1) {
    if (const auto signal = SignalFromName(descriptor.path.front())) return *signal;
  }
  std::string path;
  for (const auto& part : descriptor.path) path += (path.empty() ? "" : ", ") + part.substr(0, 60);
  return arrow::Status::KeyError("there is no path [" + path.substr(0, 200) + "]; " + kThereIs);
}

// The signal where the descriptor is a path; nothing where it is a command in JSON.
arrow::Result<std::optional<Signal>> PathOrJson(const FlightDescriptor& descriptor) {
  if (descriptor.type == FlightDescriptor::PATH) return SignalOfPath(descriptor);
  if (descriptor.type != FlightDescriptor::CMD) return arrow::Status::Invalid("the descriptor is neither path nor command; " + std::string(kThereIs));
  if (!LooksLikeJson(descriptor.cmd)) return arrow::Status::NotImplemented("the command is no JSON, and no other protocol is served; " + std::string(kThereIs));
  return std::nullopt;
}

}  // namespace

Result<ReadCommand> ReadCommandOfTicket(std::string_view ticket) {
  if (const auto signal = SignalFromName(ticket)) {
    ReadCommand command;
    command.signal = *signal;
    return command;
  }
  return ParseReadCommand(ticket);
}

arrow::Result<ReadCommand> ReadCommandOf(const FlightDescriptor& descriptor) {
  ARROW_ASSIGN_OR_RAISE(const auto signal, PathOrJson(descriptor));
  auto command = signal ? ReadCommandOfTicket(SignalName(*signal)) : ParseReadCommand(descriptor.cmd);
  if (!command.ok()) return ToFlightStatus(command.status());
  return *std::move(command);
}

arrow::Result<PutCommand> PutCommandOf(const FlightDescriptor& descriptor) {
  ARROW_ASSIGN_OR_RAISE(const auto signal, PathOrJson(descriptor));
  if (signal) {
    PutCommand command;
    command.signal = *signal;
    return command;
  }
  auto command = ParsePutCommand(descriptor.cmd);
  if (!command.ok()) return ToFlightStatus(command.status());
  return *std::move(command);
}

}  // namespace otlp_arrow
