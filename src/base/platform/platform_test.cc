#include "base/platform/platform.h"

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "temp_dir.h"

namespace otlp_arrow::platform {
namespace {

using otlp_arrow::testing::TempDir;

class Platform : public ::testing::Test {
 protected:
  TempDir dir_;
};

File MustOpen(const std::string& path, File::Mode mode) {
  auto file = File::Open(path, mode);
  if (!file.ok()) ADD_FAILURE() << file.status().ToString();
  return *std::move(file);
}

std::string Content(const std::string& path) {
  auto content = ReadFile(path);
  return content.ok() ? *content : "(" + content.status().message() + ")";
}

TEST_F(Platform, OpenHonoursItsModes) {
  const std::string path = dir_ / "file";
  auto missing = File::Open(path, File::Mode::kRead);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.status().code(), StatusCode::kIo);
  EXPECT_NE(missing.status().message().find("cannot open '" + path + "': No such file"), std::string::npos) << missing.status().message();

  ASSERT_TRUE(MustOpen(path, File::Mode::kCreateNew).WriteAt(0, "kept").ok());
  EXPECT_FALSE(File::Open(path, File::Mode::kCreateNew).ok());
  ASSERT_TRUE(MustOpen(path, File::Mode::kReadWrite).WriteAt(4, "!").ok());
  EXPECT_EQ(Content(path), "kept!");
  EXPECT_FALSE(MustOpen(path, File::Mode::kRead).WriteAt(0, "x").ok());
}

TEST_F(Platform, WriteAtPutsAllPartsOneBehindTheOther) {
  File file = MustOpen(dir_ / "file", File::Mode::kReadWrite);
  const std::string_view few[] = {"ab", "", "cde"};
  ASSERT_TRUE(file.WriteAt(3, few, 3).ok());
  EXPECT_EQ(*file.ReadAt(0, 100), std::string(3, '\0') + "abcde");

  // More parts than one system call takes.
  std::vector<std::string_view> many(3000, "xy");
  many[2999] = "z";
  ASSERT_TRUE(file.WriteAt(0, many.data(), many.size()).ok());
  EXPECT_EQ(*file.Size(), 2 * 2999u + 1);
  EXPECT_EQ(*file.ReadAt(5996, 10), "xyz");
  EXPECT_TRUE(file.WriteAt(0, std::string_view()).ok());
}

TEST_F(Platform, ReadAtEndsWithTheFile) {
  File file = MustOpen(dir_ / "file", File::Mode::kReadWrite);
  ASSERT_TRUE(file.WriteAt(0, "0123456789").ok());
  EXPECT_EQ(*file.ReadAt(2, 3), "234");
  EXPECT_EQ(*file.ReadAt(8, 100), "89");
  EXPECT_EQ(*file.ReadAt(50, 100), "");
  ASSERT_TRUE(file.Truncate(4).ok());
  EXPECT_EQ(*file.Size(), 4u);
  EXPECT_EQ(*file.ReadAt(0, 100), "0123");
  EXPECT_TRUE(file.Sync().ok());
}

TEST_F(Platform, AFileClosesWhatItHeldWhenAnotherIsAssigned) {
  auto is_open = [](int fd) { return ::fcntl(fd, F_GETFD) >= 0; };
  const int next = ::dup(0);
  ::close(next);
  {
    File a = MustOpen(dir_ / "a", File::Mode::kReadWrite);
    File b = MustOpen(dir_ / "b", File::Mode::kReadWrite);
    EXPECT_TRUE(is_open(next) && is_open(next + 1));
    EXPECT_TRUE(::fcntl(next, F_GETFD) & FD_CLOEXEC);
    a = std::move(b);
    EXPECT_FALSE(is_open(next));
    EXPECT_TRUE(is_open(next + 1));
    ASSERT_TRUE(a.WriteAt(0, "b's").ok());
  }
  EXPECT_FALSE(is_open(next + 1));
  EXPECT_EQ(Content(dir_ / "b"), "b's");
}

TEST_F(Platform, AWriteThatTheSystemLimitsIsAnErrorThatSaysWhich) {
  // In a child: the limit on file sizes stays with the process.
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100, 100};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto file = File::Open(dir_ / "file", File::Mode::kReadWrite);
    const Status status = file->WriteAt(0, std::string(300, 'x'));
    const bool as_wanted = status.code() == StatusCode::kIo && status.retryable() &&
                           status.message().find("cannot write to '") == 0 && *file->Size() == 100;
    ::_exit(as_wanted ? 0 : 1);
  }
  int outcome = -1;
  ASSERT_EQ(::waitpid(child, &outcome, 0), child);
  EXPECT_TRUE(WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0) << outcome;
}

TEST_F(Platform, TheLimitOfOpenFilesIsRaisedAsFarAsAllowed) {
  // In a child: the limit stays with the process.
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{64, 256};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const bool raised = RaiseOpenFileLimit() == 256 && RaiseOpenFileLimit() == 256;
    rlimit now{};
    ::getrlimit(RLIMIT_NOFILE, &now);
    ::_exit(raised && now.rlim_cur == 256 ? 0 : 1);
  }
  int outcome = -1;
  ASSERT_EQ(::waitpid(child, &outcome, 0), child);
  EXPECT_TRUE(WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0) << outcome;
}

TEST_F(Platform, ALockHasOneHolder) {
  const std::string path = dir_ / "lock";
  auto first = FileLock::TryLock(path);
  ASSERT_TRUE(first.ok() && first->has_value());
  auto second = FileLock::TryLock(path);
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(second->has_value());

  FileLock moved = *std::move(*first);
  EXPECT_FALSE(FileLock::TryLock(path)->has_value());
  moved = **FileLock::TryLock(dir_ / "other");
  EXPECT_TRUE(FileLock::TryLock(path)->has_value());
  EXPECT_FALSE(FileLock::TryLock(dir_ / "none" "/lock").ok());
}

TEST_F(Platform, ALockEndsWithItsProcess) {
  const std::string path = dir_ / "lock";
  int to_parent[2], to_child[2];
  ASSERT_TRUE(::pipe(to_parent) == 0 && ::pipe(to_child) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto lock = FileLock::TryLock(path);
    char byte = lock.ok() && *lock ? 'y' : 'n';
    (void)!::write(to_parent[1], &byte, 1);
    (void)!::read(to_child[0], &byte, 1);
    ::_exit(0);  // without destructors, as a kill would
  }
  char locked = 0;
  ASSERT_EQ(::read(to_parent[0], &locked, 1), 1);
  EXPECT_EQ(locked, 'y');
  EXPECT_FALSE(FileLock::TryLock(path)->has_value());
  (void)!::write(to_child[1], "x", 1);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(FileLock::TryLock(path)->has_value());
  for (int fd : {to_parent[0], to_parent[1], to_child[0], to_child[1]}) ::close(fd);
}

TEST_F(Platform, ListDirectorySortsAndTells) {
  ASSERT_TRUE(CreateDirectories(dir_ / "sub/deeper").ok());
  ASSERT_TRUE(ReplaceFile(dir_ / "b", "12345", false).ok());
  ASSERT_TRUE(ReplaceFile(dir_ / "a", "", false).ok());
  const auto entries = ListDirectory(dir_.path());
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[0].name, "a");
  EXPECT_EQ((*entries)[1].name, "b");
  EXPECT_EQ((*entries)[1].size, 5u);
  EXPECT_FALSE((*entries)[1].is_directory);
  EXPECT_EQ((*entries)[2].name, "sub");
  EXPECT_TRUE((*entries)[2].is_directory);

  EXPECT_TRUE(ListDirectory(dir_ / "missing")->empty());
  EXPECT_FALSE(ListDirectory(dir_ / "b").ok());
  EXPECT_TRUE(SyncDirectory(dir_.path()).ok());
  EXPECT_FALSE(SyncDirectory(dir_ / "missing").ok());
}

TEST_F(Platform, RenameReplacesAndRemoveForgives) {
  ASSERT_TRUE(ReplaceFile(dir_ / "from", "new", false).ok());
  ASSERT_TRUE(ReplaceFile(dir_ / "to", "old", true).ok());
  ASSERT_TRUE(Rename(dir_ / "from", dir_ / "to").ok());
  EXPECT_EQ(Content(dir_ / "to"), "new");
  EXPECT_FALSE(Exists(dir_ / "from"));
  const Status missing = Rename(dir_ / "from", dir_ / "to");
  EXPECT_EQ(missing.code(), StatusCode::kIo);
  EXPECT_NE(missing.message().find(dir_ / "from"), std::string::npos);

  EXPECT_TRUE(Remove(dir_ / "to").ok());
  EXPECT_TRUE(Remove(dir_ / "to").ok());
  ASSERT_TRUE(CreateDirectories(dir_ / "tree/a/b").ok());
  ASSERT_TRUE(ReplaceFile(dir_ / "tree/a/file", "x", false).ok());
  EXPECT_FALSE(Remove(dir_ / "tree").ok());
  EXPECT_TRUE(RemoveTree(dir_ / "tree").ok());
  EXPECT_TRUE(RemoveTree(dir_ / "tree").ok());
  EXPECT_TRUE(ListDirectory(dir_.path())->empty());
}

TEST_F(Platform, CreateDirectoriesRefusesAFileInTheWay) {
  ASSERT_TRUE(ReplaceFile(dir_ / "file", "x", false).ok());
  const Status status = CreateDirectories(dir_ / "file/below");
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find(dir_ / "file/below"), std::string::npos);
  EXPECT_TRUE(CreateDirectories(dir_.path()).ok());
}

TEST_F(Platform, ReplaceFileLeavesNoTraceOfLongerContent) {
  const std::string path = dir_ / "file";
  ASSERT_TRUE(ReplaceFile(path, std::string(100, 'x'), true).ok());
  // What a process that died in the middle left.
  ASSERT_TRUE(MustOpen(path + ".tmp", File::Mode::kReadWrite).WriteAt(0, std::string(50, 'y')).ok());
  ASSERT_TRUE(ReplaceFile(path, "short", false).ok());
  EXPECT_EQ(Content(path), "short");
  EXPECT_EQ(ListDirectory(dir_.path())->size(), 1u);
  EXPECT_FALSE(ReplaceFile(dir_ / "none/file", "x", false).ok());
}

TEST_F(Platform, ReadFileRefusesMoreThanWasAllowed) {
  ASSERT_TRUE(ReplaceFile(dir_ / "file", "12345", false).ok());
  EXPECT_EQ(*ReadFile(dir_ / "file", 5), "12345");
  const auto more = ReadFile(dir_ / "file", 4);
  ASSERT_FALSE(more.ok());
  EXPECT_NE(more.status().message().find("5 bytes, more than the 4"), std::string::npos) << more.status().message();
}

TEST_F(Platform, FreeBytesIsTheFileSystemsCount) {
  const auto free = FreeBytes(dir_.path());
  ASSERT_TRUE(free.ok());
  const auto space = std::filesystem::space(dir_.path());
  EXPECT_GT(*free, 0u);
  EXPECT_LE(*free, space.capacity);
  EXPECT_FALSE(FreeBytes(dir_ / "missing").ok());
}

TEST_F(Platform, RandomBytesDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string bytes = RandomBytes(8);
    EXPECT_EQ(bytes.size(), 8u);
    seen.insert(bytes);
  }
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_EQ(RandomBytes(0), "");
}

TEST_F(Platform, ThreadNamesAreCutToWhatTheKernelKeeps) {
  char name[64] = {};
  std::thread([&] {
    SetThreadName("0123456789abcdefgh");
    pthread_getname_np(pthread_self(), name, sizeof(name));
  }).join();
  EXPECT_STREQ(name, "0123456789abcde");
}

}  // namespace
}  // namespace otlp_arrow::platform
