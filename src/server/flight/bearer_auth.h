// Calls without the right bearer token are refused before anything of them is read.
#pragma once

#include <memory>
#include <string>

#include <arrow/flight/server_middleware.h>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

class BearerAuth final : public arrow::flight::ServerMiddlewareFactory {
 public:
  // `configured` may hold references (base/secret_text.h): looked up now, and again when a call brings another token, so that it can be
  // replaced at run time. Errors: kConfig.
  static Result<std::shared_ptr<BearerAuth>> Make(std::string configured);
  ~BearerAuth() override;

  arrow::Status StartCall(const arrow::flight::CallInfo& info, const arrow::flight::ServerCallContext& context,
                          std::shared_ptr<arrow::flight::ServerMiddleware>* middleware) override;

 private:
  class Token;
  explicit BearerAuth(std::unique_ptr<Token> token);

  std::unique_ptr<Token> token_;
};

// In a time that depends on the lengths alone.
bool EqualInConstantTime(std::string_view a, std::string_view b);

}  // namespace otlp_arrow
