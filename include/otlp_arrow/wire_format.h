// Protobuf's wire format: what readers and writers of it share.
// https://protobuf.dev/programming-guides/encoding
#pragma once

#include <bit>
#include <cstdint>

namespace otlp_arrow::wire {

static_assert(std::endian::native == std::endian::little, "fixed-width fields are read and written as they lie in memory");

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLen = 2, kStartGroup = 3, kEndGroup = 4, kFixed32 = 5 };

constexpr uint32_t Tag(uint32_t field, WireType type) { return field << 3 | type; }

}  // namespace otlp_arrow::wire
