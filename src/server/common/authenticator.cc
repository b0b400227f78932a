#include "server/common/authenticator.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "base/secret_text.h"

namespace otlp_arrow {
namespace {

constexpr std::string_view kScheme = "bearer ";
// A secret that was withdrawn is good for this long at most.
constexpr std::chrono::seconds kLookUpEvery{5};
// Guesses must not make the server read the files of its secrets all the time.
constexpr std::chrono::seconds kLookUpForGuesses{1};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string LowerText(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), Lower);
  return text;
}

// What stands behind "Bearer "; nothing where the header is of another scheme.
std::string_view TokenOf(std::string_view header) {
  if (header.size() < kScheme.size()) return {};
  for (size_t i = 0; i < kScheme.size(); ++i) {
    if (Lower(header[i]) != kScheme[i]) return {};
  }
  header.remove_prefix(kScheme.size());
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

}  // namespace

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i] ^ (b.empty() ? 0 : b[i % b.size()]));
  }
  return difference == 0;
}

Result<std::shared_ptr<Authenticator>> Authenticator::Make(const AuthConfig& config,
                                                           const std::vector<std::pair<std::string, std::string>>& more_tokens,
                                                           std::shared_ptr<Clock> clock) {
  auto made = std::make_shared<Authenticator>();
  made->clock_ = clock ? std::move(clock) : Clock::System();
  for (const std::string& token : config.bearer_tokens) made->tokens_.push_back({"auth.bearer_tokens", token, {}});
  for (const auto& [key, token] : more_tokens) {
    if (!token.empty()) made->tokens_.push_back({key, token, {}});
  }
  for (const auto& [name, value] : config.headers) made->headers_.emplace_back(LowerText(name), Secret{"auth.headers." + name, value, {}});
  if (made->tokens_.empty() && made->headers_.empty()) return std::shared_ptr<Authenticator>();
  OTLP_RETURN_NOT_OK(made->LookUp());
  std::string names;
  for (const auto& [name, secret] : made->headers_) names += (names.empty() ? "" : ", ") + name;
  made->hint_ = "this server wants credentials: send ";
  if (!made->tokens_.empty()) made->hint_ += "the header 'authorization: Bearer TOKEN'";
  if (!made->tokens_.empty() && !names.empty()) made->hint_ += ", or ";
  if (!names.empty()) made->hint_ += "the headers that it is configured with (" + names + ")";
  return made;
}

Status Authenticator::LookUp() {
  const auto resolve = [](const Secret& secret) -> Result<std::string> {
    OTLP_ASSIGN_OR_RETURN(std::string value, ResolveSecret(secret.key, secret.configured));
    if (value.empty()) return Status::Config(secret.key + " refers to an empty text; give a secret, or leave the entry out");
    return value;
  };
  std::vector<std::string> tokens, headers;
  for (const Secret& secret : tokens_) {
    OTLP_ASSIGN_OR_RETURN(tokens.emplace_back(), resolve(secret));
  }
  for (const auto& [name, secret] : headers_) {
    OTLP_ASSIGN_OR_RETURN(headers.emplace_back(), resolve(secret));
  }
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < tokens.size(); ++i) tokens_[i].value = std::move(tokens[i]);
  for (size_t i = 0; i < headers.size(); ++i) headers_[i].second.value = std::move(headers[i]);
  looked_up_ = clock_->SteadyNow();
  return Status::Ok();
}

void Authenticator::LookUpAgain(std::chrono::seconds age) {
  {
    std::lock_guard lock(mutex_);
    const auto now = clock_->SteadyNow();
    if (now - looked_up_ < age) return;
    looked_up_ = now;
  }
  const Status found = LookUp();
  std::lock_guard lock(mutex_);
  if (!found.ok() && found.message() != last_error_) spdlog::warn("{}; the secrets that were found last stay in use", found.message());
  last_error_ = found.message();
}

bool Authenticator::Admits(const HeaderOf& header_of) {
  LookUpAgain(kLookUpEvery);
  {
    std::lock_guard lock(mutex_);
    if (Matches(header_of)) return true;
  }
  LookUpAgain(kLookUpForGuesses);
  std::lock_guard lock(mutex_);
  return Matches(header_of);
}

bool Authenticator::Matches(const HeaderOf& header_of) const {
  bool has_token = false;
  if (const auto given = header_of("authorization"); given && !tokens_.empty()) {
    for (const Secret& token : tokens_) has_token |= EqualInConstantTime(TokenOf(*given), token.value);
  }
  bool has_headers = !headers_.empty();
  for (const auto& [name, secret] : headers_) {
    has_headers &= EqualInConstantTime(header_of(name).value_or(std::string_view()), secret.value);
  }
  return has_token || has_headers;
}

}  // namespace otlp_arrow
