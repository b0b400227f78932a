// gzip and deflate as zlib writes them, for tests of readers.
#pragma once

#include <string>
#include <string_view>

#include <zlib.h>

namespace otlp_arrow {

// `window_bits` as zlib has them: 15 for its own format, -15 for a bare stream, 31 for gzip.
inline std::string Deflate(std::string_view bytes, int window_bits, int level = Z_DEFAULT_COMPRESSION) {
  z_stream stream{};
  deflateInit2(&stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string Gzip(std::string_view bytes, int level = Z_DEFAULT_COMPRESSION) { return Deflate(bytes, 31, level); }

}  // namespace otlp_arrow
