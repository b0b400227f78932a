#include <mutex>

#include "base/base64.h"
#include "base/secret_text.h"
#include "senders/sender_factory.h"

namespace otlp_arrow {
namespace {

Status AddHeader(SenderOptions* options, const std::string& what, std::string name, const std::string& text, std::string_view before = "") {
  OTLP_ASSIGN_OR_RETURN(const std::string value, ResolveSecret(what, text));
  options->headers.emplace_back(std::move(name), std::string(before) + value);
  options->secrets.push_back(value);
  return Status::Ok();
}

Status AddBasic(SenderOptions* options, const ForwardingConfig& config) {
  OTLP_ASSIGN_OR_RETURN(const std::string username, ResolveSecret("forwarding.username", config.username));
  OTLP_ASSIGN_OR_RETURN(const std::string password, ResolveSecret("forwarding.password", config.password));
  std::string value = "Basic ";
  options->secrets.push_back(password);
  AppendBase64(username + ":" + password, &value);
  options->headers.emplace_back("authorization", std::move(value));
  return Status::Ok();
}

class ProtocolSenders : public SenderFactory {
 public:
  Result<std::unique_ptr<OtlpSender>> Make(const ForwardingConfig& config) override {
    OTLP_ASSIGN_OR_RETURN(SenderOptions options, SenderOptionsOf(config));
    return MakeSender(std::move(options));
  }
};

}  // namespace

Result<SenderOptions> SenderOptionsOf(const ForwardingConfig& config) {
  std::optional<OtlpProtocol> protocol;
  if (!config.protocol.empty()) {
    protocol = ProtocolFromName(config.protocol);
    if (!protocol) return Status::Config("forwarding.protocol: '" + config.protocol + "' is unknown; allowed are grpc, http and flight");
  }
  SenderOptions options;
  OTLP_ASSIGN_OR_RETURN(options.endpoint, ParseEndpoint(config.endpoint, protocol));
  const auto compression = RequestCompressionFromName(config.compression);
  if (!compression) return Status::Config("forwarding.compression: '" + config.compression + "' is unknown; allowed are none, gzip, lz4 and zstd");
  options.compression = *compression;
  for (const auto& [name, value] : config.headers) {
    OTLP_RETURN_NOT_OK(AddHeader(&options, "forwarding.headers." + name, name, value));
  }
  if (!config.bearer_token.empty()) {
    OTLP_RETURN_NOT_OK(AddHeader(&options, "forwarding.bearer_token", "authorization", config.bearer_token, "Bearer "));
  }
  if (!config.username.empty() || !config.password.empty()) OTLP_RETURN_NOT_OK(AddBasic(&options, config));
  if (!config.api_key.empty()) OTLP_RETURN_NOT_OK(AddHeader(&options, "forwarding.api_key", config.api_key_header, config.api_key));
  options.tls = config.tls;
  return options;
}

void RegisterSenders() {
  static std::once_flag once;
  std::call_once(once, [] { RegisterSenderFactory(std::make_shared<ProtocolSenders>()); });
}

}  // namespace otlp_arrow
