#include "collector/dictionary_converter.h"

#include <map>

#include <gtest/gtest.h>
#include <opentelemetry/proto/trace/v1/trace.pb.h>

namespace otlp_arrow {
namespace {

constexpr uint32_t kPairs = 9;  // of StartSpan, and of OTLP's Span

class Texts final : public DictionaryEntries {
 public:
  std::optional<std::string_view> Find(int64_t reference) const override {
    const auto found = texts_.find(reference);
    return found == texts_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  }

 private:
  std::map<int64_t, std::string> texts_ = {{1, "first"}, {2, "second"}, {3, "interned"}};
};

class DictionaryConverterTest : public ::testing::Test {
 protected:
  // A KeyValueRef whose value `write_value` writes.
  template <class WriteValue>
  void Pair(uint32_t field, int64_t key, const WriteValue& write_value) {
    const auto pair = records_.Begin(field);
    records_.Varint(1, static_cast<uint64_t>(key));
    const auto value = records_.Begin(2);
    write_value();
    records_.End(value);
    records_.End(pair);
  }
  // A map with one entry.
  void Map(int64_t key) {
    const auto map = records_.Begin(6);
    Pair(1, key, [this] { records_.Varint(3, 7); });
    records_.End(map);
  }
  size_t Convert() {
    wire::Writer out;
    const size_t left_out = converter_.Attributes(ring::Repeated(records_.view(), kPairs), kPairs, &out);
    EXPECT_TRUE(span_.ParseFromString(out.Take()));
    return left_out;
  }

  Texts texts_;
  DictionaryConverter converter_{&texts_};
  wire::Writer records_;
  opentelemetry::proto::trace::v1::Span span_;
};

TEST_F(DictionaryConverterTest, SpellsOutKeysWhereverTheyStand) {
  Pair(kPairs, 1, [this] { records_.Bytes(1, "text"); });
  Pair(kPairs, 2, [this] { Map(1); });
  EXPECT_EQ(Convert(), 0u);
  ASSERT_EQ(span_.attributes_size(), 2);
  EXPECT_EQ(span_.attributes(0).key(), "first");
  EXPECT_EQ(span_.attributes(0).value().string_value(), "text");
  EXPECT_EQ(span_.attributes(1).key(), "second");
  EXPECT_EQ(span_.attributes(1).value().kvlist_value().values(0).key(), "first");
  EXPECT_EQ(span_.attributes(1).value().kvlist_value().values(0).value().int_value(), 7);
}

TEST_F(DictionaryConverterTest, SpellsOutInternedValues) {
  Pair(kPairs, 1, [this] { records_.Varint(8, 3); });
  EXPECT_EQ(Convert(), 0u);
  EXPECT_EQ(span_.attributes(0).value().string_value(), "interned");
}

TEST_F(DictionaryConverterTest, LeavesOutWhatItCannotConvertWholly) {
  Pair(kPairs, 99, [this] { records_.Varint(3, 1); });
  Pair(kPairs, 1, [this] { Map(99); });
  Pair(kPairs, 1, [this] { records_.Varint(8, 99); });
  Pair(kPairs, 2, [this] { records_.Varint(3, 1); });
  EXPECT_EQ(Convert(), 3u);
  ASSERT_EQ(span_.attributes_size(), 1) << "no half of an attribute stays";
  EXPECT_EQ(span_.attributes(0).key(), "second");
}

TEST_F(DictionaryConverterTest, TheLastValueOfAKeyCounts) {
  for (const auto& [key, text] : {std::pair{1, "a"}, std::pair{2, "b"}, std::pair{1, "c"}}) {
    Pair(kPairs, key, [&] { records_.Bytes(1, text); });
  }
  wire::Writer out;
  converter_.Attributes(ring::Repeated(records_.view(), kPairs), kPairs, &out);
  ASSERT_TRUE(span_.ParseFromString(LastOfEachKey(out.view())));
  ASSERT_EQ(span_.attributes_size(), 2);
  EXPECT_EQ(span_.attributes(0).key(), "first");
  EXPECT_EQ(span_.attributes(0).value().string_value(), "c");
  EXPECT_EQ(span_.attributes(1).value().string_value(), "b");
}

}  // namespace
}  // namespace otlp_arrow
