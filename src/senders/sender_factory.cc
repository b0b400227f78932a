#include "senders/sender_factory.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

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

Result<std::string> ReadCertificates(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad()) {
    return Status::Config("cannot read the certificates in '" + path + "': " + std::strerror(errno));
  }
  if (text.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    return Status::Config("'" + path + "' holds no certificate in PEM form");
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<OtlpSender>> MakeSender(SenderOptions options) {
  for (auto& [name, value] : options.headers) {
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  OTLP_RETURN_NOT_OK(CheckHeaders(options));
  std::string certificates;
  if (!options.ca_file.empty()) {
    OTLP_ASSIGN_OR_RETURN(certificates, ReadCertificates(options.ca_file));
  }
  if (options.endpoint.protocol == OtlpProtocol::kHttp) return MakeHttpSender(std::move(options), certificates);
  return MakeGrpcSender(std::move(options), std::move(certificates));
}

}  // namespace otlp_arrow
