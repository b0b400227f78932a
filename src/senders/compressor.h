// Compression of requests.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace otlp_arrow {

enum class RequestCompression { kNone, kGzip, kLz4, kZstd };

std::string_view RequestCompressionName(RequestCompression compression);  // "none", "gzip", "lz4", "zstd"; as Content-Encoding has it
std::optional<RequestCompression> RequestCompressionFromName(std::string_view name);

// Keeps its memory between requests. Not thread-safe.
class Compressor {
 public:
  virtual ~Compressor() = default;
  // False where there is no memory for it.
  virtual bool Compress(std::string_view bytes, std::string* compressed) = 0;
};

// For kGzip and kZstd; null for the others.
std::unique_ptr<Compressor> MakeCompressor(RequestCompression compression);

}  // namespace otlp_arrow
