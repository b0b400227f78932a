// Group commit: requests that wait for the device share one sync.
#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "otlp_arrow/status.h"
#include "pipeline/shard.h"

namespace otlp_arrow {

class GroupCommit {
 public:
  using Callback = std::function<void(const Status&)>;

  GroupCommit();
  ~GroupCommit() { Stop(); }

  // Calls `done` once everything that `shard` had appended before this call is on the device, or with the error; on
  // a commit thread, or after Stop on one that calls this.
  void Add(Shard* shard, Callback done);

  // Syncs and answers what is waiting, then ends the threads.
  void Stop();

 private:
  struct Waiting {
    Shard* shard;
    Callback done;
  };
  using Outcomes = std::map<Shard*, Status>;
  void Run();
  void CommitWaiting(std::unique_lock<std::mutex>* lock);
  static Outcomes Sync(const std::vector<Waiting>& waiting);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Waiting> waiting_;
  bool syncing_ = false;  // one at a time: who takes a file that is to be synced must not overtake its sync
  bool stop_ = false;
  std::array<std::thread, 2> threads_;  // one syncs the next group while the other answers the last one
};

}  // namespace otlp_arrow
