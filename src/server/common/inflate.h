// Inflating compressed requests, with a limit: a small request must not become a large one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/pipeline.h"

namespace otlp_arrow {

struct InflateResult {
  enum class Outcome { kOk, kMalformed, kTooLarge };

  Outcome outcome = Outcome::kOk;
  Pipeline::WritableBytes bytes;  // where kOk: the inflated bytes, in the pipeline's memory
  std::string error;              // where kMalformed: a sentence for the sender
};

// Inflates the gzip members (RFC 1952) that `parts` hold one after the other, to at most `limit` bytes. Throws only
// std::bad_alloc.
InflateResult Gunzip(std::span<const std::string_view> parts, uint64_t limit, Pipeline* pipeline);

// The same for deflate as HTTP has it: zlib's format (RFC 1950), or the bare stream (RFC 1951) that some clients send.
InflateResult Undeflate(std::span<const std::string_view> parts, uint64_t limit, Pipeline* pipeline);

// The same for zstd frames (RFC 8878), with a window of at most 16 MiB.
InflateResult Unzstd(std::span<const std::string_view> parts, uint64_t limit, Pipeline* pipeline);

// Do the bytes begin as gzip does? No OTLP message does: 0x1f would be a field of wire type 7, which there is not.
inline bool LooksLikeGzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

}  // namespace otlp_arrow
