#include "storage/buffer_codec.h"

#include <random>

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

// Compresses a column of a one-column batch and reads it back with Arrow's own codec.
void ExpectRoundTrip(const std::shared_ptr<arrow::Array>& column, const std::string& what) {
  auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("c", column->type())}), column->length(), {column});
  BufferCodec codec;
  codec.Learn(*batch);
  auto reference = *arrow::util::Codec::Create(arrow::Compression::ZSTD);
  for (const auto& buffer : column->data()->buffers) {
    if (!buffer || buffer->size() == 0) continue;
    std::vector<uint8_t> packed(static_cast<size_t>(codec.MaxCompressedLen(buffer->size(), buffer->data())));
    auto size = codec.Compress(buffer->size(), buffer->data(), static_cast<int64_t>(packed.size()), packed.data());
    ASSERT_TRUE(size.ok()) << what << ": " << size.status();
    std::vector<uint8_t> unpacked(static_cast<size_t>(buffer->size()));
    auto read = reference->Decompress(*size, packed.data(), buffer->size(), unpacked.data());
    ASSERT_TRUE(read.ok()) << what << ": " << read.status();
    ASSERT_EQ(*read, buffer->size()) << what;
    EXPECT_EQ(0, memcmp(unpacked.data(), buffer->data(), unpacked.size())) << what;
  }
}

TEST(BufferCodec, OffsetsOfEveryShapeReadBack) {
  std::mt19937 random(7);
  for (int shape = 0; shape < 9; ++shape) {
    for (int rows : {0, 1, 15, 63, 64, 65, 1000, 32767, 32768, 32769, 70000, 200000}) {
      arrow::StringBuilder builder;
      for (int i = 0; i < rows; ++i) {
        const size_t size = shape == 0   ? 0
                            : shape == 1 ? 32
                            : shape == 2 ? random() % 20
                            : shape == 3 ? (random() % 100 == 0 ? 5 : 0)
                            : shape == 4 ? random() % 400
                            : shape == 5 ? (i % 2 ? 1 : 0)
                            : shape == 6 ? 256
                            : shape == 7 ? (i == rows / 2 ? 70000 : 1)
                                         : 16;
        ASSERT_TRUE(builder.Append(std::string(size, 'x')).ok());
      }
      ExpectRoundTrip(*builder.Finish(), "shape " + std::to_string(shape) + ", " + std::to_string(rows) + " rows");
    }
  }
}

TEST(BufferCodec, OffsetsOfIdsTakeNextToNothingEachTime) {
  arrow::StringBuilder builder;
  for (int i = 0; i < 16384; ++i) ASSERT_TRUE(builder.Append(std::string(32, 'a')).ok());
  auto column = *builder.Finish();
  auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("c", column->type())}), column->length(), {column});
  const auto& offsets = column->data()->buffers[1];
  BufferCodec codec;
  codec.Learn(*batch);
  auto reference = *arrow::util::Codec::Create(arrow::Compression::ZSTD);
  for (int time = 0; time < 2; ++time) {
    std::vector<uint8_t> packed(static_cast<size_t>(codec.MaxCompressedLen(offsets->size(), offsets->data())));
    const int64_t size = *codec.Compress(offsets->size(), offsets->data(), static_cast<int64_t>(packed.size()), packed.data());
    EXPECT_LT(size, offsets->size() / 12);
    std::vector<uint8_t> unpacked(static_cast<size_t>(offsets->size()));
    ASSERT_TRUE(reference->Decompress(size, packed.data(), offsets->size(), unpacked.data()).ok());
    EXPECT_EQ(0, memcmp(unpacked.data(), offsets->data(), unpacked.size()));
  }
}

TEST(BufferCodec, NumbersAndIndicesReadBack) {
  std::mt19937_64 random(11);
  for (int rows : {1, 100, 5000, 40000}) {
    arrow::Int64Builder ints;
    arrow::DoubleBuilder doubles;
    arrow::StringDictionary32Builder alternating, runs;
    for (int i = 0; i < rows; ++i) {
      ASSERT_TRUE(ints.Append(static_cast<int64_t>(1760000000000000000 + random() % 100000000)).ok());
      ASSERT_TRUE(doubles.Append(static_cast<double>(random())).ok());
      ASSERT_TRUE(alternating.Append(std::to_string(random() % 7)).ok());
      ASSERT_TRUE(runs.Append(std::to_string(i / 1000)).ok());
    }
    ExpectRoundTrip(*ints.Finish(), "int64");
    ExpectRoundTrip(*doubles.Finish(), "double");
    ExpectRoundTrip(*alternating.Finish(), "alternating indices");
    ExpectRoundTrip(*runs.Finish(), "runs of indices");
  }
}

TEST(BufferCodec, OffsetsTakeAboutAByteEach) {
  std::mt19937 random(3);
  arrow::StringBuilder builder;
  for (int i = 0; i < 32768; ++i) ASSERT_TRUE(builder.Append(std::string(random() % 20, 'x')).ok());
  auto column = *builder.Finish();
  auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("c", column->type())}), column->length(), {column});
  const auto& offsets = column->data()->buffers[1];
  std::vector<uint8_t> out(200000);
  BufferCodec hinted, plain;
  hinted.Learn(*batch);
  const auto with_hint = *hinted.Compress(offsets->size(), offsets->data(), 200000, out.data());
  const auto without = *plain.Compress(offsets->size(), offsets->data(), 200000, out.data());
  EXPECT_LT(with_hint, 32768 * 3 / 2);
  EXPECT_GT(without, 32768 * 2);
}

}  // namespace
}  // namespace otlp_arrow
