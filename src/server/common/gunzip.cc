#include "server/common/inflate.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <utility>

#include <libdeflate.h>
#include <zlib.h>

#include "server/common/inflated_output.h"

namespace otlp_arrow {
namespace {

// zlib's windowBits: the largest window, and what stands around the stream.
constexpr int kGzip = 15 + 16;
constexpr int kZlib = 15;
constexpr int kBare = -15;
constexpr uint64_t kMaxRatio = 1032;    // deflate cannot do better
constexpr size_t kTrailerSize = 8;      // CRC-32, then the inflated size modulo 2^32
constexpr size_t kMaxStep = std::numeric_limits<uInt>::max();

// zlib's state, 40 kB of it: one per thread, made when first needed.
class Inflater {
 public:
  Inflater() {
    if (inflateInit2(&stream_, kGzip) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream* Reset(int format) {
    inflateReset2(&stream_, format);
    stream_.next_in = nullptr;
    stream_.avail_in = 0;
    return &stream_;
  }

 private:
  z_stream stream_{};
};

uint64_t SizeOf(std::span<const std::string_view> parts) {
  uint64_t size = 0;
  for (const auto& part : parts) size += part.size();
  return size;
}

// What gzip's trailer says of the inflated size, as far as it can be true; otherwise a guess: telemetry shrinks 4 to 10
// times.
uint64_t ExpectedSize(std::span<const std::string_view> parts, int format) {
  const uint64_t compressed = SizeOf(parts);
  const std::string_view last = parts.empty() ? std::string_view() : parts.back();
  if (format == kGzip && last.size() >= kTrailerSize) {
    uint32_t size = 0;
    std::memcpy(&size, last.data() + last.size() - sizeof(size), sizeof(size));
    if (size <= compressed * kMaxRatio) return size;
  }
  return compressed * 8;
}

InflateResult Malformed(int format, const char* what) {
  const char* name = format == kGzip ? "gzip" : "deflate";
  return {InflateResult::Outcome::kMalformed, {}, std::string("the request's ") + name + " data is damaged: " + what};
}

InflateResult Damaged(int format, const z_stream* stream) {
  return Malformed(format, stream->msg ? stream->msg : format == kGzip ? "not gzip" : "not deflate");
}

enum class Step { kNeedInput, kMemberEnd, kDamaged, kFull };

// Inflates until the input of the stream is used up or a member ends.
Step InflateInput(z_stream* stream, InflatedOutput* out) {
  for (;;) {
    const auto room = static_cast<uInt>(std::min(out->room(), kMaxStep));
    stream->next_out = reinterpret_cast<Bytef*>(out->next());
    stream->avail_out = room;
    const int status = inflate(stream, Z_NO_FLUSH);
    out->Advance(room - stream->avail_out);
    if (status == Z_STREAM_END) return Step::kMemberEnd;
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status != Z_OK && status != Z_BUF_ERROR) return Step::kDamaged;
    if (stream->avail_out > 0) return Step::kNeedInput;
    // With no room left inflate() still takes a trailer; when it takes nothing either, it has more to put out.
    if (status == Z_BUF_ERROR) {
      if (stream->avail_in == 0) return Step::kNeedInput;
      if (!out->Grow()) return Step::kFull;
    } else if (out->room() == 0 && stream->avail_in == 0) {
      return Step::kNeedInput;
    }
  }
}

// Piece by piece, as far as the limit. Only gzip may go on behind its end, with another member.
InflateResult InflateStream(std::span<const std::string_view> parts, int format, uint64_t limit, Pipeline* pipeline) {
  thread_local Inflater inflater;
  z_stream* stream = inflater.Reset(format);
  InflatedOutput out(ExpectedSize(parts, format), limit, pipeline);
  bool in_member = true;  // an empty input is no gzip data
  for (std::string_view part : parts) {
    while (!part.empty() || stream->avail_in > 0) {
      if (stream->avail_in == 0) {
        const size_t step = std::min(part.size(), kMaxStep);
        stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
        stream->avail_in = static_cast<uInt>(step);
        part.remove_prefix(step);
      }
      if (!in_member) {
        if (format != kGzip) return Malformed(format, "it goes on behind its end");
        inflateReset(stream);
        in_member = true;
      }
      const Step step = InflateInput(stream, &out);
      if (step == Step::kDamaged) return Damaged(format, stream);
      if (step == Step::kFull) return {InflateResult::Outcome::kTooLarge, {}, {}};
      if (step == Step::kMemberEnd) in_member = false;
    }
  }
  // Output may still be held back where the last bytes of input met a full buffer.
  while (in_member && out.room() == 0) {
    if (!out.Grow()) return {InflateResult::Outcome::kTooLarge, {}, {}};
    const Step step = InflateInput(stream, &out);
    if (step == Step::kDamaged) return Damaged(format, stream);
    in_member = step != Step::kMemberEnd;
  }
  if (in_member) return Malformed(format, "it ends early");
  return {InflateResult::Outcome::kOk, std::move(out).Take(), {}};
}

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};

// The usual request, a single member in one piece whose trailer is true, at twice zlib's speed or more. Nothing where it is
// another, or damaged: InflateStream() is the judge.
Pipeline::WritableBytes GunzipWhole(std::string_view body, uint64_t limit, Pipeline* pipeline) {
  thread_local const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(libdeflate_alloc_decompressor());
  const std::string_view parts[] = {body};
  const uint64_t size = ExpectedSize(parts, kGzip);
  if (!decompressor || size > limit) return {};
  Pipeline::WritableBytes bytes = pipeline->Allocate(size);
  size_t used = 0;
  size_t written = 0;
  const auto result = libdeflate_gzip_decompress_ex(decompressor.get(), body.data(), body.size(), bytes.data, bytes.size, &used, &written);
  if (result != LIBDEFLATE_SUCCESS || used != body.size()) return {};
  bytes.size = written;
  return bytes;
}

// Does the stream begin as zlib's format does (RFC 1950, 2.2)?
bool LooksLikeZlib(std::string_view bytes) {
  if (bytes.size() < 2) return false;
  const unsigned method = static_cast<unsigned char>(bytes[0]);
  const unsigned flags = static_cast<unsigned char>(bytes[1]);
  return (method & 0x0f) == 8 && method >> 4 <= 7 && (method << 8 | flags) % 31 == 0;
}

}  // namespace

InflateResult Gunzip(std::span<const std::string_view> parts, uint64_t limit, Pipeline* pipeline) {
  if (parts.size() == 1 && LooksLikeGzip(parts[0])) {
    Pipeline::WritableBytes whole = GunzipWhole(parts[0], limit, pipeline);
    if (whole.data) return {InflateResult::Outcome::kOk, std::move(whole), {}};
  }
  return InflateStream(parts, kGzip, limit, pipeline);
}

InflateResult Undeflate(std::span<const std::string_view> parts, uint64_t limit, Pipeline* pipeline) {
  std::string head;
  for (size_t i = 0; i < parts.size() && head.size() < 2; ++i) head += parts[i].substr(0, 2);
  if (LooksLikeZlib(head)) {
    InflateResult result = InflateStream(parts, kZlib, limit, pipeline);
    if (result.outcome != InflateResult::Outcome::kMalformed) return result;
  }
  return InflateStream(parts, kBare, limit, pipeline);  // which may begin so by chance
}

}  // namespace otlp_arrow
