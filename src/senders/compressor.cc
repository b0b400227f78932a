#include "senders/compressor.h"

#include <algorithm>
#include <array>
#include <limits>
#include <new>

#include <zlib.h>
#include <zstd.h>

namespace otlp_arrow {
namespace {

constexpr int kFast = 1;  // telemetry compresses well at any level
constexpr std::array<std::string_view, 4> kNames = {"none", "gzip", "lz4", "zstd"};

class GzipCompressor : public Compressor {
 public:
  GzipCompressor() {
    constexpr int kGzipWindow = 15 + 16;  // zlib: a header and trailer of gzip instead of zlib's
    is_ready_ = deflateInit2(&stream_, kFast, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~GzipCompressor() override {
    if (is_ready_) deflateEnd(&stream_);
  }
  GzipCompressor(const GzipCompressor&) = delete;
  GzipCompressor& operator=(const GzipCompressor&) = delete;

  bool Compress(std::string_view bytes, std::string* compressed) override {
    if (!is_ready_ || deflateReset(&stream_) != Z_OK) return false;
    compressed->resize(deflateBound(&stream_, bytes.size()));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.next_out = reinterpret_cast<Bytef*>(compressed->data());
    size_t in_left = bytes.size();
    size_t out_left = compressed->size();
    int status = Z_OK;
    do {
      constexpr size_t kMost = std::numeric_limits<uInt>::max();
      const auto in = static_cast<uInt>(std::min(in_left, kMost));
      const auto room = static_cast<uInt>(std::min(out_left, kMost));
      stream_.avail_in = in;
      stream_.avail_out = room;
      status = deflate(&stream_, in == in_left ? Z_FINISH : Z_NO_FLUSH);
      in_left -= in - stream_.avail_in;
      out_left -= room - stream_.avail_out;
    } while (status == Z_OK);
    compressed->resize(compressed->size() - out_left);
    return status == Z_STREAM_END;
  }

 private:
  z_stream stream_{};
  bool is_ready_ = false;
};

class ZstdCompressor : public Compressor {
 public:
  bool Compress(std::string_view bytes, std::string* compressed) override {
    if (!context_) return false;
    compressed->resize(ZSTD_compressBound(bytes.size()));
    const size_t size = ZSTD_compressCCtx(context_.get(), compressed->data(), compressed->size(), bytes.data(), bytes.size(), kFast);
    if (ZSTD_isError(size) != 0) return false;
    compressed->resize(size);
    return true;
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_{ZSTD_createCCtx()};
};

}  // namespace

std::string_view RequestCompressionName(RequestCompression compression) { return kNames[static_cast<size_t>(compression)]; }

std::optional<RequestCompression> RequestCompressionFromName(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  return found == kNames.end() ? std::nullopt : std::optional(static_cast<RequestCompression>(found - kNames.begin()));
}

std::unique_ptr<Compressor> MakeCompressor(RequestCompression compression) {
  switch (compression) {
    case RequestCompression::kGzip: return std::make_unique<GzipCompressor>();
    case RequestCompression::kZstd: return std::make_unique<ZstdCompressor>();
    case RequestCompression::kNone:
    case RequestCompression::kLz4: return nullptr;
  }
  return nullptr;
}

}  // namespace otlp_arrow
