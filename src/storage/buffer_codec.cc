#include "storage/buffer_codec.h"

#include <cstring>

#define ZSTD_STATIC_LINKING_ONLY  // ZSTD_compressSequences
#include <zstd.h>

#include <arrow/array/data.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "storage/even_offsets.h"

namespace otlp_arrow {
namespace {

struct ContextDeleter {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
using Context = std::unique_ptr<ZSTD_CCtx, ContextDeleter>;

struct Parameters {
  int min_match;      // shortest match that is looked for
  int target_length;  // larger: fewer positions are looked at
};
constexpr Parameters kGenericParameters = {7, 0};
constexpr Parameters kTimeParameters = {5, 0};
// So few positions that none is found: literals and their entropy coding only.
constexpr Parameters kEntropyParameters = {7, 4096};

Context MakeContext(const Parameters& p) {
  Context context(ZSTD_createCCtx());
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, 1);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, 19);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_hashLog, 13);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_minMatch, p.min_match);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_targetLength, p.target_length);
  // Levels with a target length would leave literals uncoded otherwise.
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
  return context;
}

Context MakeSequenceContext() {
  Context context(ZSTD_createCCtx());
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, 1);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, 19);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_minMatch, 3);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_blockDelimiters, ZSTD_sf_explicitBlockDelimiters);
  // A distance that stays the same then costs nothing.
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_searchForExternalRepcodes, ZSTD_ps_enable);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
  return context;
}

// Do neighbouring indices differ more often than not? Judged by a sample.
bool Alternates(const uint8_t* input, size_t size) {
  constexpr size_t kSample = 1024;
  const size_t n = size / 4 < kSample ? size / 4 : kSample;
  size_t changes = 0;
  for (size_t i = 1; i < n; ++i) changes += std::memcmp(input + 4 * i, input + 4 * (i - 1), 4) != 0;
  return changes * 4 > n;
}

}  // namespace

struct BufferCodec::Impl {
  Context generic = MakeContext(kGenericParameters);
  Context times = MakeContext(kTimeParameters);
  Context entropy = MakeContext(kEntropyParameters);
  Context sequences = MakeSequenceContext();
  std::vector<ZSTD_Sequence> list;
  EvenOffsetsCache even;
};

BufferCodec::BufferCodec() : impl_(std::make_unique<Impl>()) {}
BufferCodec::~BufferCodec() = default;

void BufferCodec::Learn(const arrow::RecordBatch& batch) {
  kinds_.clear();
  for (int i = 0; i < batch.num_columns(); ++i) LearnArray(*batch.column_data(i), true);
}

void BufferCodec::LearnArray(const arrow::ArrayData& data, bool is_column) {
  if (data.buffers.size() > 1 && data.buffers[1]) {
    Kind kind = Kind::kGeneric;
    switch (data.type->id()) {
      case arrow::Type::STRING:
      case arrow::Type::LIST:
      case arrow::Type::MAP: kind = Kind::kOffsets; break;
      case arrow::Type::TIMESTAMP:
      case arrow::Type::INT64:
      case arrow::Type::UINT64:
      case arrow::Type::DOUBLE: kind = Kind::kTimes; break;
      // Those inside lists and maps repeat from row to row, whatever their neighbours are.
      case arrow::Type::DICTIONARY: kind = is_column ? Kind::kIndices : Kind::kGeneric; break;
      default: break;
    }
    kinds_[data.buffers[1]->data()] = kind;
  }
  for (const auto& child : data.child_data) LearnArray(*child, false);
}

int64_t BufferCodec::MaxCompressedLen(int64_t input_len, const uint8_t*) {
  return static_cast<int64_t>(ZSTD_compressBound(static_cast<size_t>(input_len)));
}

arrow::Result<int64_t> BufferCodec::Compress(int64_t input_len, const uint8_t* input, int64_t output_buffer_len, uint8_t* output_buffer) {
  const auto size = static_cast<size_t>(input_len);
  const auto room = static_cast<size_t>(output_buffer_len);
  const auto found = kinds_.find(input);
  const Kind kind = found == kinds_.end() ? Kind::kGeneric : found->second;
  if (kind == Kind::kOffsets) {
    if (const size_t written = CompressOffsets(input, size, output_buffer, room)) return static_cast<int64_t>(written);
  }
  ZSTD_CCtx* context = impl_->generic.get();
  if (kind == Kind::kTimes) context = impl_->times.get();
  if (kind == Kind::kIndices && Alternates(input, size)) context = impl_->entropy.get();
  const size_t written = ZSTD_compress2(context, output_buffer, room, input, size);
  if (ZSTD_isError(written)) return arrow::Status::IOError("zstd: ", ZSTD_getErrorName(written));
  return static_cast<int64_t>(written);
}

size_t BufferCodec::CompressOffsets(const uint8_t* input, size_t size, uint8_t* output, size_t room) {
  constexpr size_t kWidth = 4;
  constexpr size_t kLeast = 64 * kWidth;
  constexpr size_t kBlock = ZSTD_BLOCKSIZE_MAX / kWidth;  // values in a block
  const size_t n = size / kWidth;
  if (size % kWidth != 0 || size < kLeast) return 0;
  auto& list = impl_->list;
  if (const auto step = EvenStep(input, n)) {
    const std::string& bytes = impl_->even.Get(*step, n, [&] {
      ListEvenSequences(input, n, *step, &list);
      std::string out(room, '\0');
      const size_t written = ZSTD_compressSequences(impl_->sequences.get(), out.data(), room, list.data(), list.size(), input, size);
      out.resize(ZSTD_isError(written) ? 0 : written);
      return out;
    });
    if (bytes.empty() || bytes.size() > room) return 0;
    std::memcpy(output, bytes.data(), bytes.size());
    return bytes.size();
  }
  list.clear();
  // The first value is a literal; then, value by value, what differs from the one before is literal and the rest is a
  // match four bytes back. Matches are of three bytes or more: a value with two bytes changed is a literal as a whole.
  unsigned literals = kWidth;
  bool extend = false;  // the last sequence's match ends where this value begins
  auto end_block = [&] {
    list.push_back({0, literals, 0, 0});
    literals = 0;
    extend = false;
  };
  uint32_t before;
  std::memcpy(&before, input, kWidth);
  for (size_t i = 1; i < n; ++i) {
    if (i % kBlock == 0) end_block();
    uint32_t value;
    std::memcpy(&value, input + kWidth * i, kWidth);
    const uint32_t changed = value ^ before;
    before = value;
    if (changed == 0 && extend) {
      list.back().matchLength += kWidth;
    } else if (changed <= 0xff) {
      const unsigned low = changed == 0 ? 0 : 1;
      list.push_back({static_cast<unsigned>(kWidth), literals + low, static_cast<unsigned>(kWidth) - low, 0});
      literals = 0;
      extend = true;
    } else {
      literals += kWidth;
      extend = false;
    }
  }
  end_block();
  const size_t written = ZSTD_compressSequences(impl_->sequences.get(), output, room, list.data(), list.size(), input, size);
  return ZSTD_isError(written) ? 0 : written;
}

arrow::Result<int64_t> BufferCodec::Decompress(int64_t, const uint8_t*, int64_t, uint8_t*) {
  return arrow::Status::NotImplemented("this codec is for writing only");
}
arrow::Result<std::shared_ptr<arrow::util::Compressor>> BufferCodec::MakeCompressor() {
  return arrow::Status::NotImplemented("this codec is for whole buffers only");
}
arrow::Result<std::shared_ptr<arrow::util::Decompressor>> BufferCodec::MakeDecompressor() {
  return arrow::Status::NotImplemented("this codec is for whole buffers only");
}

}  // namespace otlp_arrow
