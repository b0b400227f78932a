#include "service/config_check.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include <unistd.h>

#include "base/secret_text.h"
#include "server/common/authenticator.h"
#include "server/common/certificate_files.h"
#include "server/common/exposure.h"
#include "service/serve_messages.h"

namespace otlp_arrow {
namespace {

// Of each server that would speak TLS; a section that several share is looked at once.
void CheckCertificates(const Config& config, std::vector<Status>* wrong, std::vector<std::string>* warnings) {
  struct Server {
    bool enabled;
    const char* name;
    const ServerTlsConfig& own;
  };
  const Server servers[] = {{config.grpc.enabled, "grpc", config.grpc.tls}, {config.http.enabled, "http", config.http.tls},
                            {config.flight.enabled, "flight", config.flight.tls}};
  std::vector<std::string> checked;
  for (const Server& server : servers) {
    const ServerTlsConfig& tls = config.TlsOf(server.own);
    if (!server.enabled || tls.cert_file.empty()) continue;
    const std::string section = TlsSection(config, server.own, server.name);
    if (std::find(checked.begin(), checked.end(), section) != checked.end()) continue;
    checked.push_back(section);
    const auto certificates = ReadCertificates(section, tls);
    if (!certificates.ok()) wrong->push_back(certificates.status());
    if (certificates.ok() && warnings && !certificates->warning.empty()) warnings->push_back(certificates->warning);
  }
}

void CheckSecrets(const Config& config, std::vector<Status>* wrong) {
  const auto check = [wrong](const std::string& key, const std::string& text) {
    if (const auto value = ResolveSecret(key, text); !value.ok()) wrong->push_back(value.status());
  };
  if (const auto made = Authenticator::Make(config.auth); !made.ok()) wrong->push_back(made.status());
  if (config.flight.enabled) check("flight.bearer_token", config.flight.bearer_token);
  for (const ForwardingConfig& to : config.forwarding) {
    if (!to.enabled) continue;
    const std::string prefix = "forwarding (" + to.DisplayName() + ").";
    check(prefix + "bearer_token", to.bearer_token);
    check(prefix + "password", to.password);
    check(prefix + "api_key", to.api_key);
    for (const auto& [name, value] : to.headers) check(prefix + "headers." + name, value);
  }
}

// The directory itself, or the one in which it would be made.
void CheckDirectory(const Config& config, std::vector<std::string>* warnings) {
  std::error_code error;
  auto path = std::filesystem::absolute(config.output_dir, error);
  while (!error && !path.empty() && !std::filesystem::exists(path, error) && path.has_parent_path() && path != path.parent_path()) path = path.parent_path();
  if (error || access(path.c_str(), W_OK | X_OK) == 0) return;
  warnings->push_back("output_dir: '" + path.string() + "' cannot be written by this user (" + std::to_string(geteuid()) +
                      "); that is right only if the service runs as another one");
}

}  // namespace

Status CheckServesSomething(const Config& config) {
  if (config.grpc.enabled || config.http.enabled || config.flight.enabled) return Status::Ok();
  return Status::Config("grpc.enabled, http.enabled and flight.enabled are all false, so nothing could arrive; enable one of them");
}

std::vector<Status> CheckNamedThings(const Config& config) {
  std::vector<Status> wrong;
  CheckCertificates(config, &wrong, nullptr);
  CheckSecrets(config, &wrong);
  return wrong;
}

int CheckConfig(const LoadedConfig& loaded, const Console& console) {
  const Config& config = loaded.config;
  std::vector<std::string> warnings = loaded.warnings;
  std::vector<Status> wrong;
  CheckCertificates(config, &wrong, &warnings);
  CheckSecrets(config, &wrong);
  CheckDirectory(config, &warnings);
  for (const std::string& warning : ExposureWarnings(config)) warnings.push_back(warning);
  console.out << "# otlp-arrow " OTLP_ARROW_VERSION " with these settings\n";
  for (const std::string& line : PlanLines(config)) console.out << "# - " << line << "\n";
  console.out << ConfigToYaml(config, loaded.origins) << std::flush;
  for (const std::string& warning : warnings) console.err << "otlp-arrow: warning: " << warning << "\n";
  for (const Status& status : wrong) console.err << "otlp-arrow: " << status.message() << "\n";
  if (!wrong.empty()) console.err << "otlp-arrow: with this configuration the service would not start\n";
  console.err << std::flush;
  return wrong.empty() ? kExitOk : kExitUsage;
}

}  // namespace otlp_arrow
