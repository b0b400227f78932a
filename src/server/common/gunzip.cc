#include "server/common/inflate.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include <zlib.h>

#include "server/common/inflated_output.h"

namespace otlp_arrow {
namespace {

constexpr int kGzipOnly = 15 + 16;      // zlib's windowBits: the largest window, and a gzip header
constexpr uint64_t kMaxRatio = 1032;    // deflate cannot do better
constexpr size_t kTrailerSize = 8;      // CRC-32, then the inflated size modulo 2^32
constexpr size_t kMaxStep = std::numeric_limits<uInt>::max();

// zlib's state, 40 kB of it: one per thread, made when first needed.
class Inflater {
 public:
  Inflater() {
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream* Reset() {
    inflateReset(&stream_);
    stream_.next_in = nullptr;
    stream_.avail_in = 0;
    return &stream_;
  }

 private:
  z_stream stream_{};
};

// What the trailer says of the inflated size, as far as it can be true; otherwise a guess: telemetry shrinks 4 to 10
// times.
uint64_t ExpectedSize(std::span<const std::string_view> parts) {
  uint64_t compressed = 0;
  for (const auto& part : parts) compressed += part.size();
  const std::string_view last = parts.empty() ? std::string_view() : parts.back();
  if (last.size() >= kTrailerSize) {
    uint32_t size = 0;
    std::memcpy(&size, last.data() + last.size() - sizeof(size), sizeof(size));
    if (size <= compressed * kMaxRatio) return size;
  }
  return compressed * 8;
}

InflateResult Malformed(const char* what) {
  return {InflateResult::Outcome::kMalformed, {}, std::string("the request's gzip data is damaged: ") + what};
}

InflateResult Damaged(const z_stream* stream) { return Malformed(stream->msg ? stream->msg : "not gzip"); }

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

}  // namespace

InflateResult Gunzip(std::span<const std::string_view> parts, uint64_t limit, Pipeline* pipeline) {
  thread_local Inflater inflater;
  z_stream* stream = inflater.Reset();
  InflatedOutput out(ExpectedSize(parts), limit, pipeline);
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
        inflateReset(stream);
        in_member = true;
      }
      const Step step = InflateInput(stream, &out);
      if (step == Step::kDamaged) return Damaged(stream);
      if (step == Step::kFull) return {InflateResult::Outcome::kTooLarge, {}, {}};
      if (step == Step::kMemberEnd) in_member = false;
    }
  }
  // Output may still be held back where the last bytes of input met a full buffer.
  while (in_member && out.room() == 0) {
    if (!out.Grow()) return {InflateResult::Outcome::kTooLarge, {}, {}};
    const Step step = InflateInput(stream, &out);
    if (step == Step::kDamaged) return Damaged(stream);
    in_member = step != Step::kMemberEnd;
  }
  if (in_member) return Malformed("it ends early");
  return {InflateResult::Outcome::kOk, std::move(out).Take(), {}};
}

}  // namespace otlp_arrow
