#include "pipeline/group_commit.h"

#include <algorithm>

namespace otlp_arrow {

GroupCommit::GroupCommit() {
  for (auto& thread : threads_) thread = std::thread([this] { Run(); });
}

void GroupCommit::Stop() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void GroupCommit::Add(Shard* shard, Callback done) {
  std::unique_lock lock(mutex_);
  waiting_.push_back({shard, std::move(done)});
  if (!stop_) {
    const bool wake = !syncing_;  // else the end of the sync does
    lock.unlock();
    if (wake) wake_.notify_one();
    return;
  }
  // The threads may have ended. Whoever comes first takes all.
  wake_.wait(lock, [this] { return !syncing_; });
  if (!waiting_.empty()) CommitWaiting(&lock);
}

void GroupCommit::Run() {
  platform::SetThreadName("otlp-fsync");
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return !syncing_ && (stop_ || !waiting_.empty()); });
    if (waiting_.empty()) return;
    CommitWaiting(&lock);
  }
}

void GroupCommit::CommitWaiting(std::unique_lock<std::mutex>* lock) {
  std::vector<Waiting> taken;
  taken.swap(waiting_);
  syncing_ = true;
  lock->unlock();
  const Outcomes outcomes = Sync(taken);
  lock->lock();
  syncing_ = false;
  const bool wake = stop_ || !waiting_.empty();
  lock->unlock();
  if (wake) wake_.notify_all();
  for (const Waiting& w : taken) w.done(outcomes.at(w.shard));
  lock->lock();
}

GroupCommit::Outcomes GroupCommit::Sync(const std::vector<Waiting>& waiting) {
  Outcomes outcomes;
  for (const Waiting& w : waiting) outcomes.emplace(w.shard, Status::Ok());
  for (auto& [shard, status] : outcomes) {
    for (const auto& file : shard->TakeUnsynced()) {
      Status synced = file->Sync();
      if (status.ok()) status = synced;
    }
  }
  return outcomes;
}

}  // namespace otlp_arrow
