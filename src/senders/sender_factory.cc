#include "senders/sender_factory.h"

#include <algorithm>
#include <cctype>

#include "senders/flight_sender.h"
#include "senders/grpc_sender.h"
#include "senders/http_sender.h"
#include "senders/tls_client.h"

namespace otlp_arrow {
namespace {

// The names that both HTTP/1.1 and gRPC metadata allow.
bool IsHeaderName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
}

bool IsHeaderValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

Status CheckHeaders(const SenderOptions& options) {
  for (const auto& [name, value] : options.headers) {
    if (!IsHeaderName(name)) {
      return Status::Config("header '" + name + "': a name has letters, digits, '-', '_' and '.' only");
    }
    if (!IsHeaderValue(value)) {
      return Status::Config("header '" + name + "': a value has printable ASCII characters only");
    }
    if (name.starts_with("grpc-")) {
      return Status::Config("header '" + name + "': names that begin with grpc- belong to gRPC");
    }
  }
  return Status::Ok();
}

Status CheckCompression(const SenderOptions& options) {
  const OtlpProtocol protocol = options.endpoint.protocol;
  const std::string name(RequestCompressionName(options.compression));
  if (HasCompression(protocol, name)) return Status::Ok();
  return Status::Config("compression: '" + name + "' is not for the protocol " + std::string(ProtocolName(protocol)) + "; allowed are " +
                        std::string(CompressionNames(protocol)));
}

}  // namespace

Result<std::unique_ptr<OtlpSender>> MakeSender(SenderOptions options) {
  for (auto& [name, value] : options.headers) {
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  OTLP_RETURN_NOT_OK(CheckHeaders(options));
  OTLP_RETURN_NOT_OK(CheckCompression(options));
  OTLP_ASSIGN_OR_RETURN(TlsFiles files, ReadTlsFiles(options.tls));
  if (options.endpoint.tls) OTLP_RETURN_NOT_OK(MakeTlsContext(options.tls, files).status());  // what cannot be used is told now
  switch (options.endpoint.protocol) {
    case OtlpProtocol::kHttp: return MakeHttpSender(std::move(options), files);
    case OtlpProtocol::kFlight: return MakeFlightSender(std::move(options), std::move(files));
    case OtlpProtocol::kGrpc: break;
  }
  return MakeGrpcSender(std::move(options), std::move(files));
}

}  // namespace otlp_arrow
