#include "otlp_arrow/library_recorder.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "base/platform/fork.h"
#include "recorder/ring_session.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Status ShutDownAlready() { return Status::Shutdown("the recorder is shut down and records nothing more; open another one to go on"); }

class LibraryRecorder final : public sdk::Recorder, private platform::ForkParticipant {
 public:
  LibraryRecorder(std::shared_ptr<OtlpLibrary> library, const LibraryRecorderOptions& options) : library_(std::move(library)), options_(options) {
    platform::JoinForks(this);
  }

  ~LibraryRecorder() override {
    platform::LeaveForks(this);
    (void)LibraryRecorder::Shutdown(std::chrono::seconds(library_->config().shutdown_timeout_secs));
  }

  // Opened without a lock: the ring joins forks itself. Where two threads open one each, the second is in vain.
  Result<ring::RingWriter*> Writer() override {
    {
      std::lock_guard lock(mutex_);
      if (is_shut_down()) return ShutDownAlready();
      if (session_) return session_->writer();
    }
    OTLP_ASSIGN_OR_RETURN(auto opened, RingSession::Open(library_, options_));
    {
      std::lock_guard lock(mutex_);
      if (!session_ && !is_shut_down()) {
        session_ = opened;
        sessions_.push_back(std::move(opened));
        return session_->writer();
      }
    }
    opened->Discard();
    return Writer();
  }

  Status ForceFlush(milliseconds timeout) override {
    const auto deadline = steady_clock::now() + timeout;
    std::shared_ptr<RingSession> session;
    {
      std::lock_guard lock(mutex_);
      if (is_shut_down()) return ShutDownAlready();
      session = session_;
    }
    if (session) OTLP_RETURN_NOT_OK(session->Flush(deadline));
    return library_->Flush(Left(deadline));
  }

  Status Shutdown(milliseconds timeout) override {
    const auto deadline = steady_clock::now() + timeout;
    std::shared_ptr<RingSession> session;
    bool first = false;
    {
      std::lock_guard lock(mutex_);
      first = !shut_down_.exchange(true, std::memory_order_acq_rel);
      session = session_;
    }
    if (!session) return Status::Ok();
    const Status status = session->Stop(deadline);
    if (!first || !status.ok()) return status;
    return library_->Flush(Left(deadline));
  }

  milliseconds metric_interval() const override { return options_.metric_interval; }

 private:
  static milliseconds Left(steady_clock::time_point deadline) {
    return std::max(std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()), milliseconds(0));
  }

  void PrepareFork() override { mutex_.lock(); }
  void FinishForkInParent() override { mutex_.unlock(); }
  // The parent's ring stays mapped, and its thread is not here: never destroyed.
  void FinishForkInChild() override {
    static auto& abandoned = *new std::vector<std::shared_ptr<RingSession>>;
    for (auto& session : sessions_) {
      session->Abandon();
      abandoned.push_back(std::move(session));
    }
    sessions_.clear();
    if (session_) epoch_.fetch_add(1, std::memory_order_release);
    session_ = nullptr;
    mutex_.unlock();
  }

  const std::shared_ptr<OtlpLibrary> library_;
  const LibraryRecorderOptions options_;
  std::mutex mutex_;  // held for moments only
  std::shared_ptr<RingSession> session_;                // of this process
  std::vector<std::shared_ptr<RingSession>> sessions_;  // bindings point to their writers
};

}  // namespace

Result<std::shared_ptr<sdk::Recorder>> OpenLibraryRecorder(std::shared_ptr<OtlpLibrary> library, const LibraryRecorderOptions& options) {
  if (!library) return Status::Config("library: there is none; create an OtlpLibrary first");
  OTLP_RETURN_NOT_OK(ring::Validate(options.ring));
  if (options.metric_interval < milliseconds(1)) return Status::Config("metric_interval: it must be at least 1 ms");
  if (options.max_delay < milliseconds(0)) return Status::Config("max_delay: it must not be negative");
  if (options.cardinality_limit == 0) return Status::Config("cardinality_limit: 0 is not allowed; use at least 1");
  if (library->is_shut_down()) return Status::Shutdown("the library is shut down; create another OtlpLibrary to record into");
  auto recorder = std::make_shared<LibraryRecorder>(std::move(library), options);
  OTLP_RETURN_NOT_OK(recorder->Writer().status());
  return std::shared_ptr<sdk::Recorder>(std::move(recorder));
}

}  // namespace otlp_arrow
