#include "base/platform/directory_swap.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/platform/platform.h"
#include "temp_dir.h"

namespace otlp_arrow::platform {
namespace {

using std::chrono::milliseconds;

class DirectorySwapTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) { return dir_ / name; }
  void Write(const std::string& name, const std::string& content) { std::ofstream(Path(name)) << content; }
  std::string Read(const std::string& name) {
    auto content = ReadFile(Path(name));
    return content.ok() ? *content : content.status().message();
  }
  std::optional<PathLock> Try(PathLock::Kind kind) {
    auto lock = PathLock::Acquire(Path("lock"), kind, milliseconds(0));
    if (lock.ok()) return *std::move(lock);
    EXPECT_TRUE(lock.status().retryable());
    return std::nullopt;
  }
  testing::TempDir dir_;
};

TEST_F(DirectorySwapTest, SharedLocksGoTogetherExclusiveOnesAlone) {
  {
    const auto one = Try(PathLock::Kind::kShared);
    EXPECT_TRUE(one);
    EXPECT_TRUE(Try(PathLock::Kind::kShared));
    EXPECT_FALSE(Try(PathLock::Kind::kExclusive));
  }
  const auto alone = Try(PathLock::Kind::kExclusive);
  EXPECT_TRUE(alone);
  EXPECT_FALSE(Try(PathLock::Kind::kShared));
  EXPECT_FALSE(Try(PathLock::Kind::kExclusive));
}

TEST_F(DirectorySwapTest, ALockIsWaitedFor) {
  auto held = Try(PathLock::Kind::kExclusive);
  std::atomic<bool> let_go{false};
  std::thread other([&] {
    const auto lock = PathLock::Acquire(Path("lock"), PathLock::Kind::kShared, std::chrono::minutes(1));
    EXPECT_TRUE(lock.ok());
    EXPECT_TRUE(let_go);
  });
  let_go = true;
  held.reset();
  other.join();
}

TEST_F(DirectorySwapTest, TheLockOfADeletedFileIsNone) {
  const auto lost = Try(PathLock::Kind::kExclusive);
  std::filesystem::remove(Path("lock"));
  EXPECT_TRUE(Try(PathLock::Kind::kExclusive));
}

TEST_F(DirectorySwapTest, ALockEndsWithItsProcess) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = PathLock::Acquire(Path("lock"), PathLock::Kind::kExclusive, milliseconds(0));
    (void)!::write(ready[1], lock.ok() ? "y" : "n", 1);
    for (;;) ::pause();
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_FALSE(Try(PathLock::Kind::kShared));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(Try(PathLock::Kind::kExclusive));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(DirectorySwapTest, AMissingFolderIsAnError) {
  const auto lock = PathLock::Acquire(Path("none/lock"), PathLock::Kind::kShared, milliseconds(0));
  EXPECT_EQ(lock.status().code(), StatusCode::kIo);
  EXPECT_NE(lock.status().message().find("none/lock"), std::string::npos);
}

TEST_F(DirectorySwapTest, DirectoriesChangePlaces) {
  std::filesystem::create_directories(Path("one"));
  std::filesystem::create_directories(Path("two/below"));
  Write("one/file", "first");
  Write("two/below/file", "second");
  const DirectoryWatch watch(Path("one")), never(Path("none"));
  EXPECT_FALSE(watch.WasReplaced());
  const auto exchanged = ExchangeDirectories(Path("one"), Path("two"));
  ASSERT_TRUE(exchanged.ok()) << exchanged.status().message();
  if (!*exchanged) GTEST_SKIP() << "this file system cannot exchange directories";
  EXPECT_EQ(Read("one/below/file"), "second");
  EXPECT_EQ(Read("two/file"), "first");
  EXPECT_TRUE(watch.WasReplaced());
  EXPECT_FALSE(never.WasReplaced());
  std::filesystem::create_directories(Path("none"));
  EXPECT_TRUE(never.WasReplaced());
  EXPECT_EQ(ExchangeDirectories(Path("one"), Path("missing")).status().code(), StatusCode::kIo);
}

TEST_F(DirectorySwapTest, ALinkIsTheSameFile) {
  Write("file", "content");
  ASSERT_TRUE(*LinkFile(Path("file"), Path("name")));
  std::filesystem::remove(Path("file"));
  EXPECT_EQ(Read("name"), "content");
  EXPECT_EQ(LinkFile(Path("file"), Path("other")).status().code(), StatusCode::kIo);
}

}  // namespace
}  // namespace otlp_arrow::platform
