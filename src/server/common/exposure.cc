#include "server/common/exposure.h"

#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/host_port.h"

namespace otlp_arrow {
namespace {

bool IsLoopbackIp(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    return ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr) >> 24 == 127;
  }
  if (address->sa_family != AF_INET6) return false;
  const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&ip) || (IN6_IS_ADDR_V4MAPPED(&ip) && ip.s6_addr[12] == 127);
}

struct Server {
  const char* name;
  bool enabled;
  const std::string& address;
  const ServerTlsConfig& own_tls;
  bool has_own_token;
};

void Warn(const Config& config, const Server& server, std::vector<std::string>* warnings) {
  if (!server.enabled || IsLoopback(server.address)) return;
  const std::string name = server.name;
  const std::string begin = name + ".address: '" + server.address + "' can be reached from other machines, ";
  const bool has_tls = !config.TlsOf(server.own_tls).cert_file.empty();
  const bool asks_for_certificate = has_tls && !config.TlsOf(server.own_tls).client_ca_file.empty();
  const bool has_credentials = !config.auth.bearer_tokens.empty() || !config.auth.headers.empty() || server.has_own_token;
  if (!has_credentials && !asks_for_certificate) {
    warnings->push_back(begin + "and whoever reaches it may " + (name == "flight" ? "read and write" : "send") +
                        " telemetry: set auth.bearer_tokens or " + name + ".tls.client_ca_file, or listen on 127.0.0.1");
  }
  if (!has_tls) {
    warnings->push_back(begin + "without TLS, so telemetry" + (has_credentials ? " and credentials" : "") + " can be read on the way: set " + name +
                        ".tls.cert_file and key_file, or let only a proxy with TLS reach it");
  }
}

}  // namespace

bool IsLoopback(const std::string& address) {
  const auto parsed = ParseHostPort(address);
  if (!parsed.ok()) return false;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(parsed->host.c_str(), nullptr, &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (const addrinfo* info = found; info; info = info->ai_next) {
    if (!IsLoopbackIp(info->ai_addr)) return false;
  }
  return true;
}

std::vector<std::string> ExposureWarnings(const Config& config) {
  std::vector<std::string> warnings;
  Warn(config, {"grpc", config.grpc.enabled, config.grpc.address, config.grpc.tls, false}, &warnings);
  Warn(config, {"http", config.http.enabled, config.http.address, config.http.tls, false}, &warnings);
  Warn(config, {"flight", config.flight.enabled, config.flight.address, config.flight.tls, !config.flight.bearer_token.empty()}, &warnings);
  return warnings;
}

}  // namespace otlp_arrow
