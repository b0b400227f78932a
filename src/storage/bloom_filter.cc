#include "storage/bloom_filter.h"

#include <algorithm>
#include <string_view>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <parquet/bloom_filter.h>
#include <parquet/exception.h>

#define XXH_INLINE_ALL  // ids hash without a call
#include <xxhash.h>

namespace otlp_arrow {
namespace {

// Of the row groups that do not hold an id, so many are read for nothing. Sizes are powers of two: most filters are better.
constexpr double kFalsePositives = 0.01;

arrow::Result<std::string> Serialize(const std::vector<uint64_t>& hashes) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  parquet::BlockSplitBloomFilter filter;
  filter.Init(parquet::BlockSplitBloomFilter::OptimalNumOfBytes(static_cast<uint32_t>(hashes.size()), kFalsePositives));
  filter.InsertHashes(hashes.data(), static_cast<int>(hashes.size()));
  ARROW_ASSIGN_OR_RAISE(auto sink, arrow::io::BufferOutputStream::Create(filter.GetBitsetSize() + 64));
  filter.WriteTo(sink.get());
  ARROW_ASSIGN_OR_RAISE(const auto buffer, sink->Finish());
  return buffer->ToString();
  END_PARQUET_CATCH_EXCEPTIONS
}

}  // namespace

void BloomFilterBuilder::Add(const arrow::StringArray& texts) {
  for (int64_t i = 0; i < texts.length(); ++i) {
    if (texts.IsNull(i)) continue;
    const std::string_view text = texts.GetView(i);
    const uint64_t hash = XXH64(text.data(), text.size(), 0);
    if (hashes_.empty() || hashes_.back() != hash) hashes_.push_back(hash);
  }
}

Result<std::string> BloomFilterBuilder::Finish() {
  std::vector<uint64_t> hashes;
  hashes.swap(hashes_);
  if (hashes.empty()) return std::string();
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  auto bytes = Serialize(hashes);
  hashes.clear();
  hashes_.swap(hashes);  // keeps the memory
  if (!bytes.ok()) return Status::Io("cannot make a bloom filter: " + bytes.status().message(), true);
  return *std::move(bytes);
}

}  // namespace otlp_arrow
