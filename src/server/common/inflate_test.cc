#include "server/common/inflate.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <zstd.h>

#include "fake_pipeline.h"
#include "gzip_reference.h"

namespace otlp_arrow {
namespace {

using Outcome = InflateResult::Outcome;

constexpr uint64_t kLimit = 1 << 20;

std::string RandomBytes(size_t size) {
  std::mt19937 random(7);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

class GunzipTest : public testing::Test {
 protected:
  InflateResult Run(const std::vector<std::string>& parts, uint64_t limit = kLimit) {
    std::vector<std::string_view> views(parts.begin(), parts.end());
    return Gunzip(views, limit, &pipeline_);
  }
  std::string Inflated(const std::vector<std::string>& parts, uint64_t limit = kLimit) {
    auto result = Run(parts, limit);
    EXPECT_EQ(result.outcome, Outcome::kOk) << result.error;
    return {result.bytes.data, result.bytes.size};
  }
  static std::vector<std::string> Split(const std::string& bytes, size_t size) {
    std::vector<std::string> parts;
    for (size_t i = 0; i < bytes.size(); i += size) parts.push_back(bytes.substr(i, size));
    return parts;
  }

  FakePipeline pipeline_;
};

TEST_F(GunzipTest, ReadsWhatZlibWrote) {
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(100'000, 'a'), RandomBytes(100'000)}) {
    EXPECT_EQ(Inflated({Gzip(bytes)}), bytes);
  }
}

TEST_F(GunzipTest, TakesTheSizeFromTheTrailer) {
  const std::string bytes = RandomBytes(50'000);
  EXPECT_EQ(Inflated({Gzip(bytes)}), bytes);
  EXPECT_EQ(pipeline_.largest_allocation(), bytes.size());
}

TEST_F(GunzipTest, ReadsPartsOfAnySize) {
  const std::string bytes = RandomBytes(3000) + std::string(20'000, 'b');
  const std::string zipped = Gzip(bytes);
  for (const size_t size : {1u, 7u, 1000u}) EXPECT_EQ(Inflated(Split(zipped, size)), bytes) << size;
}

TEST_F(GunzipTest, ReadsMembersOneAfterTheOther) {
  const std::string a(5000, 'a');
  const std::string b = RandomBytes(9000);
  const std::string zipped = Gzip(a) + Gzip(b);
  EXPECT_EQ(Inflated({zipped}), a + b);
  for (const size_t size : {1u, 20u}) EXPECT_EQ(Inflated(Split(zipped, size)), a + b) << size;
}

TEST_F(GunzipTest, ReadsTrailersThatLie) {
  std::string zipped = Gzip(std::string(60'000, 'a')) + Gzip("z");  // the last trailer says 1 byte
  EXPECT_EQ(Inflated({zipped}).size(), 60'001u);
}

TEST_F(GunzipTest, LimitIsExact) {
  const std::string bytes = RandomBytes(10'000);
  const std::string zipped = Gzip(bytes);
  EXPECT_EQ(Inflated({zipped}, bytes.size()), bytes);
  EXPECT_EQ(Run({zipped}, bytes.size() - 1).outcome, Outcome::kTooLarge);
}

TEST_F(GunzipTest, BombTakesNoMoreMemoryThanTheLimit) {
  const std::string zipped = Gzip(std::string(20 * kLimit, '\0'), 9);
  EXPECT_EQ(Run({zipped}).outcome, Outcome::kTooLarge);
  EXPECT_LE(pipeline_.largest_allocation(), kLimit);
}

TEST_F(GunzipTest, BombOfMembersTakesNoMoreMemoryThanTheLimit) {
  const std::string member = Gzip(std::string(kLimit / 2, '\0'), 9);
  EXPECT_EQ(Run({member + member + member}).outcome, Outcome::kTooLarge);
  EXPECT_LE(pipeline_.largest_allocation(), kLimit);
}

TEST_F(GunzipTest, EveryTruncationIsMalformed) {
  const std::string zipped = Gzip(std::string(1000, 'a') + RandomBytes(500));
  for (size_t size = 0; size < zipped.size(); ++size) {
    const auto result = Run({zipped.substr(0, size)});
    ASSERT_EQ(result.outcome, Outcome::kMalformed) << size;
    ASSERT_FALSE(result.error.empty());
  }
}

TEST_F(GunzipTest, DamageIsNeverTakenForOtherData) {
  const std::string bytes(4000, 'q');
  const std::string zipped = Gzip(bytes);
  for (size_t i = 10; i < zipped.size(); ++i) {  // after the header, whose time stamp anybody may set
    std::string damaged = zipped;
    damaged[i] ^= 0x55;
    const auto result = Run({damaged});
    if (result.outcome != Outcome::kOk) continue;
    EXPECT_EQ(std::string_view(result.bytes.data, result.bytes.size), bytes) << i;  // it met padding bits
  }
}

TEST_F(GunzipTest, GarbageAfterTheEndIsMalformed) {
  EXPECT_EQ(Run({Gzip("a") + "garbage"}).outcome, Outcome::kMalformed);
  EXPECT_EQ(Run({"not gzip at all"}).outcome, Outcome::kMalformed);
}

TEST_F(GunzipTest, AnInflaterIsReusableAfterDamage) {
  EXPECT_EQ(Run({Gzip("abc").substr(0, 12)}).outcome, Outcome::kMalformed);
  EXPECT_EQ(Inflated({Gzip("abc")}), "abc");
}

class UndeflateTest : public GunzipTest {
 protected:
  InflateResult Run(const std::vector<std::string>& parts, uint64_t limit = kLimit) {
    std::vector<std::string_view> views(parts.begin(), parts.end());
    return Undeflate(views, limit, &pipeline_);
  }
  void ExpectInflated(const std::vector<std::string>& parts, const std::string& wanted) {
    const auto result = Run(parts);
    ASSERT_EQ(result.outcome, Outcome::kOk) << result.error;
    EXPECT_EQ(std::string(result.bytes.data, result.bytes.size) == wanted, true);
  }
};

TEST_F(UndeflateTest, ReadsBothFormatsInPartsOfAnySize) {
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(100'000, 'a'), RandomBytes(100'000)}) {
    for (const int window_bits : {15, -15}) {
      const std::string packed = Deflate(bytes, window_bits);
      ExpectInflated({packed}, bytes);
      ExpectInflated(Split(packed, 1), bytes);
    }
  }
}

TEST_F(UndeflateTest, DamageAndBombsAreRefused) {
  for (const int window_bits : {15, -15}) {
    const std::string packed = Deflate(std::string(1000, 'a') + RandomBytes(500), window_bits);
    for (size_t size = 0; size < packed.size(); ++size) ASSERT_EQ(Run({packed.substr(0, size)}).outcome, Outcome::kMalformed) << size;
    EXPECT_EQ(Run({packed + "x"}).outcome, Outcome::kMalformed);
    EXPECT_EQ(Run({Deflate(std::string(20 * kLimit, '\0'), window_bits)}).outcome, Outcome::kTooLarge);
  }
  EXPECT_LE(pipeline_.largest_allocation(), kLimit);
}

class UnzstdTest : public GunzipTest {
 protected:
  static std::string Zstd(const std::string& bytes, bool tells_size = true) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, tells_size ? 1 : 0);
    std::string out(ZSTD_compressBound(bytes.size()), '\0');
    out.resize(ZSTD_compress2(context, out.data(), out.size(), bytes.data(), bytes.size()));
    ZSTD_freeCCtx(context);
    return out;
  }
  InflateResult Run(const std::vector<std::string>& parts, uint64_t limit = kLimit) {
    std::vector<std::string_view> views(parts.begin(), parts.end());
    return Unzstd(views, limit, &pipeline_);
  }
  void ExpectInflated(const std::vector<std::string>& parts, const std::string& wanted) {
    const auto result = Run(parts);
    ASSERT_EQ(result.outcome, Outcome::kOk) << result.error;
    EXPECT_EQ(std::string(result.bytes.data, result.bytes.size), wanted);
  }
};

TEST_F(UnzstdTest, ReadsFramesInPartsOfAnySize) {
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(300'000, 'a'), RandomBytes(100'000)}) {
    for (const bool tells_size : {true, false}) {
      const std::string frame = Zstd(bytes, tells_size);
      ExpectInflated({frame}, bytes);
      ExpectInflated(Split(frame, 1000), bytes);
      ExpectInflated({frame, frame}, bytes + bytes);
    }
  }
}

TEST_F(UnzstdTest, ABombStopsAtTheLimit) {
  for (const bool tells_size : {true, false}) {
    EXPECT_EQ(Run({Zstd(std::string(64 * kLimit, '\0'), tells_size)}).outcome, Outcome::kTooLarge);
  }
  EXPECT_LE(pipeline_.largest_allocation(), kLimit);
  const auto whole = Run({Zstd(std::string(kLimit, '\0'))});
  EXPECT_EQ(whole.outcome, Outcome::kOk);
  EXPECT_EQ(whole.bytes.size, kLimit);
}

TEST_F(UnzstdTest, DamageIsNamed) {
  const std::string frame = Zstd(RandomBytes(10'000));
  for (const auto& parts : std::vector<std::vector<std::string>>{{}, {""}, {"not zstd at all"}, {frame.substr(0, frame.size() - 1)}, {frame + "x"}}) {
    const auto result = Run(parts);
    EXPECT_EQ(result.outcome, Outcome::kMalformed);
    EXPECT_NE(result.error.find("zstd data is damaged"), std::string::npos) << result.error;
  }
  ExpectInflated({frame}, RandomBytes(10'000));  // damage before leaves nothing behind
}

TEST_F(UnzstdTest, AFrameThatWantsALargeWindowIsRefused) {
  // Of a frame whose size is not known in advance the window is what the sender chose.
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 27);
  const std::string bytes = RandomBytes(1000);
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  ZSTD_outBuffer output{frame.data(), frame.size(), 0};
  ASSERT_FALSE(ZSTD_isError(ZSTD_compressStream2(context, &output, &input, ZSTD_e_continue)));
  ASSERT_EQ(ZSTD_compressStream2(context, &output, &input, ZSTD_e_end), 0u);
  ZSTD_freeCCtx(context);
  const auto result = Run({frame.substr(0, output.pos)}, 1 << 30);
  EXPECT_EQ(result.outcome, Outcome::kMalformed);
  EXPECT_NE(result.error.find("memory"), std::string::npos) << result.error;
}

}  // namespace
}  // namespace otlp_arrow
