// Who may call a server: the one judge for gRPC, HTTP and Flight. docs/security-model.md
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Thread-safe.
class Authenticator {
 public:
  // The value of a call's header, by its lower-case name; nullopt where it has none.
  using HeaderOf = std::function<std::optional<std::string_view>(std::string_view name)>;

  // Null where nothing is configured, so that anyone may call. Secrets are looked up now; again every few seconds, so that one that is
  // withdrawn counts no longer; and when a call brings others, so that a new one counts at once. `more_tokens`: of this server alone, each
  // with its key. `clock` null: the machine's. Errors: kConfig, naming the key.
  static Result<std::shared_ptr<Authenticator>> Make(const AuthConfig& config, const std::vector<std::pair<std::string, std::string>>& more_tokens = {},
                                                     std::shared_ptr<Clock> clock = nullptr);

  // May a call with these headers be served? Takes a time that depends on the lengths of secrets and headers alone.
  bool Admits(const HeaderOf& header_of);

  // What a caller who is not admitted is told: which header to send, nothing of secrets.
  const std::string& hint() const { return hint_; }

 private:
  struct Secret {
    std::string key;         // of the configuration
    std::string configured;  // with references
    std::string value;
  };

  Status LookUp();
  // Where the last time is longer ago than `age`. Logs once what cannot be looked up.
  void LookUpAgain(std::chrono::seconds age);
  bool Matches(const HeaderOf& header_of) const;

  std::vector<Secret> tokens_;
  std::vector<std::pair<std::string, Secret>> headers_;  // by lower-case name
  std::string hint_;
  mutable std::mutex mutex_;                             // of the values
  std::chrono::steady_clock::time_point looked_up_;
  std::string last_error_;
  std::shared_ptr<Clock> clock_;
};

// In a time that depends on the lengths alone.
bool EqualInConstantTime(std::string_view a, std::string_view b);

}  // namespace otlp_arrow
