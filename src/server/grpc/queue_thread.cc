#include "server/grpc/queue_thread.h"

#include <chrono>
#include <utility>

#include <grpcpp/alarm.h>

#include "server/grpc/completion_tag.h"

namespace otlp_arrow {
namespace {

// Tells the thread to stop.
class StopTag final : public CompletionTag {
 public:
  explicit StopTag(std::function<void()> stop) : stop_(std::move(stop)) {}
  void Proceed(bool) override { stop_(); }

 private:
  std::function<void()> stop_;
};

}  // namespace

void QueueThread::Start() {
  thread_ = std::thread([this] { Run(); });
}

void QueueThread::Run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) static_cast<CompletionTag*>(tag)->Proceed(ok && !stopping_);
}

void QueueThread::ShutDownQueue() {
  if (last_) last_();
  stopping_ = true;
  queue_->Shutdown();
}

void QueueThread::Stop(std::function<void()> last) {
  if (!queue_) return;
  last_ = std::move(last);
  StopTag tag([this] { ShutDownQueue(); });
  grpc::Alarm alarm;
  if (thread_.joinable()) {
    alarm.Set(queue_.get(), std::chrono::system_clock::now(), &tag);
    thread_.join();
  } else {
    ShutDownQueue();
    Run();
  }
  queue_.reset();
}

}  // namespace otlp_arrow
