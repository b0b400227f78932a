#include "storage/writer_directory.h"

#include <gtest/gtest.h>

#include "temp_dir.h"

namespace otlp_arrow {
namespace {

class WriterDirectory : public ::testing::Test {
 protected:
  WriterDirectory() : layout_(dir_.path()) {}
  std::vector<platform::DirectoryEntry> Journals() { return *platform::ListDirectory(layout_.JournalsDir()); }

  testing::TempDir dir_;
  StoreLayout layout_;
};

TEST_F(WriterDirectory, AppearsLocked) {
  auto lock = CreateWriterDirectory(layout_, "w");
  ASSERT_TRUE(lock.ok() && lock->has_value());
  EXPECT_FALSE(platform::FileLock::TryLock(layout_.WriterLock("w"))->has_value());
  ASSERT_EQ(Journals().size(), 1u);
  EXPECT_EQ(Journals()[0].name, "w");
  lock->reset();
  EXPECT_TRUE(platform::FileLock::TryLock(layout_.WriterLock("w"))->has_value());
}

TEST_F(WriterDirectory, IsNotTakenFromAnother) {
  auto first = CreateWriterDirectory(layout_, "w");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(CreateWriterDirectory(layout_, "w").status().code(), StatusCode::kIo);
}

TEST_F(WriterDirectory, GoesWithAllThatIsInIt) {
  auto lock = CreateWriterDirectory(layout_, "w");
  ASSERT_TRUE(lock.ok());
  ASSERT_TRUE(platform::ReplaceFile(layout_.WriterDir("w") + "/0000000001.journal", "x", false).ok());
  ASSERT_TRUE(platform::CreateDirectories(layout_.WriterDir("w") + "/more/of/it").ok());
  EXPECT_TRUE(RemoveWriterDirectory(layout_, "w").ok());
  EXPECT_TRUE(Journals().empty());
  EXPECT_TRUE(RemoveWriterDirectory(layout_, "w").ok());
}

}  // namespace
}  // namespace otlp_arrow
