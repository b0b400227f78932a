#include "server/common/gunzip.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fake_pipeline.h"
#include "gzip_reference.h"

namespace otlp_arrow {
namespace {

using Outcome = GunzipResult::Outcome;

constexpr uint64_t kLimit = 1 << 20;

std::string RandomBytes(size_t size) {
  std::mt19937 random(7);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

class GunzipTest : public testing::Test {
 protected:
  GunzipResult Run(const std::vector<std::string>& parts, uint64_t limit = kLimit) {
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

}  // namespace
}  // namespace otlp_arrow
