// Group commit: requests that wait for the device share one sync.
#pragma once

#include <condition_variable>
#include <functional>
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
  // the commit thread, or on this one after Stop.
  void Add(Shard* shard, Callback done);

  // Syncs and answers what is waiting, then ends the thread.
  void Stop();

 private:
  struct Waiting {
    Shard* shard;
    Callback done;
  };
  void Run();
  static void CommitAll(std::vector<Waiting> waiting);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Waiting> waiting_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace otlp_arrow
