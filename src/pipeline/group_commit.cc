#include "pipeline/group_commit.h"

#include <algorithm>
#include <map>

namespace otlp_arrow {

GroupCommit::GroupCommit() : thread_([this] { Run(); }) {}

void GroupCommit::Stop() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void GroupCommit::Add(Shard* shard, Callback done) {
  {
    std::lock_guard lock(mutex_);
    if (!stop_) {
      waiting_.push_back({shard, std::move(done)});
      wake_.notify_one();
      return;
    }
  }
  std::vector<Waiting> alone;
  alone.push_back({shard, std::move(done)});
  CommitAll(std::move(alone));
}

void GroupCommit::Run() {
  platform::SetThreadName("otlp-fsync");
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::vector<Waiting> taken;
    taken.swap(waiting_);
    lock.unlock();
    CommitAll(std::move(taken));
    lock.lock();
  }
}

void GroupCommit::CommitAll(std::vector<Waiting> waiting) {
  std::map<Shard*, Status> outcomes;
  for (const Waiting& w : waiting) outcomes.emplace(w.shard, Status::Ok());
  for (auto& [shard, status] : outcomes) {
    for (const auto& file : shard->TakeUnsynced()) {
      Status synced = file->Sync();
      if (status.ok()) status = synced;
    }
  }
  for (const Waiting& w : waiting) w.done(outcomes[w.shard]);
}

}  // namespace otlp_arrow
