#include "otlp/wire.h"

#include <limits>
#include <random>
#include <string>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

namespace otlp_arrow::wire {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

// Bytes as libprotobuf writes them.
template <class Write>
std::string Written(Write write) {
  std::string bytes;
  {
    StringOutputStream stream(&bytes);
    CodedOutputStream out(&stream);
    write(&out);
  }
  return bytes;
}

const uint64_t kNumbers[] = {0, 1, 127, 128, 16383, 16384, (1ull << 28) - 1, 1ull << 28, UINT32_MAX, 1ull << 35, 1ull << 56, (1ull << 63) - 1,
                             1ull << 63, UINT64_MAX};

TEST(Wire, ReadsVarintsAsLibprotobufWritesThem) {
  for (const uint64_t number : kNumbers) {
    const std::string bytes = Written([&](CodedOutputStream* out) { out->WriteVarint64(number); }) + "rest";
    Cursor c(bytes);
    uint64_t read = 0;
    ASSERT_TRUE(ReadVarint(&c, &read));
    EXPECT_EQ(read, number);
    EXPECT_EQ(c.rest(), "rest");
  }
}

TEST(Wire, ReadsVarintsAsLibprotobufReadsThem) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 12, 0);
    for (char& c : bytes) c = static_cast<char>(random() % 8 ? random() | 0x80 : random());
    CodedInputStream reference(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
    uint64_t wanted = 0, read = 0;
    const bool can = reference.ReadVarint64(&wanted);
    Cursor c(bytes);
    ASSERT_EQ(ReadVarint(&c, &read), can);
    if (!can) continue;
    EXPECT_EQ(read, wanted);
    EXPECT_EQ(c.left(), bytes.size() - static_cast<size_t>(reference.CurrentPosition()));
  }
}

TEST(Wire, RefusesVarintsWithoutEnd) {
  uint64_t value = 7;
  for (const std::string& bytes : {std::string(), std::string("\x80"), std::string(9, '\xff'), std::string(10, '\xff') + '\x01'}) {
    Cursor c(bytes);
    EXPECT_FALSE(ReadVarint(&c, &value));
    EXPECT_EQ(c.left(), bytes.size()) << "it stays where it was";
  }
  EXPECT_EQ(value, 7u);
}

TEST(Wire, ReadsTags) {
  uint32_t tag = 0;
  for (const uint32_t field : {1u, 15u, 16u, 2047u, 2048u, (1u << 29) - 1}) {
    const std::string bytes = Written([&](CodedOutputStream* out) { out->WriteTag(Tag(field, kLen)); });
    Cursor c(bytes);
    ASSERT_TRUE(ReadTag(&c, &tag));
    EXPECT_EQ(tag, Tag(field, kLen));
    EXPECT_TRUE(c.done());
  }
  // Field 0, and a field number that does not fit.
  for (const uint64_t bad : {uint64_t{0}, uint64_t{2}, uint64_t{7}, uint64_t{UINT32_MAX} + 1, UINT64_MAX}) {
    const std::string bytes = Written([&](CodedOutputStream* out) { out->WriteVarint64(bad); });
    Cursor c(bytes);
    EXPECT_FALSE(ReadTag(&c, &tag)) << bad;
  }
}

TEST(Wire, ReadsFixedWidthNumbers) {
  const std::string bytes = Written([](CodedOutputStream* out) {
    out->WriteLittleEndian64(0x0102030405060708);
    out->WriteLittleEndian32(0xdeadbeef);
  });
  Cursor c(bytes);
  uint64_t wide = 0;
  uint32_t narrow = 0;
  ASSERT_TRUE(ReadFixed64(&c, &wide) && ReadFixed32(&c, &narrow));
  EXPECT_EQ(wide, 0x0102030405060708u);
  EXPECT_EQ(narrow, 0xdeadbeefu);
  EXPECT_TRUE(c.done());
  Cursor seven(std::string_view(bytes).substr(0, 7)), three(std::string_view(bytes).substr(0, 3));
  EXPECT_FALSE(ReadFixed64(&seven, &wide));
  EXPECT_FALSE(ReadFixed32(&three, &narrow));
  EXPECT_EQ(ToDouble(0x3ff0000000000000), 1.0);
}

TEST(Wire, ReadsLengthsOnlyWithinTheEnd) {
  const std::string bytes = "\x03" "abcd";
  Cursor c(bytes), body(nullptr, nullptr);
  ASSERT_TRUE(ReadLen(&c, &body));
  EXPECT_EQ(body.rest(), "abc");
  EXPECT_EQ(c.rest(), "d");
  for (const uint64_t size : {uint64_t{5}, uint64_t{1} << 31, uint64_t{1} << 63, UINT64_MAX}) {
    const std::string longer = Written([&](CodedOutputStream* out) { out->WriteVarint64(size); }) + "abcd";
    Cursor l(longer);
    EXPECT_FALSE(ReadLen(&l, &body)) << size;
  }
  Cursor empty(std::string_view("\0", 1));
  ASSERT_TRUE(ReadLen(&empty, &body));
  EXPECT_TRUE(body.done());
}

std::string Nested(int depth) {
  std::string bytes;
  for (int i = 0; i < depth; ++i) bytes.push_back(static_cast<char>(Tag(2, kStartGroup)));
  for (int i = 0; i < depth; ++i) bytes.push_back(static_cast<char>(Tag(2, kEndGroup)));
  return bytes;
}

// Skips one field, tag included; -1 if it cannot, else how many bytes are left.
int SkipOne(const std::string& bytes) {
  Cursor c(bytes);
  uint32_t tag = 0;
  if (!ReadTag(&c, &tag) || !SkipValue(&c, tag)) return -1;
  return static_cast<int>(c.left());
}

TEST(Wire, SkipsEveryKindOfValue) {
  auto one = [](WireType type, const std::string& value) { return SkipOne(std::string(1, static_cast<char>(Tag(3, type))) + value); };
  EXPECT_EQ(one(kVarint, "\x80\x01rest"), 4);
  EXPECT_EQ(one(kFixed64, "12345678rest"), 4);
  EXPECT_EQ(one(kFixed32, "1234rest"), 4);
  EXPECT_EQ(one(kLen, "\x02" "abrest"), 4);
  EXPECT_EQ(one(kVarint, "\x80"), -1);
  EXPECT_EQ(one(kFixed64, "1234567"), -1);
  EXPECT_EQ(one(kFixed32, "123"), -1);
  EXPECT_EQ(one(kLen, "\x03" "ab"), -1);
  EXPECT_EQ(one(kEndGroup, "rest"), -1);
  EXPECT_EQ(one(static_cast<WireType>(6), "rest"), -1);
  EXPECT_EQ(one(static_cast<WireType>(7), "rest"), -1);
}

TEST(Wire, SkipsGroups) {
  EXPECT_EQ(SkipOne(Nested(1) + "rest"), 4);
  EXPECT_EQ(SkipOne(Nested(64) + "rest"), 4);
  EXPECT_EQ(SkipOne(Nested(65)), -1);
  EXPECT_EQ(SkipOne(Nested(100'000)), -1);
  const std::string start(1, static_cast<char>(Tag(2, kStartGroup))), end(1, static_cast<char>(Tag(2, kEndGroup)));
  const std::string other_end(1, static_cast<char>(Tag(3, kEndGroup)));
  EXPECT_EQ(SkipOne(start + "\x08\x01" "\x12\x01x" "\x19" "12345678" "\x25" "1234" + end + "rest"), 4);
  EXPECT_EQ(SkipOne(start), -1);
  EXPECT_EQ(SkipOne(start + other_end), -1);
  EXPECT_EQ(SkipOne(start + "\x12\x05x" + end), -1);
  EXPECT_EQ(SkipOne(start + start + end), -1);
}

TEST(Wire, ZigZagIsThatOfLibprotobuf) {
  for (const int32_t value : {0, -1, 1, -2, 2, 1000, -1000, std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min()}) {
    const uint32_t coded = static_cast<uint32_t>(value) << 1 ^ static_cast<uint32_t>(value >> 31);
    EXPECT_EQ(ZigZag32(coded), value);
  }
}

TEST(Wire, IsAsciiSeesEveryByte) {
  for (size_t size = 0; size < 40; ++size) {
    std::string text(size, '\x7f');
    EXPECT_TRUE(IsAscii(reinterpret_cast<const uint8_t*>(text.data()), size)) << size;
    for (size_t at = 0; at < size; ++at) {
      text[at] = '\x80';
      EXPECT_FALSE(IsAscii(reinterpret_cast<const uint8_t*>(text.data()), size)) << at << " of " << size;
      text[at] = '\0';
    }
  }
}

TEST(Wire, SameBytesSeesEveryByte) {
  for (size_t size = 0; size < 40; ++size) {
    const std::string a(size, 'x');
    std::string b = a;
    EXPECT_TRUE(SameBytes(a.data(), b.data(), size)) << size;
    for (size_t at = 0; at < size; ++at) {
      b[at] = 'y';
      EXPECT_FALSE(SameBytes(a.data(), b.data(), size)) << at << " of " << size;
      b[at] = 'x';
    }
  }
}

}  // namespace
}  // namespace otlp_arrow::wire
