// Whether a call may be served, from its metadata alone.
#pragma once

#include <memory>
#include <mutex>

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include "server/common/authenticator.h"

namespace otlp_arrow {

// Thread-safe.
class CallGate {
 public:
  explicit CallGate(std::shared_ptr<Authenticator> authenticator) : authenticator_(std::move(authenticator)) {}

  // Null: anyone may call.
  void Use(std::shared_ptr<Authenticator> authenticator);
  // OK, or UNAUTHENTICATED with what is to be sent instead.
  grpc::Status Check(const grpc::ServerContext& context) const;
  bool is_open() const { return !current(); }

 private:
  std::shared_ptr<Authenticator> current() const {
    std::lock_guard lock(mutex_);
    return authenticator_;
  }

  mutable std::mutex mutex_;
  std::shared_ptr<Authenticator> authenticator_;
};

}  // namespace otlp_arrow
