// Calls without the right credentials are refused before anything of them is read.
#pragma once

#include <memory>
#include <utility>

#include <arrow/flight/server_middleware.h>

#include "server/common/authenticator.h"

namespace otlp_arrow {

class BearerAuth final : public arrow::flight::ServerMiddlewareFactory {
 public:
  explicit BearerAuth(std::shared_ptr<Authenticator> authenticator) : authenticator_(std::move(authenticator)) {}

  arrow::Status StartCall(const arrow::flight::CallInfo& info, const arrow::flight::ServerCallContext& context,
                          std::shared_ptr<arrow::flight::ServerMiddleware>* middleware) override;

 private:
  const std::shared_ptr<Authenticator> authenticator_;
};

}  // namespace otlp_arrow
