#include "base/platform/fork.h"

#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/platform/platform.h"
#include "child_process.h"
#include "temp_dir.h"

namespace otlp_arrow::platform {
namespace {

using otlp_arrow::testing::ChildProcess;
using otlp_arrow::testing::Pipe;
using otlp_arrow::testing::TempDir;

class Recorder final : public ForkParticipant {
 public:
  Recorder() { JoinForks(this); }
  ~Recorder() override { LeaveForks(this); }
  void PrepareFork() override { calls += 'p'; }
  void FinishForkInParent() override { calls += 'P'; }
  void FinishForkInChild() override { calls += 'C'; }
  std::string calls;
};

TEST(Fork, ParticipantsAreCalledOnBothSides) {
  Recorder first, second;
  ChildProcess child([&] { return first.calls == "pC" && second.calls == "pC" ? 0 : 1; });
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_EQ(first.calls, "pP");
  EXPECT_EQ(second.calls, "pP");
}

TEST(Fork, WhoHasLeftIsNotCalled) {
  Recorder stays;
  std::string of_the_gone;
  {
    Recorder gone;
    of_the_gone = gone.calls;
  }
  ChildProcess child([&] { return stays.calls == "pC" ? 0 : 1; });
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_EQ(of_the_gone, "");
}

// The parent takes the lock and dies; its child lives on.
TEST(Fork, AChildDoesNotHoldItsParentsLock) {
  TempDir dir;
  Pipe forked, go_on;
  ChildProcess parent([&] {
    auto lock = FileLock::TryLock(dir / "lock");
    if (!lock.ok() || !lock->has_value()) return 1;
    ChildProcess child([&] {
      forked.Write();
      go_on.Read();
      return 0;
    });
    child.Detach();
    return 0;
  });
  EXPECT_EQ(parent.Wait(), 0);
  forked.Read();
  EXPECT_TRUE(FileLock::TryLock(dir / "lock")->has_value());
  go_on.Write();
}

TEST(Fork, TheParentKeepsItsLockWhenAChildEnds) {
  TempDir dir;
  auto lock = FileLock::TryLock(dir / "lock");
  ASSERT_TRUE(lock.ok() && lock->has_value());
  ChildProcess child([&] {
    lock->reset();  // what was the parent's is closed already; nothing else may be closed in its stead
    return 0;
  });
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_FALSE(FileLock::TryLock(dir / "lock")->has_value());
}

TEST(Fork, FilesThatAreWrittenStayWithTheParent) {
  TempDir dir;
  auto written = File::Open(dir / "written", File::Mode::kCreateNew);
  ASSERT_TRUE(written.ok());
  ASSERT_TRUE(written->WriteAt(0, "parent").ok());
  auto read = File::Open(dir / "written", File::Mode::kRead);
  ASSERT_TRUE(read.ok());
  ChildProcess child([&] {
    if (written->WriteAt(0, "child").ok()) return 1;
    auto again = File::Open(dir / "own", File::Mode::kCreateNew);  // takes the number that became free
    if (!again.ok()) return 2;
    { File gone = *std::move(written); }
    if (!again->WriteAt(0, "child").ok()) return 3;
    return read->ReadAt(0, 10).ok() ? 0 : 4;
  });
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_EQ(*written->ReadAt(0, 10), "parent");
}

}  // namespace
}  // namespace otlp_arrow::platform
