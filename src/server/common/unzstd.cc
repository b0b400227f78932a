#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include <zstd.h>

#include "server/common/inflate.h"
#include "server/common/inflated_output.h"

namespace otlp_arrow {
namespace {

// A frame says how much memory its window needs; what the levels up to 19 use fits.
constexpr int kMaxWindowLog = 24;
constexpr uint64_t kUsualRatio = 8;

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// One per thread, made when first needed.
ZSTD_DCtx* Context() {
  thread_local std::unique_ptr<ZSTD_DCtx, FreeContext> context;
  if (!context) {
    context.reset(ZSTD_createDCtx());
    if (!context || ZSTD_isError(ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kMaxWindowLog))) throw std::bad_alloc();
  }
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
  return context.get();
}

// What the frame says of its inflated size where it does, otherwise a guess. The limit bounds either.
uint64_t ExpectedSize(std::span<const std::string_view> parts) {
  uint64_t compressed = 0;
  for (const auto& part : parts) compressed += part.size();
  if (parts.empty()) return 0;
  const unsigned long long size = ZSTD_getFrameContentSize(parts[0].data(), parts[0].size());
  const bool is_known = size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR;
  // Not more than was sent may make us reserve: the output grows.
  return is_known ? std::min<uint64_t>(size, compressed * 64) : compressed * kUsualRatio;
}

InflateResult Malformed(const char* what) {
  return {InflateResult::Outcome::kMalformed, {}, std::string("the request's zstd data is damaged: ") + what};
}

}  // namespace

InflateResult Unzstd(std::span<const std::string_view> parts, uint64_t limit, Pipeline* pipeline) {
  ZSTD_DCtx* context = Context();
  InflatedOutput out(ExpectedSize(parts), limit, pipeline);
  size_t wanted = 1;  // 0 at the end of a frame; an empty input is none
  for (const std::string_view part : parts) {
    ZSTD_inBuffer input{part.data(), part.size(), 0};
    bool is_full = false;
    while (input.pos < input.size || is_full) {
      if (out.room() == 0 && !out.Grow()) return {InflateResult::Outcome::kTooLarge, {}, {}};
      ZSTD_outBuffer output{out.next(), out.room(), 0};
      wanted = ZSTD_decompressStream(context, &output, &input);
      if (ZSTD_isError(wanted)) return Malformed(ZSTD_getErrorName(wanted));
      out.Advance(output.pos);
      // A full buffer may not be all that there is to put out.
      is_full = wanted != 0 && output.pos == output.size;
    }
  }
  if (wanted != 0) return Malformed("it ends early");
  return {InflateResult::Outcome::kOk, std::move(out).Take(), {}};
}

}  // namespace otlp_arrow
