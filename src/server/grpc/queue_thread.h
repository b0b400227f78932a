// A completion queue and the one thread that serves it.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include <grpcpp/completion_queue.h>

namespace otlp_arrow {

class QueueThread {
 public:
  explicit QueueThread(std::unique_ptr<grpc::ServerCompletionQueue> queue) : queue_(std::move(queue)) {}
  // Drains the queue if it was never started.
  ~QueueThread() { Stop({}); }

  grpc::ServerCompletionQueue* queue() const { return queue_.get(); }

  void Start();
  // Calls `last` on the thread, lets every tag proceed (as not ok) and ends the thread. The server must have been shut
  // down. Later calls do nothing.
  void Stop(std::function<void()> last);

 private:
  void Run();
  // Only on the thread, so that no tag begins an operation on a queue that is shut down.
  void ShutDownQueue();

  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::function<void()> last_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace otlp_arrow
