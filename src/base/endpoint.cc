#include "base/endpoint.h"

#include "base/host_port.h"

namespace otlp_arrow {
namespace {

constexpr uint16_t kGrpcPort = 4317;
constexpr uint16_t kHttpPort = 4318;
constexpr uint16_t kFlightPort = 4319;
constexpr uint16_t kHttpsPort = 443;

// What may be shown of a URL: passwords and keys stand before an '@' or in a query.
std::string Shown(std::string_view url) {
  std::string shown(url.substr(0, url.find_first_of("?#")));
  const size_t at = shown.rfind('@');
  if (at == std::string::npos) return shown;
  const size_t scheme = shown.find("://");
  const size_t begin = scheme == std::string::npos || scheme > at ? 0 : scheme + 3;
  return shown.replace(begin, at - begin, "...");
}

Status Refuse(std::string_view url, const std::string& why) {
  return Status::Config("endpoint '" + Shown(url) + "' " + why +
                        "; wanted is a URL such as http://127.0.0.1:4318 or https://collector.example:4317");
}

bool HasPort(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  return colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
}

// The path without the slash at its end.
std::string TrimmedPath(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

OtlpProtocol GuessProtocol(uint16_t port, std::string_view path) {
  if (port == kHttpPort || !path.empty()) return OtlpProtocol::kHttp;
  return port == kFlightPort ? OtlpProtocol::kFlight : OtlpProtocol::kGrpc;
}

uint16_t PortOf(OtlpProtocol protocol) {
  switch (protocol) {
    case OtlpProtocol::kGrpc: return kGrpcPort;
    case OtlpProtocol::kHttp: return kHttpPort;
    case OtlpProtocol::kFlight: return kFlightPort;
  }
  return 0;
}

}  // namespace

std::string_view ProtocolName(OtlpProtocol protocol) {
  switch (protocol) {
    case OtlpProtocol::kGrpc: return "grpc";
    case OtlpProtocol::kHttp: return "http";
    case OtlpProtocol::kFlight: return "flight";
  }
  return "";
}

std::optional<OtlpProtocol> ProtocolFromName(std::string_view name) {
  if (name == "grpc") return OtlpProtocol::kGrpc;
  if (name == "http") return OtlpProtocol::kHttp;
  if (name == "flight") return OtlpProtocol::kFlight;
  return std::nullopt;
}

std::string_view CompressionNames(OtlpProtocol protocol) {
  switch (protocol) {
    case OtlpProtocol::kGrpc: return "none, gzip";
    case OtlpProtocol::kHttp: return "none, gzip, zstd";
    case OtlpProtocol::kFlight: return "none, lz4, zstd";
  }
  return "";
}

bool HasCompression(OtlpProtocol protocol, std::string_view name) {
  const std::string names = ", " + std::string(CompressionNames(protocol)) + ",";
  return names.find(", " + std::string(name) + ",") != std::string::npos;
}

std::string Endpoint::Authority() const { return HostPort{host, port}.ToString(); }

std::string Endpoint::ToString() const {
  return std::string(tls ? "https://" : "http://") + Authority() + path + " (" + std::string(ProtocolName(protocol)) +
         ")";
}

std::string Endpoint::SignalPath(Signal signal) const {
  if (is_complete) return path.empty() ? "/" : path;
  return path + "/v1/" + std::string(SignalName(signal));
}

Result<Endpoint> ParseEndpoint(std::string_view url, std::optional<OtlpProtocol> protocol) {
  Endpoint endpoint;
  std::string_view rest = url;
  if (const size_t scheme_end = url.find("://"); scheme_end != std::string_view::npos) {
    const std::string_view scheme = url.substr(0, scheme_end);
    const bool is_grpc = scheme == "grpc" || scheme == "grpc+tcp";
    endpoint.tls = scheme == "https" || scheme == "grpcs" || scheme == "grpc+tls";
    if (scheme != "http" && !is_grpc && !endpoint.tls) {
      return Refuse(url, "has the scheme '" + std::string(scheme) + "'; known are http and https (and grpc, grpc+tls for gRPC and Flight)");
    }
    rest.remove_prefix(scheme_end + 3);
  }
  if (rest.find_first_of("?#") != std::string_view::npos) {
    return Refuse(url, "has a query or a fragment, which OTLP has no use for");
  }
  std::string_view authority = rest.substr(0, rest.find('/'));
  endpoint.path = TrimmedPath(rest.substr(authority.size()));
  if (authority.find('@') != std::string_view::npos) {
    return Refuse(url, "holds a user name or password; send these in a header");
  }
  if (authority.empty()) return Refuse(url, "has no host");

  const bool has_port = HasPort(authority);
  auto address = ParseHostPort(has_port ? std::string(authority) : std::string(authority) + ":0");
  if (!address.ok()) return Refuse(url, "has no valid address: " + address.status().message());
  if (has_port && address->port == 0) return Refuse(url, "names port 0, to which nothing can be sent");
  endpoint.host = address->host;
  endpoint.port = address->port;
  endpoint.protocol = protocol.value_or(GuessProtocol(endpoint.port, endpoint.path));
  if (!has_port) {
    endpoint.port = endpoint.tls ? kHttpsPort : PortOf(endpoint.protocol);
  }
  if (endpoint.protocol != OtlpProtocol::kHttp && !endpoint.path.empty()) {
    return Refuse(url, "has the path '" + endpoint.path + "', which " + (endpoint.protocol == OtlpProtocol::kGrpc ? "gRPC" : "Flight") +
                           " has no use for (for OTLP/HTTP choose the protocol http)");
  }
  return endpoint;
}

}  // namespace otlp_arrow
