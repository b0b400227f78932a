#include "server/flight/bearer_auth.h"

#include <optional>
#include <string>
#include <string_view>

#include <arrow/flight/server.h>
#include <arrow/flight/types.h>

namespace otlp_arrow {

arrow::Status BearerAuth::StartCall(const arrow::flight::CallInfo&, const arrow::flight::ServerCallContext& context,
                                    std::shared_ptr<arrow::flight::ServerMiddleware>*) {
  const auto header_of = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto header = context.incoming_headers().find(name);
    if (header == context.incoming_headers().end()) return std::nullopt;
    return header->second;
  };
  if (authenticator_->Admits(header_of)) return arrow::Status::OK();
  const std::string message = header_of("authorization") ? "the credentials are wrong; " : "";
  return arrow::flight::MakeFlightError(arrow::flight::FlightStatusCode::Unauthenticated, message + authenticator_->hint());
}

}  // namespace otlp_arrow
