// Where telemetry is sent: a URL, taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

enum class OtlpProtocol { kGrpc, kHttp, kFlight };

std::string_view ProtocolName(OtlpProtocol protocol);  // "grpc", "http", "flight"
std::optional<OtlpProtocol> ProtocolFromName(std::string_view name);

// What requests may be compressed with: "none, gzip", ...
std::string_view CompressionNames(OtlpProtocol protocol);
bool HasCompression(OtlpProtocol protocol, std::string_view name);

struct Endpoint {
  OtlpProtocol protocol = OtlpProtocol::kGrpc;
  bool tls = false;
  std::string host;  // without brackets
  uint16_t port = 0;
  std::string path;  // before /v1/traces: "" or "/prefix"; empty for gRPC
  bool is_complete = false;  // HTTP: `path` is the whole path, whatever the signal

  std::string Authority() const;  // "host:port"
  std::string ToString() const;   // "http://host:port (grpc)"
  // The HTTP path that takes a signal: "/prefix/v1/traces".
  std::string SignalPath(Signal signal) const;
};

// Reads "http://host:4318", "https://host/prefix", "host:4317", "grpc://host:4319". Without `protocol`, port 4318 or a path mean
// HTTP, port 4319 Flight, all else gRPC. Without a port: 443 for https, otherwise the protocol's (4317, 4318, 4319). https,
// grpcs and grpc+tls mean TLS.
// Errors (config) quote the URL and say what is wrong.
Result<Endpoint> ParseEndpoint(std::string_view url, std::optional<OtlpProtocol> protocol = std::nullopt);

}  // namespace otlp_arrow
