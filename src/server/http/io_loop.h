// One io thread: an event loop and the sessions that live on it. A session is touched by its loop's thread alone, so
// sessions need no locks.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.h"
#include "server/http/http_settings.h"

namespace otlp_arrow {

class HttpSession;

// Shared: a session keeps its loop alive until the last callback of the pipeline has let go of it.
class IoLoop {
 public:
  IoLoop(std::shared_ptr<Clock> clock, std::shared_ptr<const HttpSettings> settings) : clock_(std::move(clock)), settings_(std::move(settings)) {}
  ~IoLoop();

  void Start();
  // Closes all sessions and ends the thread. Later calls do nothing.
  void Stop();

  boost::asio::io_context& context() { return context_; }
  bool RunsHere() const { return std::this_thread::get_id() == thread_id_; }

  // Runs `task` on the loop's thread, later. False after Stop(): the task is dropped.
  template <class Task>
  bool Post(Task&& task) {
    std::lock_guard lock(mutex_);
    if (stopped_) return false;
    boost::asio::post(context_, std::forward<Task>(task));
    return true;
  }

  // These only on the loop's thread.
  const HttpSettings& settings() const { return *settings_; }
  void SetSettings(std::shared_ptr<const HttpSettings> settings) { settings_ = std::move(settings); }
  // A session has this deadline now.
  void Expect(Clock::SteadyTime deadline) {
    if (deadline < earliest_) earliest_ = deadline;
  }
  void Add(std::shared_ptr<HttpSession> session);
  void Remove(HttpSession* session);
  // Tells every session that the server drains, and calls `on_empty` when the last one is gone.
  void Drain(std::function<void()> on_empty);

 private:
  void Run();
  void ArmSweep();
  // Closes what has run out of time. Looks at the sessions only when the first of them can be due.
  void Sweep();
  void CloseAll();

  const std::shared_ptr<Clock> clock_;
  std::shared_ptr<const HttpSettings> settings_;
  Clock::SteadyTime earliest_ = Clock::SteadyTime::max();  // no session's deadline is before it
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  boost::asio::steady_timer sweep_timer_{context_};
  bool sweep_armed_ = false;
  std::unordered_map<HttpSession*, std::shared_ptr<HttpSession>> sessions_;
  std::function<void()> on_empty_;
  std::mutex mutex_;
  bool stopped_ = false;
  std::thread thread_;
  std::thread::id thread_id_;
};

}  // namespace otlp_arrow
