#include "otlp_arrow/forwarding.h"

#include <algorithm>

#include "base/config_limits.h"
#include "base/endpoint.h"

namespace otlp_arrow {
namespace {

std::optional<OtlpProtocol> ProtocolOf(const ForwardingConfig& config) {
  return config.protocol.empty() ? std::nullopt : ProtocolFromName(config.protocol);
}

Status Refuse(const std::string& key, const std::string& what) { return Status::Config("forwarding." + key + ": " + what); }

Status CheckSignals(const std::vector<Signal>& signals) {
  if (signals.empty()) return Refuse("signals", "the list is empty; allowed are traces, metrics, logs (to send nothing, set enabled to false)");
  for (size_t i = 0; i < signals.size(); ++i) {
    if (static_cast<size_t>(signals[i]) >= kSignalCount) return Refuse("signals", "an entry is no signal; allowed are traces, metrics, logs");
    if (std::find(signals.begin(), signals.begin() + static_cast<ptrdiff_t>(i), signals[i]) != signals.begin() + static_cast<ptrdiff_t>(i)) {
      return Refuse("signals", "'" + std::string(SignalName(signals[i])) + "' stands there twice; remove one");
    }
  }
  return Status::Ok();
}

// What each protocol has.
Status CheckCompression(const std::string& compression, OtlpProtocol protocol) {
  OTLP_RETURN_NOT_OK(limits::CheckForwardCompression("forwarding.compression", compression));
  if (HasCompression(protocol, compression)) return Status::Ok();
  return Refuse("compression", "'" + compression + "' is not for the protocol " + std::string(ProtocolName(protocol)) + "; allowed are " +
                                   std::string(CompressionNames(protocol)));
}

std::string Lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

bool HasHeader(const ForwardingConfig& config, const std::string& name) {
  return std::any_of(config.headers.begin(), config.headers.end(), [&](const auto& header) { return Lower(header.first) == Lower(name); });
}

// One way to prove who we are for each header.
Status CheckCredentials(const ForwardingConfig& c) {
  for (const auto& [name, value] : c.headers) OTLP_RETURN_NOT_OK(limits::CheckHeader("forwarding.headers", name, value));
  OTLP_RETURN_NOT_OK(limits::CheckSecret("forwarding.bearer_token", c.bearer_token));
  OTLP_RETURN_NOT_OK(limits::CheckSecret("forwarding.username", c.username));
  OTLP_RETURN_NOT_OK(limits::CheckSecret("forwarding.password", c.password));
  OTLP_RETURN_NOT_OK(limits::CheckSecret("forwarding.api_key", c.api_key));
  const bool basic = !c.username.empty();
  if (!basic && !c.password.empty()) return Refuse("username", "it is empty, but there is a password; give both or neither");
  if (c.username.find("${") == std::string::npos && c.username.find(':') != std::string::npos) return Refuse("username", "it has a colon, which basic authentication does not allow; remove it");
  if (basic && !c.bearer_token.empty()) return Refuse("bearer_token", "there is a username too, and both go into the header authorization; remove one");
  if ((basic || !c.bearer_token.empty()) && HasHeader(c, "authorization")) {
    return Refuse("headers", std::string("'authorization' is also what ") + (basic ? "username" : "bearer_token") + " is sent in; remove one");
  }
  if (c.api_key.empty()) return Status::Ok();
  OTLP_RETURN_NOT_OK(limits::CheckHeaderName("forwarding.api_key_header", c.api_key_header));
  if (HasHeader(c, c.api_key_header)) return Refuse("headers", "'" + c.api_key_header + "' is also what api_key is sent in; remove one");
  return Status::Ok();
}

Status CheckTls(const ClientTlsConfig& tls, const Endpoint& endpoint) {
  const std::pair<const char*, const std::string*> fields[] = {
      {"tls.ca_file", &tls.ca_file}, {"tls.cert_file", &tls.cert_file}, {"tls.key_file", &tls.key_file}, {"tls.server_name", &tls.server_name}};
  for (const auto& [key, value] : fields) {
    if (value->find('\0') != std::string::npos) return Refuse(key, "the text holds a NUL byte; remove it");
    if (endpoint.tls || value->empty()) continue;
    return Refuse(key, "'" + *value + "' means nothing without TLS, which " + endpoint.ToString() + " does not use; write https://" + endpoint.Authority());
  }
  if (tls.cert_file.empty() == tls.key_file.empty()) return Status::Ok();
  return Refuse(tls.cert_file.empty() ? "tls.cert_file" : "tls.key_file", "it is empty; a certificate and its key are given together");
}

Status CheckSending(const ForwardingConfig& c) {
  using namespace limits;  // NOLINT: constants of one table
  OTLP_RETURN_NOT_OK(CheckRange("forwarding.batch_bytes", c.batch_bytes, kForwardBatchBytes));
  OTLP_RETURN_NOT_OK(CheckRange("forwarding.batch_delay_ms", c.batch_delay_ms, kForwardBatchDelayMs));
  OTLP_RETURN_NOT_OK(CheckRange("forwarding.max_in_flight", c.max_in_flight, kForwardInFlight));
  OTLP_RETURN_NOT_OK(CheckRange("forwarding.timeout_ms", c.timeout_ms, kForwardTimeoutMs));
  OTLP_RETURN_NOT_OK(CheckRange("forwarding.retry_initial_ms", c.retry_initial_ms, kForwardRetryMs));
  OTLP_RETURN_NOT_OK(CheckRange("forwarding.retry_max_ms", c.retry_max_ms, kForwardRetryMs));
  if (c.retry_max_ms < c.retry_initial_ms) {
    return Refuse("retry_max_ms", std::to_string(c.retry_max_ms) + " is less than retry_initial_ms, " + std::to_string(c.retry_initial_ms) +
                                      "; allowed are that and more");
  }
  OTLP_RETURN_NOT_OK(CheckRange("forwarding.max_retry_secs", c.max_retry_secs, kForwardMaxRetrySecs));
  OTLP_RETURN_NOT_OK(CheckRange("forwarding.breaker_failures", c.breaker_failures, kBreakerFailures));
  return CheckRange("forwarding.breaker_open_ms", c.breaker_open_ms, kForwardRetryMs);
}

}  // namespace

std::string_view GiveUpReasonName(GiveUpReason reason) {
  switch (reason) {
    case GiveUpReason::kBacklogFull: return "backlog_full";
    case GiveUpReason::kRefused: return "refused";
    case GiveUpReason::kTooLarge: return "too_large";
    case GiveUpReason::kTimeout: return "timeout";
    case GiveUpReason::kDamaged: return "damaged";
  }
  return "";
}

std::string ForwardingConfig::DisplayName() const {
  if (!name.empty()) return name;
  const auto parsed = ParseEndpoint(endpoint, ProtocolOf(*this));
  return parsed.ok() ? std::string(ProtocolName(parsed->protocol)) + "-" + parsed->Authority() + parsed->path : "";
}

bool ForwardingConfig::Takes(Signal signal) const { return std::find(signals.begin(), signals.end(), signal) != signals.end(); }

Status ForwardingConfig::Validate() const {
  OTLP_RETURN_NOT_OK(limits::CheckDestinationName("forwarding.name", name));
  OTLP_RETURN_NOT_OK(limits::CheckProtocol("forwarding.protocol", protocol));
  if (endpoint.empty()) return Refuse("endpoint", "it is missing; give a URL, such as http://collector:4317");
  const auto parsed = ParseEndpoint(endpoint, ProtocolOf(*this));
  if (!parsed.ok()) return Refuse("endpoint", parsed.status().message());
  if (!limits::CheckDestinationName("", DisplayName()).ok()) {
    return Refuse("name", "it is empty, and the endpoint makes '" + DisplayName() + "' of it; give a name of at most " +
                              std::to_string(limits::kMaxDestinationNameBytes) + " characters without blanks");
  }
  OTLP_RETURN_NOT_OK(CheckSignals(signals));
  OTLP_RETURN_NOT_OK(CheckCompression(compression, parsed->protocol));
  OTLP_RETURN_NOT_OK(CheckCredentials(*this));
  OTLP_RETURN_NOT_OK(CheckTls(tls, *parsed));
  return CheckSending(*this);
}

}  // namespace otlp_arrow
