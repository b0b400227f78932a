// Certificates and keys in PEM files.
#pragma once

#include <string>
#include <string_view>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

inline constexpr std::string_view kPemCertificate = "-----BEGIN CERTIFICATE-----";
inline constexpr std::string_view kPemKey = "PRIVATE KEY-----";  // behind "-----BEGIN " and the kind of key

// The text of a file that holds `label`. Errors: kConfig, naming `key` and the file.
Result<std::string> ReadPemFile(std::string_view key, const std::string& path, std::string_view label);

}  // namespace otlp_arrow
