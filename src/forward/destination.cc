#include "forward/destination.h"

#include <algorithm>
#include <random>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/platform/background.h"
#include "base/platform/platform.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using SteadyTime = Clock::SteadyTime;

// How often a batch that grows is looked at.
constexpr milliseconds kGatherCheck(20);
// After a journal could not be read.
constexpr milliseconds kReadRetry(1000);
constexpr auto kLongest = std::chrono::hours(1);
// A peer may wish more, and is asked again all the same.
constexpr milliseconds kLongestWish = std::chrono::minutes(10);
// Requests that fail in a row before nobody waits for the destination any more.
constexpr int kFailing = 3;

double Seconds(Clock::SteadyTime::duration duration) { return std::chrono::duration<double>(duration).count(); }

double AgeSeconds(int64_t time, Clock::WallTime now) {
  const auto then = Clock::WallTime(std::chrono::duration_cast<Clock::WallTime::duration>(std::chrono::nanoseconds(time)));
  return std::max(0.0, std::chrono::duration<double>(now - then).count());
}

}  // namespace

Destination::Destination(const ForwardingConfig& config, std::shared_ptr<SenderFactory> factory, std::shared_ptr<Clock> clock)
    : config_(config),
      name_(config.DisplayName()),
      factory_(std::move(factory)),
      clock_(std::move(clock)),
      breaker_({.failures = static_cast<int>(config.breaker_failures), .open_for = milliseconds(config.breaker_open_ms)}) {}

Result<std::unique_ptr<Destination>> Destination::Start(const ForwardingConfig& config, std::shared_ptr<SenderFactory> factory,
                                                        std::shared_ptr<Clock> clock) {
  OTLP_RETURN_NOT_OK(config.Validate());
  std::unique_ptr<Destination> destination(new Destination(config, std::move(factory), std::move(clock)));
  const auto protocol = config.protocol.empty() ? std::nullopt : ProtocolFromName(config.protocol);
  OTLP_ASSIGN_OR_RETURN(destination->endpoint_, ParseEndpoint(config.endpoint, protocol));
  for (uint32_t i = 0; i < std::max(1u, config.max_in_flight); ++i) destination->workers_.push_back(std::make_unique<Worker>());
  for (auto& worker : destination->workers_) {
    OTLP_ASSIGN_OR_RETURN(worker->sender, destination->factory_->Make(config));
  }
  for (auto& worker : destination->workers_) worker->thread = std::thread([d = destination.get(), w = worker.get()] { d->Run(w); });
  return destination;
}

Destination::~Destination() {
  BeginStop();
  CancelAll();
  Join();
}

// --- sources --------------------------------------------------------------------------------------------------------

Status Destination::AddSource(const std::shared_ptr<ForwardSource>& source) {
  std::optional<size_t> place = source->positions().Find(name_);
  if (!place && source->is_left_over()) return Status::Ok();
  if (!place) {
    OTLP_ASSIGN_OR_RETURN(place, source->positions().PlaceOf(name_));
  }
  {
    std::lock_guard lock(mutex_);
    const auto first_live = std::find_if(lanes_.begin(), lanes_.end(), [](const auto& lane) { return !lane->source().is_left_over(); });
    std::vector<std::shared_ptr<Lane>> lanes;
    for (Signal signal : config_.signals) lanes.push_back(std::make_shared<Lane>(source, *place, signal));
    lanes_.insert(source->is_left_over() ? first_live : lanes_.end(), lanes.begin(), lanes.end());
  }
  Hurry();
  return Status::Ok();
}

void Destination::RemoveSource(const ForwardSource* source) {
  std::unique_lock lock(mutex_);
  std::vector<std::shared_ptr<Lane>> removed;
  for (const auto& lane : lanes_) {
    if (&lane->source() == source) removed.push_back(lane);
  }
  std::erase_if(lanes_, [&](const auto& lane) { return &lane->source() == source; });
  for (const auto& lane : removed) {
    lane->is_removed = true;
    DestinationSignalStats& stats = counts_.signals[static_cast<size_t>(lane->signal())];
    lane->AddTo(&stats);
    stats.accepted += lane->settled_since_start();
  }
  changed_.notify_all();
  changed_.wait(lock, [&] { return std::all_of(removed.begin(), removed.end(), [](const auto& lane) { return lane->users == 0; }); });
}

std::vector<std::shared_ptr<Lane>> Destination::Lanes() const {
  std::lock_guard lock(mutex_);
  return lanes_;
}

void Destination::ReleaseUse(Lane* lane) {
  if (--lane->users == 0 && lane->is_removed) changed_.notify_all();
}

std::optional<ForwardState> Destination::StateOf(const ForwardSource& source, Signal signal) const {
  std::lock_guard lock(mutex_);
  for (const auto& lane : lanes_) {
    if (&lane->source() == &source && lane->signal() == signal) return lane->state();
  }
  return std::nullopt;
}

bool Destination::IsSettled(const ForwardSource* source) const {
  for (const auto& lane : Lanes()) {
    if (source != nullptr && &lane->source() != source) continue;
    const ForwardSource::End end = lane->source().GetEnd(lane->signal());
    std::lock_guard lock(mutex_);
    if (!lane->IsSettled(end)) return false;
  }
  return true;
}

bool Destination::IsFailing() const {
  std::lock_guard lock(mutex_);
  return failures_in_a_row_ >= kFailing || breaker_.state() != CircuitBreaker::State::kClosed;
}

// --- looking for work -----------------------------------------------------------------------------------------------

void Destination::Wake() {
  if (!idle_.load() || !idle_.exchange(false)) return;
  Hurry();
}

void Destination::Hurry() {
  std::lock_guard lock(mutex_);
  ++wakes_;
  changed_.notify_all();
}

void Destination::GiveUp() {
  Hurry();
  {
    std::lock_guard lock(mutex_);
    if (looking_ || stopping_) return;  // whoever looks for work does it
    looking_ = true;
  }
  for (const auto& lane : Lanes()) {
    if (lane->MustGiveUp()) (void)ReadFrom(lane, true);
  }
  std::lock_guard lock(mutex_);
  looking_ = false;
  changed_.notify_all();
}

std::optional<Destination::Work> Destination::NextWork() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || !looking_; });
  if (stopping_) return std::nullopt;
  looking_ = true;
  std::optional<Work> work;
  while (!stopping_ && !work) {
    const uint64_t wakes = wakes_;
    lock.unlock();
    const SteadyTime now = clock_->SteadyNow();
    SteadyTime look_again = now + kLongest;
    bool has_unread = false;
    idle_ = true;  // before looking, so that what is appended after the look wakes
    work = TakeWork(now, &look_again, &has_unread);
    if (work || has_unread) idle_ = false;  // it is looked at again soon without
    lock.lock();
    if (!work) changed_.wait_until(lock, look_again, [&] { return stopping_ || wakes_ != wakes; });
  }
  looking_ = false;
  changed_.notify_all();
  return work;
}

std::optional<Destination::Work> Destination::TakeWork(SteadyTime now, SteadyTime* look_again, bool* has_unread) {
  const std::vector<std::shared_ptr<Lane>> lanes = Lanes();
  std::array<bool, kSignalCount> waits_for_left_over{};
  bool draining = false;
  {
    std::lock_guard lock(mutex_);
    draining = draining_;
  }
  // Left-over lanes in their order, live ones in turn.
  const auto first_live = std::find_if(lanes.begin(), lanes.end(), [](const auto& lane) { return !lane->source().is_left_over(); });
  const auto left_over = static_cast<size_t>(first_live - lanes.begin());
  const size_t live = lanes.size() - left_over;
  for (size_t i = 0; i < lanes.size(); ++i) {
    const auto& lane = i < left_over ? lanes[i] : lanes[left_over + (i - left_over + turn_) % live];
    const auto s = static_cast<size_t>(lane->signal());
    if (waits_for_left_over[s]) continue;
    Lane::View view = lane->Look(now);
    if (!view.has_unread) continue;
    *has_unread = true;
    const bool is_left_over = i < left_over;
    waits_for_left_over[s] = is_left_over && !lane->is_unreadable;
    const SteadyTime due = view.since + milliseconds(config_.batch_delay_ms);
    const bool is_ready = is_left_over || draining || view.unread_bytes >= config_.batch_bytes || now >= due || lane->MustGiveUp();
    if (!is_ready) {
      *look_again = std::min({*look_again, due, now + kGatherCheck});
      continue;
    }
    if (auto work = TakeFrom(lane)) {
      ++turn_;
      return work;
    }
    *look_again = std::min(*look_again, now + (lane->Look(now).has_unread ? kReadRetry : kGatherCheck));
  }
  return std::nullopt;
}

std::optional<Destination::Work> Destination::TakeFrom(const std::shared_ptr<Lane>& lane) {
  auto batch = ReadFrom(lane, false);
  if (!batch) return std::nullopt;
  return Work{lane, *std::move(batch)};
}

std::optional<Lane::Batch> Destination::ReadFrom(const std::shared_ptr<Lane>& lane, bool only_give_up) {
  {
    std::lock_guard lock(mutex_);
    if (lane->is_removed) return std::nullopt;
    ++lane->users;
  }
  std::optional<Lane::Batch> batch;
  Status status = lane->MustGiveUp() ? lane->GiveUp() : Status::Ok();
  if (status.ok() && !only_give_up) {
    auto read = lane->Read(config_.batch_bytes);
    status = read.status();
    if (read.ok()) batch = *std::move(read);
  }
  if (!status.ok()) spdlog::error("forwarding to '{}': {}; tried again", name_, status.message());
  lane->is_unreadable = !status.ok();
  bool moved = false;
  {
    std::lock_guard lock(mutex_);
    moved = lane->Commit();
    if (batch) ++counts_.in_flight;
  }
  if (moved) lane->source().OnProgress();
  if (batch) return batch;
  std::lock_guard lock(mutex_);
  ReleaseUse(lane.get());
  return std::nullopt;
}

// --- sending --------------------------------------------------------------------------------------------------------

void Destination::Run(Worker* worker) {
  platform::SetThreadName("otlp-forward");
  platform::WorkInBackground();  // live requests do not wait for the drain of a backlog
  while (auto work = NextWork()) Deliver(worker, *std::move(work));
}

void Destination::Deliver(Worker* worker, Work work) {
  const Signal signal = work.lane->signal();
  DeliveryReport report =
      otlp_arrow::Deliver(signal, work.batch.requests, [&](std::string_view request) { return AttemptUntilVerdict(worker, work, request); });
  bool moved = false;
  {
    std::lock_guard lock(mutex_);
    --counts_.in_flight;
    if (report.is_settled) {
      moved = work.lane->Settle(work.batch.ticket, report.items);
    } else {
      work.lane->Abandon(work.batch.ticket);
    }
  }
  if (!report.refusal.empty() && report.items.Items() > report.items.sent + report.items.rejected) {
    spdlog::warn("forwarding to '{}': {} of {} items of {} given up: {}", name_, report.items.Items() - report.items.sent - report.items.rejected,
                 work.batch.items, SignalName(signal), report.refusal);
  }
  if (moved) work.lane->source().OnProgress();
  std::lock_guard lock(mutex_);
  ReleaseUse(work.lane.get());
  changed_.notify_all();
}

Verdict Destination::AttemptUntilVerdict(Worker* worker, const Work& work, std::string_view request) {
  Backoff backoff({.first = milliseconds(config_.retry_initial_ms), .longest = milliseconds(config_.retry_max_ms)}, [this] { return Random(); });
  const SteadyTime begin = clock_->SteadyNow();
  for (bool first = true;; first = false) {
    if (!Enter(work)) return {.kind = Verdict::Kind::kAbandoned, .message = {}};
    if (!first) {
      std::lock_guard lock(mutex_);
      ++counts_.retries;
    }
    SendOutcome outcome = SendOnce(worker, work.lane->signal(), request);
    switch (outcome.kind) {
      case SendOutcome::Kind::kTaken: return {Verdict::Kind::kTaken, false, outcome.rejected_items, std::move(outcome.message)};
      case SendOutcome::Kind::kRefused: return {Verdict::Kind::kRefused, outcome.is_too_large, 0, std::move(outcome.message)};
      case SendOutcome::Kind::kUnusable: ReplaceSender(worker); break;
      case SendOutcome::Kind::kRetryable:
        // A peer that likes our certificate no longer just breaks the connection.
        if (!outcome.retry_after && IsFailing()) ReplaceSender(worker);
        break;
    }
    const SteadyTime next = clock_->SteadyNow() + backoff.Next(outcome.retry_after);
    if (config_.max_retry_secs > 0 && next - begin >= std::chrono::seconds(config_.max_retry_secs)) {
      return {Verdict::Kind::kTimeout, false, 0, std::move(outcome.message)};
    }
    if (!SleepUntil(next, work)) return {.kind = Verdict::Kind::kAbandoned, .message = {}};
  }
}

bool Destination::Enter(const Work& work) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!IsWanted(work)) return false;
    const SteadyTime now = clock_->SteadyNow();
    if (now >= not_before_ && breaker_.TryEnter(now)) return true;
    // Half open: whoever tries tells the others.
    const SteadyTime next = std::max(not_before_, breaker_.state() == CircuitBreaker::State::kClosed ? now : std::min(breaker_.next_try(), now + kLongest));
    changed_.wait_until(lock, std::max(next, now + milliseconds(1)));
  }
}

SendOutcome Destination::SendOnce(Worker* worker, Signal signal, std::string_view request) {
  const SteadyTime begin = clock_->SteadyNow();
  SendOutcome outcome = worker->sender->Send(signal, request, milliseconds(config_.timeout_ms));
  if (outcome.retry_after) outcome.retry_after = std::clamp(*outcome.retry_after, milliseconds(0), kLongestWish);
  Count(outcome, request.size(), begin, clock_->SteadyNow());
  return outcome;
}

void Destination::Count(const SendOutcome& outcome, size_t bytes, SteadyTime begin, SteadyTime end) {
  std::lock_guard lock(mutex_);
  const double seconds = Seconds(end - begin);
  const auto bucket = std::lower_bound(DestinationStats::kLatencyBounds.begin(), DestinationStats::kLatencyBounds.end(), seconds);
  ++counts_.send_latency[static_cast<size_t>(bucket - DestinationStats::kLatencyBounds.begin())];
  counts_.send_latency_sum_secs += seconds;
  ++counts_.requests;
  if (outcome.taken()) counts_.bytes_sent += static_cast<int64_t>(bytes);
  if (outcome.taken() || outcome.kind == SendOutcome::Kind::kRefused) {
    if (failures_in_a_row_ > 0) {
      spdlog::info("forwarding to '{}' works again, after {:.1f} s", name_, Seconds(end - failing_since_));
    }
    failures_in_a_row_ = 0;
    counts_.last_error = outcome.taken() ? "" : outcome.message;
    if (!outcome.taken()) ++counts_.failures;
    breaker_.OnSuccess();
  } else {
    ++counts_.failures;
    if (failures_in_a_row_++ == 0 && !stopping_) {
      failing_since_ = begin;
      spdlog::warn("forwarding to '{}' fails: {}; what waits for it is kept and tried again", name_, outcome.message);
    }
    counts_.last_error = outcome.message;
    if (outcome.retry_after) not_before_ = std::max(not_before_, end + *outcome.retry_after);
    if (outcome.kind == SendOutcome::Kind::kUnusable) {
      breaker_.Trip(end);
    } else {
      breaker_.OnFailure(end, outcome.retry_after.value_or(milliseconds(0)));
    }
  }
  changed_.notify_all();
}

// Another token or certificate may be there by now.
void Destination::ReplaceSender(Worker* worker) {
  auto sender = factory_->Make(config_);
  if (!sender.ok()) {
    spdlog::error("forwarding to '{}': {}", name_, sender.status().message());
    return;
  }
  std::lock_guard lock(worker->sender_mutex);
  worker->sender = *std::move(sender);
}

bool Destination::SleepUntil(SteadyTime time, const Work& work) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_until(lock, time, [&] { return !IsWanted(work); });
}

double Destination::Random() {
  thread_local std::mt19937_64 engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

// --- the end --------------------------------------------------------------------------------------------------------

void Destination::BeginDrain() {
  {
    std::lock_guard lock(mutex_);
    draining_ = true;
  }
  Hurry();
}

void Destination::BeginStop() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

bool Destination::IsIdle() const {
  std::lock_guard lock(mutex_);
  return counts_.in_flight == 0;
}

void Destination::CancelAll() {
  for (auto& worker : workers_) {
    std::lock_guard lock(worker->sender_mutex);
    if (worker->sender) worker->sender->Cancel();
  }
}

void Destination::Join() {
  for (auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

DestinationStats Destination::Stats() const {
  const auto lanes = Lanes();
  std::vector<ForwardSource::End> ends;
  for (const auto& lane : lanes) ends.push_back(lane->source().GetEnd(lane->signal()));
  std::lock_guard lock(mutex_);
  DestinationStats stats = counts_;
  stats.name = name_;
  stats.endpoint = endpoint_.ToString();
  stats.protocol = std::string(ProtocolName(endpoint_.protocol));
  stats.breaker = std::string(CircuitBreaker::NameOf(breaker_.state()));
  int64_t oldest = 0;
  for (size_t i = 0; i < lanes.size(); ++i) {
    const Lane& lane = *lanes[i];
    DestinationSignalStats& signal = stats.signals[static_cast<size_t>(lane.signal())];
    lane.AddTo(&signal);
    const int64_t backlog = lane.BacklogItems(ends[i]);
    signal.backlog += backlog;
    signal.accepted += lane.settled_since_start() + backlog;
    stats.backlog_bytes += lane.BacklogBytes(ends[i]);
    if (const int64_t time = lane.oldest_time(); time != 0 && (oldest == 0 || time < oldest)) oldest = time;
  }
  if (oldest != 0) stats.oldest_unsent_age_secs = AgeSeconds(oldest, clock_->Now());
  return stats;
}

}  // namespace otlp_arrow
