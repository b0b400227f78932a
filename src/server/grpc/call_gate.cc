#include "server/grpc/call_gate.h"

#include <optional>
#include <string_view>
#include <utility>

#include "server/grpc/grpc_status.h"

namespace otlp_arrow {

void CallGate::Use(std::shared_ptr<Authenticator> authenticator) {
  std::lock_guard lock(mutex_);
  authenticator_ = std::move(authenticator);
}

grpc::Status CallGate::Check(const grpc::ServerContext& context) const {
  const auto authenticator = current();
  if (!authenticator) return grpc::Status::OK;
  const auto& metadata = context.client_metadata();
  const auto header_of = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto header = metadata.find(grpc::string_ref(name.data(), name.size()));
    if (header == metadata.end()) return std::nullopt;
    return std::string_view(header->second.data(), header->second.size());
  };
  if (authenticator->Admits(header_of)) return grpc::Status::OK;
  return UnauthenticatedStatus(authenticator->hint());
}

}  // namespace otlp_arrow
