#include "base/pem_file.h"

#include "base/platform/platform.h"

namespace otlp_arrow {
namespace {

constexpr uint64_t kLargest = 16 << 20;  // the system's authorities have a quarter of a megabyte

}  // namespace

Result<std::string> ReadPemFile(std::string_view key, const std::string& path, std::string_view label) {
  auto text = platform::ReadFile(path, kLargest);
  if (!text.ok()) return Status::Config(std::string(key) + ": " + text.status().message() + "; name a readable PEM file");
  if (text->find(label) != std::string::npos) return text;
  return Status::Config(std::string(key) + ": '" + path + "' holds no " + (label == kPemKey ? "private key" : "certificate") + " in PEM form");
}

}  // namespace otlp_arrow
