#include "server/flight/bearer_auth.h"

#include <chrono>
#include <mutex>
#include <string_view>
#include <utility>

#include <arrow/flight/server.h>
#include <arrow/flight/types.h>

#include "base/secret_text.h"

namespace otlp_arrow {
namespace {

constexpr std::string_view kKey = "flight.bearer_token";
constexpr std::string_view kScheme = "bearer ";
// Guesses must not make the server read its token's file all the time.
constexpr std::chrono::seconds kLookUpEvery{1};

arrow::Status Refuse(const std::string& message) {
  return arrow::flight::MakeFlightError(arrow::flight::FlightStatusCode::Unauthenticated, message);
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// What stands behind "Bearer "; nothing where the header is of another scheme.
std::string_view TokenOf(std::string_view header) {
  if (header.size() < kScheme.size()) return {};
  for (size_t i = 0; i < kScheme.size(); ++i) {
    if (Lower(header[i]) != kScheme[i]) return {};
  }
  return header.substr(kScheme.size());
}

}  // namespace

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i] ^ (b.empty() ? 0 : b[i % b.size()]));
  }
  return difference == 0;
}

class BearerAuth::Token {
 public:
  explicit Token(std::string configured) : configured_(std::move(configured)) {}

  Status LookUp() {
    OTLP_ASSIGN_OR_RETURN(auto token, ResolveSecret(kKey, configured_));
    if (token.empty()) return Status::Config(std::string(kKey) + " refers to an empty text; give a token, or leave the key out");
    std::lock_guard lock(mutex_);
    token_ = std::move(token);
    looked_up_ = std::chrono::steady_clock::now();
    return Status::Ok();
  }

  bool Matches(std::string_view given) {
    if (Equals(given)) return true;
    {
      std::lock_guard lock(mutex_);
      const auto now = std::chrono::steady_clock::now();
      if (now - looked_up_ < kLookUpEvery) return false;
      looked_up_ = now;
    }
    return LookUp().ok() && Equals(given);  // while it cannot be looked up the last one holds
  }

 private:
  bool Equals(std::string_view given) const {
    std::lock_guard lock(mutex_);
    return EqualInConstantTime(given, token_);
  }

  const std::string configured_;
  mutable std::mutex mutex_;
  std::string token_;
  std::chrono::steady_clock::time_point looked_up_;
};

BearerAuth::BearerAuth(std::unique_ptr<Token> token) : token_(std::move(token)) {}
BearerAuth::~BearerAuth() = default;

Result<std::shared_ptr<BearerAuth>> BearerAuth::Make(std::string configured) {
  auto token = std::make_unique<Token>(std::move(configured));
  OTLP_RETURN_NOT_OK(token->LookUp());
  return std::shared_ptr<BearerAuth>(new BearerAuth(std::move(token)));
}

arrow::Status BearerAuth::StartCall(const arrow::flight::CallInfo&, const arrow::flight::ServerCallContext& context,
                                    std::shared_ptr<arrow::flight::ServerMiddleware>*) {
  const auto [begin, end] = context.incoming_headers().equal_range("authorization");
  if (begin == end) return Refuse("this server wants a token: send the header 'authorization: Bearer TOKEN'");
  for (auto header = begin; header != end; ++header) {
    if (token_->Matches(TokenOf(header->second))) return arrow::Status::OK();
  }
  return Refuse("the bearer token is wrong");
}

}  // namespace otlp_arrow
