#include "base/platform/shared_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "base/platform/platform.h"
#include "child_process.h"
#include "temp_dir.h"

namespace otlp_arrow::platform {
namespace {

using otlp_arrow::testing::ChildProcess;
using otlp_arrow::testing::Pipe;
using otlp_arrow::testing::TempDir;

class SharedFileTest : public ::testing::Test {
 protected:
  SharedFile Make(const std::string& path) {
    auto file = SharedFile::OpenOrCreate(path, [](SharedFile* made) { return made->Reserve(0, 8192); });
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return *std::move(file);
  }
  RangeLocks Locks(const SharedFile& file) {
    auto locks = RangeLocks::Open(file);
    EXPECT_TRUE(locks.ok()) << locks.status().ToString();
    return *std::move(locks);
  }
  using Offsets = std::vector<int64_t>;

  TempDir dir_;
};

TEST_F(SharedFileTest, MappingsOfAFileShareItsBytes) {
  const SharedFile file = Make(dir_ / "file");
  auto writing = file.Map(8192, SharedFile::Mode::kReadWrite);
  auto reading = file.Map(1 << 20, SharedFile::Mode::kRead);  // may reach behind the end
  ASSERT_TRUE(writing.ok() && reading.ok());
  std::strcpy(writing->data() + 8000, "shared");
  EXPECT_STREQ(reading->data() + 8000, "shared");
  EXPECT_EQ(reading->size(), 1u << 20);
  ChildProcess child([&] {
    std::strcpy(writing->data() + 8000, "child's");
    return 0;
  });
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_STREQ(reading->data() + 8000, "child's");
}

TEST_F(SharedFileTest, ReserveKeepsWhatIsThereAndTakesSpace) {
  SharedFile file = Make(dir_ / "file");
  auto mapping = file.Map(1 << 20, SharedFile::Mode::kReadWrite);
  std::strcpy(mapping->data(), "kept");
  ASSERT_TRUE(file.Reserve(4096, 100'000).ok());
  EXPECT_EQ(*file.Size(), 104'096u);
  EXPECT_STREQ(mapping->data(), "kept");
  EXPECT_EQ(mapping->data()[104'095], 0);
  ASSERT_TRUE(file.Reserve(0, 10).ok());
  EXPECT_EQ(*file.Size(), 104'096u);
  struct stat info {};
  ASSERT_EQ(::stat((dir_ / "file").c_str(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, 104'096);
}

TEST_F(SharedFileTest, AFileThatCannotBeFilledIsNeverSeen) {
  const auto refused = SharedFile::OpenOrCreate(dir_ / "file", [&](SharedFile*) {
    EXPECT_FALSE(Exists(dir_ / "file"));
    return Status::Io("no");
  });
  EXPECT_EQ(refused.status().message(), "no");
  EXPECT_TRUE(ListDirectory(dir_.path())->empty());
  const auto nowhere = SharedFile::OpenOrCreate(dir_ / "none/file", [](SharedFile*) { return Status::Ok(); });
  EXPECT_EQ(nowhere.status().code(), StatusCode::kIo);
}

TEST_F(SharedFileTest, WhoComesSecondOpensTheFirstOnesFile) {
  const auto file = SharedFile::OpenOrCreate(dir_ / "file", [&](SharedFile* slower) {
    EXPECT_TRUE(ReplaceFile(dir_ / "file", "the faster one's", false).ok());
    return slower->Reserve(0, 4096);
  });
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(*file->Size(), 16u);
  EXPECT_EQ(ListDirectory(dir_.path())->size(), 1u);
}

TEST_F(SharedFileTest, IsAtTellsFilesApart) {
  const SharedFile file = Make(dir_ / "file");
  EXPECT_TRUE(file.IsAt(dir_ / "file"));
  ASSERT_TRUE(Rename(dir_ / "file", dir_ / "moved").ok());
  EXPECT_FALSE(file.IsAt(dir_ / "file"));
  EXPECT_TRUE(file.IsAt(dir_ / "moved"));
  (void)Make(dir_ / "file");
  EXPECT_FALSE(file.IsAt(dir_ / "file"));
}

TEST_F(SharedFileTest, AByteHasOneHolder) {
  const SharedFile file = Make(dir_ / "file");
  constexpr int64_t kFar = int64_t{1} << 62;
  RangeLocks second = Locks(file);
  {
    RangeLocks first = Locks(file);
    EXPECT_TRUE(*first.TryLock(kFar));
    EXPECT_TRUE(*first.TryLock(kFar));  // its own
    EXPECT_FALSE(*second.TryLock(kFar));
    EXPECT_TRUE(*second.TryLock(kFar + 1));
    EXPECT_EQ(*second.HeldWithin(kFar - 10, kFar + 10), (Offsets{kFar}));
    EXPECT_EQ(*first.HeldWithin(kFar - 10, kFar + 10), (Offsets{kFar + 1}));
    first.Unlock(kFar);
    EXPECT_TRUE(*second.TryLock(kFar));
    second.Unlock(kFar);
    EXPECT_TRUE(*first.TryLock(kFar));
  }
  EXPECT_TRUE(*second.TryLock(kFar));
}

TEST_F(SharedFileTest, HoldersAreListedInOrder) {
  const SharedFile file = Make(dir_ / "file");
  std::vector<RangeLocks> holders;
  for (const int64_t offset : {500, 3, 77, 1000, 4}) {
    holders.push_back(Locks(file));
    ASSERT_TRUE(*holders.back().TryLock(offset));
  }
  const RangeLocks asking = Locks(file);
  EXPECT_EQ(*asking.HeldWithin(0, 2000), (Offsets{3, 4, 77, 500, 1000}));
  EXPECT_EQ(*asking.HeldWithin(4, 999), (Offsets{4, 77, 500}));
  EXPECT_EQ(*asking.HeldWithin(5, 76), Offsets{});
}

TEST_F(SharedFileTest, LocksStayWithTheProcessThatTookThem) {
  const SharedFile file = Make(dir_ / "file");
  const RangeLocks asking = Locks(file);
  Pipe locked, forked, go_on;
  ChildProcess parent([&] {
    RangeLocks own = Locks(file);
    if (!*own.TryLock(5)) return 1;
    ChildProcess child([&] {
      forked.Write();
      go_on.Read();
      return 0;
    });
    child.Detach();
    locked.Write();
    return 0;  // dies while its child lives
  });
  locked.Read();
  forked.Read();
  EXPECT_EQ(parent.Wait(), 0);
  EXPECT_EQ(*asking.HeldWithin(0, 10), Offsets{});
  go_on.Write();
}

TEST_F(SharedFileTest, LocksFollowTheFileAndNotItsName) {
  const SharedFile file = Make(dir_ / "file");
  RangeLocks before = Locks(file);
  ASSERT_TRUE(*before.TryLock(1));
  ASSERT_TRUE(Rename(dir_ / "file", dir_ / "moved").ok());
  const SharedFile other = Make(dir_ / "file");
  EXPECT_TRUE(*Locks(other).TryLock(1));
  EXPECT_FALSE(*Locks(file).TryLock(1));
}

}  // namespace
}  // namespace otlp_arrow::platform
