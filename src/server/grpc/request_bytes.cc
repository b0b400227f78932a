#include "server/grpc/request_bytes.h"

#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/common/inflate.h"
#include "server/grpc/grpc_status.h"

namespace otlp_arrow {
namespace {

std::string_view View(const grpc::Slice& slice) { return {reinterpret_cast<const char*>(slice.begin()), slice.size()}; }

bool IsGzip(const std::vector<grpc::Slice>& slices) {
  std::string head;
  for (const auto& slice : slices) {
    head += View(slice).substr(0, 2);
    if (head.size() >= 2) break;
  }
  return LooksLikeGzip(head);
}

Pipeline::WritableBytes Gather(const std::vector<grpc::Slice>& slices, size_t size, Pipeline* pipeline) {
  auto bytes = pipeline->Allocate(size);
  char* next = bytes.data;
  for (const auto& slice : slices) {
    if (slice.size() == 0) continue;
    std::memcpy(next, slice.begin(), slice.size());
    next += slice.size();
  }
  return bytes;
}

RequestBytes Inflate(const std::vector<grpc::Slice>& slices, uint64_t limit, Pipeline* pipeline) {
  std::vector<std::string_view> parts;
  parts.reserve(slices.size());
  for (const auto& slice : slices) parts.push_back(View(slice));
  InflateResult result = Gunzip(parts, limit, pipeline);
  switch (result.outcome) {
    case InflateResult::Outcome::kOk: return {std::move(result.bytes), grpc::Status::OK};
    case InflateResult::Outcome::kTooLarge:
      return {{}, TooLargeStatus("the request inflates to more than", limit), "too_large"};
    case InflateResult::Outcome::kMalformed: break;
  }
  return {{}, MalformedStatus(result.error), "bad_compression"};
}

RequestBytes TakeBytes(const grpc::ByteBuffer& message, uint64_t limit, Pipeline* pipeline) {
  const size_t size = message.Length();
  if (size > limit) {
    return {{}, TooLargeStatus("the request has " + std::to_string(size) + " bytes, more than", limit), "too_large"};
  }
  std::vector<grpc::Slice> slices;
  const grpc::Status dumped = message.Dump(&slices);
  if (!dumped.ok()) return {{}, dumped, "unreadable"};
  // The server is told not to decompress (gRPC 1.51 would do so without a limit), so the bytes are as they were sent.
  if (IsGzip(slices)) return Inflate(slices, limit, pipeline);
  return {Gather(slices, size, pipeline), grpc::Status::OK};
}

}  // namespace

RequestBytes TakeRequestBytes(const grpc::ByteBuffer& message, uint64_t limit, Pipeline* pipeline) {
  try {
    return TakeBytes(message, limit, pipeline);
  } catch (const std::bad_alloc&) {
    return {{}, NoMemoryStatus(), "no_memory"};
  }
}

}  // namespace otlp_arrow
