#include "library/forwarding_keys.h"

#include <utility>

#include "library/config_keys.h"

namespace otlp_arrow {
namespace {

using Keys = KeyMaker<ForwardingConfig>;
using Texts = std::vector<std::string>;

#define FIELD(member) [](auto& c) -> auto& { return c.member; }

ForwardingKey Signals() {
  ForwardingKey key{"signals", KeyKind::kList, "what is sent there", "traces, metrics, logs", {}, {}};
  key.set = [allowed = key.allowed](ForwardingConfig* to, const Texts& texts) {
    std::vector<Signal> signals;
    for (const std::string& text : texts) {
      const auto signal = SignalFromName(text);
      if (!signal) return key_texts::Refuse("forwarding.signals", text, "is unknown", allowed);
      signals.push_back(*signal);
    }
    to->signals = std::move(signals);
    return Status::Ok();
  };
  key.get = [](const ForwardingConfig& from) {
    Texts texts;
    for (const Signal signal : from.signals) texts.emplace_back(SignalName(signal));
    return texts;
  };
  return key;
}

void AddPlaceKeys(std::vector<ForwardingKey>* keys) {
  keys->push_back(Keys::Text("name", FIELD(name), limits::CheckDestinationName, "1 to 64 characters, no blanks",
                             "what the destination is called in metrics and messages, and on disk while data waits for it; made from protocol and "
                             "endpoint where it is empty"));
  keys->push_back(Keys::Switch("enabled", FIELD(enabled), "whether anything is sent there"));
  keys->push_back(Keys::Text("endpoint", FIELD(endpoint), nullptr, "a URL such as http://collector:4318",
                             "where to; https (grpcs, grpc+tls) means TLS"));
  keys->push_back(Keys::Text("protocol", FIELD(protocol), limits::CheckProtocol, "grpc, http, flight",
                             "OTLP/gRPC, OTLP/HTTP with binary protobuf, or Arrow Flight; where it is empty, port 4318 or a path mean http, "
                             "port 4319 flight, all else grpc"));
  keys->push_back(Signals());
  keys->push_back(Keys::Text("compression", FIELD(compression), limits::CheckForwardCompression, "none, gzip; http also zstd; flight none, lz4, zstd",
                             "of requests"));
}

void AddCredentialKeys(std::vector<ForwardingKey>* keys) {
  keys->push_back(Keys::SecretPairs("headers", FIELD(headers), "sent with each request"));
  keys->push_back(Keys::Secret("bearer_token", FIELD(bearer_token), "sent as `authorization: Bearer …`"));
  keys->push_back(Keys::Text("username", FIELD(username), limits::CheckSecret, "a text; ${env:NAME} and ${file:PATH} are looked up", "with password: sent as `authorization: Basic …`"));
  keys->push_back(Keys::Secret("password", FIELD(password), "see username"));
  keys->push_back(Keys::Secret("api_key", FIELD(api_key), "sent in the header api_key_header"));
  keys->push_back(Keys::Text("api_key_header", FIELD(api_key_header), nullptr, "a header's name", "which header carries api_key"));
  keys->push_back(Keys::Text("tls.ca_file", FIELD(tls.ca_file), nullptr, "a PEM file", "trusted instead of the system's authorities"));
  keys->push_back(Keys::Text("tls.cert_file", FIELD(tls.cert_file), nullptr, "a PEM file",
                             "with tls.key_file: the certificate to show where the server asks for one (mutual TLS)"));
  keys->push_back(Keys::Text("tls.key_file", FIELD(tls.key_file), nullptr, "a PEM file", "the private key of tls.cert_file"));
  keys->push_back(Keys::Text("tls.server_name", FIELD(tls.server_name), nullptr, "a host name",
                             "the name that the server's certificate must bear, where it is not the endpoint's host"));
}

void AddSendingKeys(std::vector<ForwardingKey>* keys) {
  using namespace limits;  // NOLINT: constants of one table
  keys->push_back(Keys::Number("batch_bytes", FIELD(batch_bytes), kForwardBatchBytes, "requests are joined up to this size; a larger one goes alone"));
  keys->push_back(Keys::Number("batch_delay_ms", FIELD(batch_delay_ms), kForwardBatchDelayMs, "how long a request waits for others to join it"));
  keys->push_back(Keys::Number("max_in_flight", FIELD(max_in_flight), kForwardInFlight,
                               "requests under way at a time; with 1 the destination sees each signal strictly in order"));
  keys->push_back(Keys::Number("timeout_ms", FIELD(timeout_ms), kForwardTimeoutMs, "how long one request may take"));
  keys->push_back(Keys::Number("retry_initial_ms", FIELD(retry_initial_ms), kForwardRetryMs,
                               "before the second attempt; doubled for each next one, shortened at random by up to half"));
  keys->push_back(Keys::Number("retry_max_ms", FIELD(retry_max_ms), kForwardRetryMs, "the longest time between two attempts"));
  keys->push_back(Keys::Number("max_retry_secs", FIELD(max_retry_secs), kForwardMaxRetrySecs,
                               "a request that nobody took for so long is given up; 0: never"));
  keys->push_back(Keys::Number("breaker_failures", FIELD(breaker_failures), kBreakerFailures,
                               "failures in a row after which nothing is sent for breaker_open_ms; 0: never"));
  keys->push_back(Keys::Number("breaker_open_ms", FIELD(breaker_open_ms), kForwardRetryMs, "until one request tries again"));
}

#undef FIELD

std::string VariableOf(const std::string& number, const ForwardingKey& key) {
  return EnvironmentNameOf("forwarding_" + number + (number.empty() ? "" : "_") + key.name);
}

// The variables of one destination: (key, variable, value) of those that are set.
struct SetVariable {
  const ForwardingKey* key;
  std::string name, value;
};
std::vector<SetVariable> VariablesOf(const std::string& number, const VariableLookup& variable) {
  std::vector<SetVariable> set;
  for (const ForwardingKey& key : ForwardingKeys()) {
    std::string name = VariableOf(number, key);
    const char* value = variable(name);
    if (value != nullptr && *value != '\0') set.push_back({&key, std::move(name), value});
  }
  return set;
}

Status ApplyTo(size_t number, const std::vector<SetVariable>& variables, const VariableFound& found, Config* config) {
  if (variables.empty()) return Status::Ok();
  if (number > config->forwarding.size()) {
    return Status::Config("environment variable " + variables[0].name + ": there is no destination " + std::to_string(number - 1) +
                          " before it; destinations are numbered from 0 without gaps");
  }
  if (number == config->forwarding.size()) config->forwarding.emplace_back();
  for (const SetVariable& v : variables) {
    OTLP_RETURN_NOT_OK(WithPrefix("environment variable " + v.name, v.key->set(&config->forwarding[number], TextsOf(*v.key, v.value))));
    if (found) found("forwarding." + std::to_string(number) + "." + v.key->name, v.name);
  }
  return Status::Ok();
}

}  // namespace

const std::vector<ForwardingKey>& ForwardingKeys() {
  static const std::vector<ForwardingKey> keys = [] {
    std::vector<ForwardingKey> all;
    AddPlaceKeys(&all);
    AddCredentialKeys(&all);
    AddSendingKeys(&all);
    return all;
  }();
  return keys;
}

const ForwardingKey* FindForwardingKey(std::string_view name) {
  for (const ForwardingKey& key : ForwardingKeys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

Status ApplyForwardingEnvironment(const VariableLookup& variable, const VariableFound& found, Config* config) {
  const auto only = VariablesOf("", variable);
  bool numbered = false;
  for (size_t i = 0; i < limits::kMaxDestinations; ++i) {
    const auto variables = VariablesOf(std::to_string(i), variable);
    if (!variables.empty() && !only.empty()) {
      return Status::Config("environment variable " + only[0].name + " is for the only destination, and " + variables[0].name +
                            " numbers them; give each variable a number");
    }
    numbered = numbered || !variables.empty();
    OTLP_RETURN_NOT_OK(ApplyTo(i, variables, found, config));
  }
  if (numbered || only.empty()) return Status::Ok();
  if (config->forwarding.size() > 1) {
    return Status::Config("environment variable " + only[0].name + " is for the only destination, and the configuration has " +
                          std::to_string(config->forwarding.size()) + "; put a number into its name: " + VariableOf("0", *only[0].key));
  }
  return ApplyTo(0, only, found, config);
}

std::vector<std::string> ForwardingVariables() {
  std::vector<std::string> names;
  for (const ForwardingKey& key : ForwardingKeys()) names.push_back(VariableOf("", key));
  for (size_t i = 0; i < limits::kMaxDestinations; ++i) {
    for (const ForwardingKey& key : ForwardingKeys()) names.push_back(VariableOf(std::to_string(i), key));
  }
  return names;
}

}  // namespace otlp_arrow
