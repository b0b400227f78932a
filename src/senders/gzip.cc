#include "senders/gzip.h"

#include <algorithm>
#include <limits>

#include <zlib.h>

namespace otlp_arrow {

std::string GzipCompress(std::string_view bytes) {
  constexpr int kGzipWindow = 15 + 16;  // zlib: a header and trailer of gzip instead of zlib's
  constexpr int kFast = 1;              // telemetry compresses well at any level
  z_stream stream{};
  if (deflateInit2(&stream, kFast, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  int status = Z_OK;
  size_t in_left = bytes.size();
  size_t out_left = out.size();
  constexpr size_t kMost = std::numeric_limits<uInt>::max();
  do {
    const auto in = static_cast<uInt>(std::min(in_left, kMost));
    const auto room = static_cast<uInt>(std::min(out_left, kMost));
    stream.avail_in = in;
    stream.avail_out = room;
    status = deflate(&stream, in == in_left ? Z_FINISH : Z_NO_FLUSH);
    in_left -= in - stream.avail_in;
    out_left -= room - stream.avail_out;
  } while (status == Z_OK);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) return {};
  out.resize(out.size() - out_left);
  return out;
}

}  // namespace otlp_arrow
