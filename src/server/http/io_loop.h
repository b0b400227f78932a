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

namespace otlp_arrow {

class HttpSession;

// Shared: a session keeps its loop alive until the last callback of the pipeline has let go of it.
class IoLoop {
 public:
  explicit IoLoop(std::shared_ptr<Clock> clock) : clock_(std::move(clock)) {}
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
  void Add(std::shared_ptr<HttpSession> session);
  void Remove(HttpSession* session);
  // Tells every session that the server drains, and calls `on_empty` when the last one is gone.
  void Drain(std::function<void()> on_empty);

 private:
  void Run();
  void ArmSweep();
  // Closes what has run out of time.
  void Sweep();
  void CloseAll();

  const std::shared_ptr<Clock> clock_;
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
