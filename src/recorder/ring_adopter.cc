#include "recorder/ring_adopter.h"

#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/platform/platform.h"
#include "storage/layout.h"

namespace otlp_arrow {
namespace {

constexpr auto kLongestOpening = std::chrono::minutes(1);
constexpr auto kPause = std::chrono::milliseconds(2);  // between two looks at claims of the dead

std::string StateOf(const std::string& ring) { return ring + std::string(RingDrain::kStateSuffix); }

// Whatever is there is due, and whoever is gone is gone.
DrainOptions ForTheDead() {
  DrainOptions options;
  options.max_delay = options.liveness_interval = options.foreign_idle = std::chrono::milliseconds(0);
  options.metric_interval = std::chrono::hours(1);  // once, at the end
  return options;
}

}  // namespace

// The ring goes first: without it nobody asks for what was known of it.
Status RemoveRing(const std::string& path) {
  OTLP_RETURN_NOT_OK(platform::Remove(path));
  return platform::Remove(StateOf(path));
}

void RingAdopter::Scan(const std::string& except) {
  found_.clear();
  report_.busy.clear();
  const std::string directory = StoreLayout(output_dir_).RingsDir();
  auto entries = platform::ListDirectory(directory);
  if (!entries.ok()) return TellDamaged(directory, entries.status());
  for (const auto& entry : *entries) {
    const std::string path = directory + "/" + entry.name;
    if (entry.is_directory || path == except) continue;
    if (entry.name.ends_with(kRingSuffix)) {
      found_.push_back(path);
    } else if (entry.name.ends_with(kOpeningSuffix)) {
      RemoveUnopened(path);
    } else if (entry.name.ends_with(RingDrain::kStateSuffix) && !platform::Exists(path.substr(0, path.size() - RingDrain::kStateSuffix.size()))) {
      (void)platform::Remove(path);  // its ring was removed, and then someone died
    }
  }
}

// Whoever died over it has recorded nothing into it.
void RingAdopter::RemoveUnopened(const std::string& path) {
  const auto ring = ring::RingInspector::Open(path);
  if (!ring.ok()) return;
  const auto live = (*ring)->LiveWriters();
  const auto begun = Clock::WallTime(std::chrono::nanoseconds((*ring)->stats().time_unix_nano));
  if (live.ok() && live->empty() && Clock::System()->Now() - begun > kLongestOpening) (void)platform::Remove(path);
}

bool RingAdopter::Step() {
  if (current_) {
    auto step = current_->Step();
    if (!step.ok()) {
      if (step.status().retryable()) return false;
      TellDamaged(current_->path(), step.status());
      current_.reset();
    } else if (current_->is_finished()) {
      Finish();
    } else if (!*step) {
      std::this_thread::sleep_for(kPause);
    }
    return true;
  }
  if (found_.empty()) return false;
  const std::string path = std::move(found_.front());
  found_.pop_front();
  Open(path);
  return true;
}

bool RingAdopter::IsAlive(const std::string& path) {
  const auto ring = ring::RingInspector::Open(path);
  if (!ring.ok()) return false;  // RingDrain tells why
  const auto live = (*ring)->LiveWriters();
  return !live.ok() || !live->empty() || (*ring)->HasConsumer();
}

void RingAdopter::Open(const std::string& path) {
  // Before the consumer's lock is taken from someone who is about to take it.
  if (IsAlive(path)) {
    report_.busy.push_back(path);
    return;
  }
  auto drain = RingDrain::Open(path, ForTheDead(), sink_);
  if (!drain.ok()) {
    if (drain.status().retryable()) {
      report_.busy.push_back(path);
    } else if (platform::Exists(path)) {
      TellDamaged(path, drain.status());
    }
    return;
  }
  auto live = (*drain)->reader()->LiveWriters();
  if ((*drain)->reader()->IsReplaced()) {
    (void)platform::Remove(StateOf(path));  // another one was faster, and removed the ring
  } else if (!live.ok() || !live->empty()) {
    report_.busy.push_back(path);
  } else {
    spdlog::info("taking over {}, whose program is gone", path);
    current_ = *std::move(drain);
  }
}

void RingAdopter::Finish() {
  if (Status status = current_->Finish(); !status.ok()) {
    if (!status.retryable()) {
      TellDamaged(current_->path(), status);
      current_.reset();
    }
    return;
  }
  if (Status status = RemoveRing(current_->path()); !status.ok()) TellDamaged(current_->path(), status);
  ++report_.rings;
  report_.counters += current_->counters();
  current_.reset();
}

void RingAdopter::TellDamaged(const std::string& path, const Status& why) {
  if (!told_.insert(path).second) return;
  spdlog::warn("{} cannot be taken over: {}", path, why.message());
  report_.damaged.push_back(path + ": " + why.message());
}

AdoptionReport AdoptRings(const std::string& output_dir, CollectorSink* sink, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  RingAdopter adopter(output_dir, sink);
  adopter.Scan();
  while (!adopter.is_done() && std::chrono::steady_clock::now() < deadline) {
    if (!adopter.Step()) std::this_thread::sleep_for(kPause);
  }
  return adopter.report();
}

}  // namespace otlp_arrow
