#include "server/flight/call_guard.h"

#include <optional>
#include <string>
#include <string_view>

#include <arrow/flight/server.h>
#include <arrow/flight/types.h>

#include "server/flight/flight_status.h"

namespace otlp_arrow {
namespace {

// A call that counts until it has ended.
class OpenCall final : public arrow::flight::ServerMiddleware {
 public:
  explicit OpenCall(std::unique_ptr<StreamLimit::Open> open) : open_(std::move(open)) {}

  std::string name() const override { return "OpenCall"; }
  void SendingHeaders(arrow::flight::AddCallHeaders*) override {}
  void CallCompleted(const arrow::Status&) override { open_.reset(); }

 private:
  std::unique_ptr<StreamLimit::Open> open_;
};

}  // namespace

void CallGuard::Use(std::shared_ptr<Authenticator> authenticator) {
  std::lock_guard lock(mutex_);
  authenticator_ = std::move(authenticator);
}

arrow::Status CallGuard::Authenticate(const arrow::flight::ServerCallContext& context) {
  std::unique_lock lock(mutex_);
  const auto authenticator = authenticator_;
  lock.unlock();
  if (!authenticator) return arrow::Status::OK();
  const auto header_of = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto header = context.incoming_headers().find(name);
    if (header == context.incoming_headers().end()) return std::nullopt;
    return header->second;
  };
  if (authenticator->Admits(header_of)) return arrow::Status::OK();
  ++counters_->unauthenticated;
  const std::string message = header_of("authorization") ? "the credentials are wrong; " : "";
  return arrow::flight::MakeFlightError(arrow::flight::FlightStatusCode::Unauthenticated, message + authenticator->hint());
}

arrow::Status CallGuard::StartCall(const arrow::flight::CallInfo&, const arrow::flight::ServerCallContext& context,
                                   std::shared_ptr<arrow::flight::ServerMiddleware>* middleware) {
  ARROW_RETURN_NOT_OK(Authenticate(context));
  auto open = calls_.TryOpen();
  if (!open) {
    ++counters_->refused_calls;
    return FlightUnavailable("there are " + std::to_string(calls_.most()) + " calls already, twice as many as flight.max_streams; try again later");
  }
  *middleware = std::make_shared<OpenCall>(std::move(open));
  return arrow::Status::OK();
}

}  // namespace otlp_arrow
