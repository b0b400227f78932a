// Files that are no ring files, or no longer: each is refused with a message that says what is wrong, by all who open it.
#include <cstring>
#include <functional>

#include "base/platform/platform.h"
#include "ring/ring_testing.h"
#include "temp_dir.h"

namespace otlp_arrow::ring {
namespace {

using namespace otlp_arrow::ring::testing;  // NOLINT
using otlp_arrow::testing::TempDir;

class Damage : public ::testing::Test {
 protected:
  Damage() {
    const auto writer = Must(RingWriter::Open(path_, SmallFile()));
    EXPECT_TRUE(writer->InternString("name").ok());
    EXPECT_EQ(writer->RecordSpanEnd(Ids().Key(), 1), RecordResult::kRecorded);
    whole_ = Must(platform::ReadFile(path_));
  }
  static void Put(std::string* bytes, uint64_t offset, int64_t value) { std::memcpy(bytes->data() + offset, &value, sizeof(value)); }
  static int64_t Get(const std::string& bytes, uint64_t offset) {
    int64_t value;
    std::memcpy(&value, bytes.data() + offset, sizeof(value));
    return value;
  }
  // What all three say of a file with these bytes.
  Status OpenAll(const std::string& bytes) {
    EXPECT_TRUE(platform::ReplaceFile(path_, bytes, false).ok());
    const Status of_reader = RingReader::Open(path_).status();
    EXPECT_EQ(RingInspector::Open(path_).status().message(), of_reader.message());
    if (!bytes.empty()) {  // or else a writer makes it a whole one
      EXPECT_EQ(RingWriter::Open(path_).status().message(), of_reader.message());
    }
    EXPECT_TRUE(of_reader.ok() || of_reader.code() == StatusCode::kIo);
    return of_reader;
  }
  std::string MessageWith(uint64_t offset, int64_t value, bool* retryable = nullptr) {
    std::string bytes = whole_;
    Put(&bytes, offset, value);
    const Status status = OpenAll(bytes);
    EXPECT_FALSE(status.ok()) << offset << ": " << value;
    if (retryable) *retryable = status.retryable();
    return status.message();
  }

  TempDir dir_;
  std::string path_ = dir_ / "ring";
  std::string whole_;
  const int64_t events_ = sizeof(FileHeader);
  const int64_t ring_bytes_ = RingBytes(16, 256);
  const int64_t dictionary_ = events_ + 3 * ring_bytes_;
};

#define EXPECT_SAYS(message, part) EXPECT_NE((message).find(part), std::string::npos) << (message)

TEST_F(Damage, TheWholeFileIsNone) { EXPECT_TRUE(OpenAll(whole_).ok()); }

TEST_F(Damage, OtherVersionsAreNamed) {
  bool retryable = false;
  EXPECT_SAYS(MessageWith(0, 2, &retryable), "has version 2 of the OTLP-MMAP format, or is no such file; version 1 is supported");
  EXPECT_FALSE(retryable);
  EXPECT_SAYS(MessageWith(0, 0, &retryable), "is it just being created?");
  EXPECT_TRUE(retryable);
}

TEST_F(Damage, OffsetsMustLieInTheFile) {
  for (const int64_t wrong : {int64_t{0}, int64_t{8}, int64_t{-1}, int64_t{-64}, INT64_MIN, INT64_MAX, events_ + 4, static_cast<int64_t>(whole_.size())}) {
    EXPECT_SAYS(MessageWith(16, wrong), "the ring of spans");
    EXPECT_SAYS(MessageWith(32, wrong), "the dictionary is said to begin at byte " + std::to_string(wrong));
  }
}

TEST_F(Damage, NothingMayOverlap) {
  EXPECT_SAYS(MessageWith(16, events_), "reaches into");
  EXPECT_SAYS(MessageWith(32, events_ + 64), "reaches into");
}

TEST_F(Damage, SizesOfRingsAreChecked) {
  for (const int64_t wrong : {int64_t{0}, int64_t{-1}, int64_t{15}, int64_t{1} << 27, INT64_MIN}) {
    EXPECT_SAYS(MessageWith(static_cast<uint64_t>(events_), wrong), "the ring of events has " + std::to_string(wrong) + " slots");
  }
  for (const int64_t wrong : {int64_t{0}, int64_t{-1}, int64_t{1} << 40, INT64_MIN}) {
    EXPECT_SAYS(MessageWith(static_cast<uint64_t>(events_) + 8, wrong), "slots of " + std::to_string(wrong) + " bytes");
  }
  EXPECT_SAYS(MessageWith(static_cast<uint64_t>(events_), 1 << 20), "behind the end of the file");
  EXPECT_SAYS(MessageWith(static_cast<uint64_t>(events_), 32), "reaches into");
}

TEST_F(Damage, IndicesAreChecked) {
  const auto spans = static_cast<uint64_t>(events_ + ring_bytes_);
  EXPECT_SAYS(MessageWith(spans + 16, 1), "the ring of spans was read up to record 1 and written up to 0");
  EXPECT_SAYS(MessageWith(spans + 16, -2), "read up to record -2");
  EXPECT_SAYS(MessageWith(spans + 24, 16), "written up to 16, with 16 slots");
  EXPECT_SAYS(MessageWith(spans + 24, INT64_MAX), "written up to");
  EXPECT_SAYS(MessageWith(spans + 24, -5), "written up to -5");
}

TEST_F(Damage, TheDictionarysEndIsChecked) {
  for (const int64_t wrong : {int64_t{0}, dictionary_ + 63, static_cast<int64_t>(whole_.size()) + 1, INT64_MIN, INT64_MAX}) {
    EXPECT_SAYS(MessageWith(static_cast<uint64_t>(dictionary_), wrong), "its dictionary is said to end at byte " + std::to_string(wrong));
  }
}

TEST_F(Damage, CutFilesAreRefusedAtEveryLength) {
  const auto needed = static_cast<size_t>(Get(whole_, static_cast<uint64_t>(dictionary_)));
  for (size_t size = 0; size < needed; size += size < 70 ? 1 : 331) EXPECT_FALSE(OpenAll(whole_.substr(0, size)).ok()) << size;
  EXPECT_TRUE(OpenAll(whole_.substr(0, needed)).ok());
}

TEST_F(Damage, NoiseIsNeitherReadNorWrittenPastItsEnds) {
  uint64_t random = 42;
  int opened = 0;
  for (int round = 0; round < 300; ++round) {
    std::string bytes = whole_;
    const bool everywhere = round % 3 == 0;
    for (size_t at = everywhere ? 0 : sizeof(FileHeader); at < bytes.size(); ++at) {
      random ^= random << 13, random ^= random >> 7, random ^= random << 17;
      if (everywhere || random % 50 == 0) bytes[at] = static_cast<char>(random >> 24);
    }
    // The sizes as they were, so that what stands in the rings is looked at.
    if (!everywhere) {
      for (int64_t r = 0; r < 3; ++r) {
        const auto ring = static_cast<uint64_t>(events_ + r * ring_bytes_);
        Put(&bytes, ring, 16);
        Put(&bytes, ring + 8, 256);
        Put(&bytes, ring + 16, 100);
        Put(&bytes, ring + 24, 116);
      }
      Put(&bytes, static_cast<uint64_t>(dictionary_), dictionary_ + 500);
    }
    ASSERT_TRUE(platform::ReplaceFile(path_, bytes, false).ok());
    const auto writer = RingWriter::Open(path_, SmallFile());
    const auto reader = RingReader::Open(path_);
    ASSERT_EQ(writer.ok(), reader.ok());
    if (!reader.ok()) continue;
    ++opened;
    (void)(*writer)->RecordSpanStart(Ids().Start("x"));
    (void)(*writer)->InternString("new " + std::to_string(round));
    for (const RingKind kind : kAllRings) {
      const auto batch = (*reader)->Poll(kind);
      if (!batch.ok()) continue;
      for (const RecordView& record : *batch) {
        if (const auto span = ReadSpanEvent(record.bytes)) (void)(*reader)->Entry(span->scope);
        if (const auto event = ReadEvent(record.bytes)) (void)(*reader)->Entry(event->event_name);
      }
      (*reader)->Advance(kind, INT64_MAX);
    }
    for (Ref ref = 0; ref < static_cast<Ref>(bytes.size()) + 100; ref += 13) (void)(*reader)->Entry(ref);
  }
  EXPECT_EQ(opened, 200);
}

TEST_F(Damage, OtherThingsThanFilesAreRefused) {
  EXPECT_SAYS(RingReader::Open(dir_ / "missing").status().message(), "No such file");
  EXPECT_SAYS(RingReader::Open(dir_.path()).status().message(), dir_.path());
  EXPECT_SAYS(RingWriter::Open(dir_.path()).status().message(), dir_.path());
  EXPECT_SAYS(RingWriter::Open("/dev/null").status().message(), "it is no regular file");
}

}  // namespace
}  // namespace otlp_arrow::ring
