// TLS of the gRPC server, with certificates that may change while it runs.
#pragma once

#include <memory>

#include <grpcpp/security/server_credentials.h>

#include "server/common/certificate_files.h"

namespace otlp_arrow {

// TLS 1.2 or later. Each handshake shows what `files` holds then, and asks clients for a certificate where `files` names their
// authorities now. The credentials must outlive the server, which does not hold on to them.
std::shared_ptr<grpc::ServerCredentials> MakeTlsCredentials(std::shared_ptr<CertificateFiles> files);

}  // namespace otlp_arrow
