#include "server/flight/flight_status.h"

#include <utility>

#include <arrow/flight/types.h>

namespace otlp_arrow {
namespace {

constexpr size_t kMaxMessage = 1024;  // clients cap metadata at 8 kB

std::string Cut(std::string message) {
  if (message.size() <= kMaxMessage) return message;
  size_t end = kMaxMessage;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0) == 0x80) --end;
  return message.substr(0, end) + "…";
}

}  // namespace

arrow::Status ToFlightStatus(const Status& status) {
  const std::string message = Cut(status.message());
  if (status.ok()) return arrow::Status::OK();
  if (status.retryable() || status.code() == StatusCode::kShutdown) return FlightUnavailable(message);
  if (status.code() == StatusCode::kConfig || status.code() == StatusCode::kExport) return arrow::Status::Invalid(message);
  return arrow::flight::MakeFlightError(arrow::flight::FlightStatusCode::Internal, message);
}

arrow::Status FlightUnavailable(const std::string& message) {
  return arrow::flight::MakeFlightError(arrow::flight::FlightStatusCode::Unavailable, Cut(message));
}

}  // namespace otlp_arrow
