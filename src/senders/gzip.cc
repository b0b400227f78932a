#include "senders/gzip.h"

#include "senders/compressor.h"

namespace otlp_arrow {

std::string GzipCompress(std::string_view bytes) {
  std::string compressed;
  return MakeCompressor(RequestCompression::kGzip)->Compress(bytes, &compressed) ? compressed : std::string();
}

}  // namespace otlp_arrow
