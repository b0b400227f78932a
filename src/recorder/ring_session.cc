#include "recorder/ring_session.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/platform/platform.h"
#include "storage/layout.h"

namespace otlp_arrow {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kScanInterval = std::chrono::seconds(5);  // for rings of programs that died
constexpr steady_clock::duration kShortestPause = microseconds(100);
constexpr steady_clock::duration kLongestPause = milliseconds(10);
constexpr auto kOpeningPatience = std::chrono::seconds(2);
constexpr steady_clock::duration kRetryPause = milliseconds(50);  // after the library had no room

DrainOptions ToDrainOptions(const LibraryRecorderOptions& options) {
  DrainOptions drain;
  drain.max_delay = options.max_delay;
  drain.metric_interval = options.metric_interval;
  drain.most_series = options.cardinality_limit - 1;
  drain.liveness_interval = std::chrono::hours(24);  // its writer is this process
  return drain;
}

}  // namespace

RingSession::RingSession(std::shared_ptr<OtlpLibrary> library, const LibraryRecorderOptions& options)
    : library_(std::move(library)), options_(options), sink_(library_.get()), adopter_(library_->config().output_dir, &sink_) {}

RingSession::~RingSession() = default;

Result<std::shared_ptr<RingSession>> RingSession::Open(std::shared_ptr<OtlpLibrary> library, const LibraryRecorderOptions& options) {
  std::shared_ptr<RingSession> session(new RingSession(std::move(library), options));
  OTLP_RETURN_NOT_OK(session->OpenRing());
  // It keeps what it works on, for the case that Stop cannot wait for it.
  session->thread_ = std::thread([session] { session->Run(); });
  return session;
}

// Under its name the ring appears with its writer's lock held, so that nobody takes it for a dead one's.
Status RingSession::OpenRing() {
  const std::string directory = StoreLayout(library_->config().output_dir).RingsDir();
  OTLP_RETURN_NOT_OK(platform::CreateDirectories(directory));
  const std::string name = directory + "/" + NewWriterId();
  const std::string opening = name + kOpeningSuffix;
  OTLP_ASSIGN_OR_RETURN(writer_, ring::RingWriter::Open(opening, options_.ring));
  path_ = name + kRingSuffix;
  Status status = platform::Rename(opening, path_);
  const auto patience = steady_clock::now() + kOpeningPatience;
  while (status.ok()) {
    auto drain = RingDrain::Open(path_, ToDrainOptions(options_), &sink_);
    if (drain.ok()) {
      drain_ = *std::move(drain);
      return Status::Ok();
    }
    // An adopter may be having a look.
    if (!drain.status().retryable() || steady_clock::now() > patience) status = drain.status();
    std::this_thread::sleep_for(kShortestPause);
  }
  (void)platform::Remove(opening);
  (void)RemoveRing(path_);
  return status;
}

// --- callers ---

Status RingSession::Flush(Deadline deadline) {
  std::unique_lock lock(mutex_);
  const uint64_t mine = ++flushes_wanted_;
  changed_.notify_all();
  const auto is_over = [&] { return flushes_done_ >= mine || stopped_ || (!trouble_.ok() && !trouble_.retryable()); };
  const bool over = changed_.wait_until(lock, deadline, is_over);
  if (flushes_done_ >= mine) return Status::Ok();
  if (!trouble_.ok() && (over || library_->is_shut_down())) return trouble_;
  if (over) return Status::Shutdown("the recorder was shut down meanwhile");
  return Status::BufferFull("not all that was recorded has reached '" + library_->config().output_dir + "' in time" +
                            (trouble_.ok() ? std::string() : ": " + trouble_.message()));
}

Status RingSession::Stop(Deadline deadline) {
  std::unique_lock lock(mutex_);
  const bool first = !std::exchange(stopping_, true);
  if (first) stop_by_ = deadline;
  changed_.notify_all();
  const bool over = changed_.wait_until(lock, stop_by_, [&] { return stopped_; });
  if (!over) {
    if (first) thread_.detach();
    return Status::BufferFull("not all that was recorded has reached '" + library_->config().output_dir + "' in time; the next start takes it from '" +
                              path_ + "'");
  }
  const Status outcome = outcome_;
  lock.unlock();
  if (first) thread_.join();
  return outcome;
}

void RingSession::Discard() { (void)Stop(steady_clock::now() + std::chrono::seconds(1)); }

// --- the thread ---

void RingSession::Run() {
  platform::SetThreadName("otlp-recorder");
  try {
    Work();
  } catch (const std::exception& e) {  // no memory
    Fail(Status::Io(std::string("the recorder's thread has ended: ") + e.what()));
  }
  drain_.reset();
  std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void RingSession::Work() {
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    const bool worked = drain_ && Serve();
    AdoptSometimes();
    Rest(worked);
  }
  Close();
}

// What is due of the own ring; with a flush under way, all of it.
bool RingSession::Serve() {
  uint64_t wanted = 0;
  {
    std::lock_guard lock(mutex_);
    wanted = flushes_wanted_;
    if (flushes_done_ == wanted) wanted = 0;
  }
  if (wanted > flushing_) {
    flushing_ = wanted;
    flush_to_ = drain_->Written();
  }
  const auto result = wanted > 0 ? drain_->Flush(flush_to_) : drain_->Step();
  if (!result.ok()) {
    Fail(result.status());
    return false;
  }
  std::lock_guard lock(mutex_);
  trouble_ = Status::Ok();
  if (wanted > 0 && *result) {
    flushes_done_ = flushing_;
    changed_.notify_all();
  }
  return *result;
}

// With an error of the ring itself there is nothing more to be had from it.
void RingSession::Fail(const Status& why) {
  std::lock_guard lock(mutex_);
  if (trouble_.ok()) spdlog::warn("what is recorded waits in {}: {}", path_, why.message());
  trouble_ = why;
  if (why.retryable()) return;
  drain_.reset();
  changed_.notify_all();
}

void RingSession::Close() {
  Status status = trouble_;  // why there is no ring to take from
  bool all = false;
  while (drain_ && !all) {
    const auto flushed = drain_->Flush(drain_->Written());
    all = flushed.ok() && *flushed;
    status = flushed.ok() && !all ? Status::BufferFull("a record is still being written") : flushed.status();
    if (all) status = drain_->EndOpenSpans();
    all &= status.ok();
    if (all || (!status.ok() && (!status.retryable() || library_->is_shut_down())) || steady_clock::now() >= stop_by_) break;
    std::this_thread::sleep_for(kShortestPause);
  }
  // Children that ended without a shutdown.
  adopter_.Scan(path_);
  while (all && !adopter_.is_done() && adopter_.Step() && steady_clock::now() < stop_by_) {
  }
  drain_.reset();
  if (all) status = RemoveRing(path_);
  std::lock_guard lock(mutex_);
  flushes_done_ = all ? flushes_wanted_ : flushes_done_;
  if (!status.ok()) outcome_ = Status(status.code(), status.message() + "; what is left waits in '" + path_ + "' for the next start", status.retryable());
}

void RingSession::AdoptSometimes() {
  const auto now = steady_clock::now();
  if (adopter_.is_done()) {
    if (now < next_scan_) return;
    next_scan_ = now + kScanInterval;
    adopter_.Scan(path_);
  }
  if (adopter_.Step()) pause_ = kShortestPause;
}

// Records that are not due yet are looked at more often the fuller the ring gets: producers must not wait for us.
void RingSession::Rest(bool worked) {
  pause_ = worked ? kShortestPause : std::clamp(pause_ * 2, kShortestPause, kLongestPause);
  std::unique_lock lock(mutex_);
  const uint64_t seen = flushing_;
  if (!trouble_.ok()) pause_ = kRetryPause;
  if (flushes_done_ < flushes_wanted_) pause_ = std::min(pause_, kShortestPause * 5);
  changed_.wait_for(lock, pause_, [&] { return stopping_ || flushes_wanted_ > seen; });
}

}  // namespace otlp_arrow
