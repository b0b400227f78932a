#include "server/http/io_loop.h"

#include <chrono>
#include <exception>
#include <vector>

#include <spdlog/spdlog.h>

#include "server/http/http_session.h"

namespace otlp_arrow {
namespace {

// How exactly time-outs, of seconds, are kept.
constexpr std::chrono::milliseconds kSweepInterval{200};

}  // namespace

IoLoop::~IoLoop() { Stop(); }

void IoLoop::Start() {
  thread_ = std::thread([this] { Run(); });
  thread_id_ = thread_.get_id();  // nothing is posted before
}

void IoLoop::Run() {
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& e) {
      spdlog::error("HTTP server: {}", e.what());  // sessions handle their own; this is the last resort
    }
  }
}

void IoLoop::Stop() {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    boost::asio::post(context_, [this] {
      CloseAll();
      work_.reset();
    });
  }
  if (thread_.joinable()) {
    thread_.join();
  } else {
    Run();
  }
}

void IoLoop::Add(std::shared_ptr<HttpSession> session) {
  HttpSession* key = session.get();
  sessions_.emplace(key, std::move(session));
  ArmSweep();
}

void IoLoop::Remove(HttpSession* session) {
  sessions_.erase(session);
  if (sessions_.empty() && on_empty_) std::exchange(on_empty_, nullptr)();
}

void IoLoop::ArmSweep() {
  if (sweep_armed_ || sessions_.empty()) return;
  sweep_armed_ = true;
  sweep_timer_.expires_after(kSweepInterval);
  sweep_timer_.async_wait([this](const boost::system::error_code& ec) {
    sweep_armed_ = false;
    if (!ec) Sweep();
  });
}

void IoLoop::Sweep() {
  const auto now = clock_->SteadyNow();
  if (now < earliest_) return ArmSweep();
  earliest_ = Clock::SteadyTime::max();
  std::vector<std::shared_ptr<HttpSession>> late;
  for (const auto& [key, session] : sessions_) {
    if (session->deadline() <= now) {
      late.push_back(session);
    } else {
      Expect(session->deadline());
    }
  }
  for (const auto& session : late) session->OnDeadline();
  ArmSweep();
}

void IoLoop::Drain(std::function<void()> on_empty) {
  std::vector<std::shared_ptr<HttpSession>> all;
  for (const auto& [key, session] : sessions_) all.push_back(session);
  on_empty_ = std::move(on_empty);
  for (const auto& session : all) session->OnDrain();
  if (sessions_.empty() && on_empty_) std::exchange(on_empty_, nullptr)();
}

void IoLoop::CloseAll() {
  sweep_timer_.cancel();
  on_empty_ = nullptr;
  const auto all = std::exchange(sessions_, {});
  for (const auto& [key, session] : all) session->Close();
}

}  // namespace otlp_arrow
