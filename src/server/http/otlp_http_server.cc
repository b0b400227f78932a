#include "server/http/otlp_http_server.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/host_port.h"
#include "server/common/listen_error.h"
#include "server/http/http_listener.h"
#include "server/http/http_shared.h"
#include "server/http/io_loop.h"

namespace otlp_arrow {
namespace {

unsigned LoopCount() { return std::clamp(std::thread::hardware_concurrency(), 1u, 4u); }

// Like std::latch, with a time-out; shared, so that whoever comes late still finds it.
class Latch {
 public:
  explicit Latch(size_t count) : count_(count) {}
  void CountDown() {
    std::lock_guard lock(mutex_);
    if (--count_ == 0) changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return count_ == 0; });
  }
  void WaitFor(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t count_;
};

}  // namespace

class OtlpHttpServer::Impl {
 public:
  Impl(const HttpConfig& config, Pipeline* pipeline, std::shared_ptr<Clock> clock, std::function<std::string()> more_metrics);
  ~Impl() { Shutdown(std::chrono::milliseconds{0}); }

  Status Start();
  void Shutdown(std::chrono::milliseconds deadline);

  int port() const { return port_; }
  const std::string& address() const { return address_; }

 private:
  // Returns when every session is gone, or at the deadline.
  void Drain(std::chrono::milliseconds deadline);

  const std::shared_ptr<HttpShared> shared_ = std::make_shared<HttpShared>();
  std::vector<std::shared_ptr<IoLoop>> loops_;
  std::unique_ptr<HttpListener> listener_;
  bool started_ = false;
  int port_ = 0;
  std::string address_;
  std::once_flag shutdown_;
};

OtlpHttpServer::Impl::Impl(const HttpConfig& config, Pipeline* pipeline, std::shared_ptr<Clock> clock, std::function<std::string()> more_metrics) {
  shared_->config = config;
  shared_->pipeline = pipeline;
  shared_->more_metrics = std::move(more_metrics);
  shared_->clock = clock ? std::move(clock) : Clock::System();
  for (unsigned i = 0; i < LoopCount(); ++i) loops_.push_back(std::make_shared<IoLoop>(shared_->clock));
  listener_ = std::make_unique<HttpListener>(loops_, shared_);
}

Status OtlpHttpServer::Impl::Start() {
  const std::string& wanted = shared_->config.address;
  auto address = ParseHostPort(wanted);
  if (!address.ok()) return ListenError("http.address", wanted, address.status().message());
  OTLP_RETURN_NOT_OK(listener_->Open(&*address));
  port_ = address->port;
  address_ = address->ToString();
  for (const auto& loop : loops_) loop->Start();
  started_ = true;
  return Status::Ok();
}

void OtlpHttpServer::Impl::Shutdown(std::chrono::milliseconds deadline) {
  std::call_once(shutdown_, [&] {
    if (started_) Drain(deadline);
    for (const auto& loop : loops_) loop->Stop();
    listener_.reset();
  });
}

void OtlpHttpServer::Impl::Drain(std::chrono::milliseconds deadline) {
  const auto closed = std::make_shared<Latch>(1);
  loops_.front()->Post([this, closed] {
    listener_->Close();
    closed->CountDown();
  });
  closed->Wait();
  shared_->draining = true;
  const auto empty = std::make_shared<Latch>(loops_.size());
  for (const auto& loop : loops_) {
    loop->Post([loop, empty] { loop->Drain([empty] { empty->CountDown(); }); });
  }
  empty->WaitFor(deadline);
}

Result<std::unique_ptr<OtlpHttpServer>> OtlpHttpServer::Start(const HttpConfig& config, Pipeline* pipeline,
                                                              std::shared_ptr<Clock> clock, std::function<std::string()> more_metrics) {
  auto impl = std::make_unique<Impl>(config, pipeline, std::move(clock), std::move(more_metrics));
  OTLP_RETURN_NOT_OK(impl->Start());
  return std::unique_ptr<OtlpHttpServer>(new OtlpHttpServer(std::move(impl)));
}

OtlpHttpServer::OtlpHttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OtlpHttpServer::~OtlpHttpServer() = default;
int OtlpHttpServer::port() const { return impl_->port(); }
const std::string& OtlpHttpServer::address() const { return impl_->address(); }
void OtlpHttpServer::Shutdown(std::chrono::milliseconds deadline) { impl_->Shutdown(deadline); }

}  // namespace otlp_arrow
