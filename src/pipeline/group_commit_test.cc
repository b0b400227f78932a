#include "pipeline/group_commit.h"

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

class NoHost : public ShardHost {
 public:
  void OnReleased(uint64_t) override {}
  void AddRefusals(Ledger*) const override {}
};

class GroupCommitTest : public ::testing::Test {
 protected:
  GroupCommitTest() : layout_(dir_.path()) {
    config_.output_dir = dir_.path();
    config_.acknowledge = Acknowledge::kFsync;
    for (Signal s : kAllSignals) EXPECT_TRUE(platform::CreateDirectories(layout_.DataDir(s)).ok());
    EXPECT_TRUE(platform::CreateDirectories(layout_.LedgersDir()).ok());
  }
  std::shared_ptr<Shard> OpenShard() {
    auto shard = Shard::Open(layout_, config_, {}, Clock::System(), &host_, false);
    EXPECT_TRUE(shard.ok()) << shard.status().ToString();
    return *std::move(shard);
  }
  static void Enqueue(Shard& shard, const std::string& prefix) {
    const Status status = shard.Enqueue({Signal::kLogs, SharedBytes::Take(testing::NamedRequest(Signal::kLogs, prefix, 1)), 1, 0});
    EXPECT_TRUE(status.ok()) << status.ToString();
  }

  testing::TempDir dir_;
  StoreLayout layout_;
  Config config_;
  NoHost host_;
};

TEST_F(GroupCommitTest, AnswersWhenAllIsOnTheDevice) {
  auto shard = OpenShard();
  GroupCommit commit;
  for (int i = 0; i < 20; ++i) {
    Enqueue(*shard, "r" + std::to_string(i));
    std::promise<Status> answer;
    commit.Add(shard.get(), [&](const Status& status) {
      EXPECT_TRUE(shard->TakeUnsynced().empty()) << "answered before the sync";
      answer.set_value(status);
    });
    EXPECT_TRUE(answer.get_future().get().ok());
  }
}

TEST_F(GroupCommitTest, EveryoneOfManyIsAnsweredOnce) {
  auto first = OpenShard();
  auto second = OpenShard();
  std::atomic<int> answers{0};
  {
    GroupCommit commit;
    std::vector<std::thread> senders;
    for (int t = 0; t < 4; ++t) {
      senders.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          Shard& shard = i % 2 ? *first : *second;
          Enqueue(shard, std::to_string(t) + "x" + std::to_string(i));
          commit.Add(&shard, [&](const Status& status) {
            EXPECT_TRUE(status.ok());
            ++answers;
          });
        }
      });
    }
    for (auto& sender : senders) sender.join();
  }
  EXPECT_EQ(answers, 200) << "its end answers what waits";
}

TEST_F(GroupCommitTest, AfterStopItAnswersOnTheCallersThread) {
  auto shard = OpenShard();
  GroupCommit commit;
  commit.Stop();
  commit.Stop();
  Enqueue(*shard, "late");
  std::thread::id answered_on;
  commit.Add(shard.get(), [&](const Status& status) {
    EXPECT_TRUE(status.ok());
    answered_on = std::this_thread::get_id();
  });
  EXPECT_EQ(answered_on, std::this_thread::get_id());
}

TEST_F(GroupCommitTest, StopInTheMiddleLeavesNobodyWithoutAnAnswer) {
  auto shard = OpenShard();
  std::atomic<int> answers{0}, added{0};
  GroupCommit commit;
  std::vector<std::thread> senders;
  for (int t = 0; t < 4; ++t) {
    senders.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        Enqueue(*shard, std::to_string(t) + "x" + std::to_string(i));
        commit.Add(shard.get(), [&](const Status& status) { answers += status.ok() ? 1 : 0; });
        ++added;
      }
    });
  }
  while (added < 40) std::this_thread::yield();
  commit.Stop();
  for (auto& sender : senders) sender.join();
  EXPECT_EQ(answers, 200);
  EXPECT_TRUE(shard->TakeUnsynced().empty());
}

}  // namespace
}  // namespace otlp_arrow
