// zstd for the buffers of a record batch, told what is in them. The result is plain zstd frames that any Arrow reader
// takes; only the search for matches differs, by kind of buffer:
//   offsets   each value repeats the upper bytes of the one before: said to zstd outright, no search; those with one
//             step between them, which are the same in each batch, only once
//   times     the same with more varying bytes: a search for short matches
//   indices   dictionary indices: a search where they come in runs, entropy coding alone where they alternate
//   others    zstd level 1
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include <arrow/type_fwd.h>
#include <arrow/util/compression.h>

namespace otlp_arrow {

class BufferCodec : public arrow::util::Codec {
 public:
  BufferCodec();
  ~BufferCodec() override;

  // Notes the kinds of a batch's buffers, which the next calls of Compress will bring.
  void Learn(const arrow::RecordBatch& batch);

  arrow::Result<int64_t> Compress(int64_t input_len, const uint8_t* input, int64_t output_buffer_len, uint8_t* output_buffer) override;
  int64_t MaxCompressedLen(int64_t input_len, const uint8_t* input) override;
  arrow::Compression::type compression_type() const override { return arrow::Compression::ZSTD; }
  int compression_level() const override { return 1; }
  int minimum_compression_level() const override { return 1; }
  int maximum_compression_level() const override { return 1; }
  int default_compression_level() const override { return 1; }

  // Writing only.
  arrow::Result<int64_t> Decompress(int64_t, const uint8_t*, int64_t, uint8_t*) override;
  arrow::Result<std::shared_ptr<arrow::util::Compressor>> MakeCompressor() override;
  arrow::Result<std::shared_ptr<arrow::util::Decompressor>> MakeDecompressor() override;

 private:
  enum class Kind { kGeneric, kOffsets, kTimes, kIndices };
  struct Impl;
  void LearnArray(const arrow::ArrayData& data, bool is_column);
  // The size, or 0 where this way of writing them is not worth it.
  size_t CompressOffsets(const uint8_t* input, size_t size, uint8_t* output, size_t room);

  std::unique_ptr<Impl> impl_;
  std::unordered_map<const uint8_t*, Kind> kinds_;
};

}  // namespace otlp_arrow
