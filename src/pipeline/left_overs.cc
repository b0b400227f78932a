#include "pipeline/left_overs.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

namespace otlp_arrow {
namespace {

constexpr auto kScanEvery = std::chrono::seconds(1);

}  // namespace

LeftOvers::LeftOvers(const StoreLayout& layout, const std::vector<ForwardingConfig>& destinations, Forwarder* forwarder)
    : layout_(layout), forwarder_(forwarder) {
  for (const ForwardingConfig& destination : destinations) {
    if (destination.enabled) names_.push_back(destination.DisplayName());
  }
}

std::vector<std::shared_ptr<LeftOver>> LeftOvers::Taken() const {
  std::lock_guard lock(mutex_);
  return taken_;
}

uint64_t LeftOvers::bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const auto& left_over : taken_) bytes += left_over->bytes();
  for (const auto& [writer, parked] : parked_) bytes += parked;
  return bytes;
}

uint64_t LeftOvers::GiveUp(uint64_t bytes) {
  uint64_t given_up = GiveUpParked(bytes);
  for (const auto& left_over : Taken()) {
    if (given_up < bytes) given_up += left_over->GiveUp(bytes - given_up);
  }
  return given_up;
}

uint64_t LeftOvers::GiveUpParked(uint64_t bytes) {
  std::map<std::string, uint64_t> parked;
  {
    std::lock_guard lock(mutex_);
    parked = parked_;
  }
  uint64_t given_up = 0;
  for (const auto& [writer, size] : parked) {
    if (given_up >= bytes) break;
    auto left_over = LeftOver::Open(layout_, writer, forwarder_);
    if (!left_over.ok() || !*left_over) continue;  // another process has it by now
    if (!(*left_over)->GiveUpAll().ok() || !Finish(*left_over)) continue;
    spdlog::warn("forwarding: {} bytes of '{}' are given up, for destinations that are not configured here", size, layout_.LeftOverDir(writer));
    given_up += size;
    std::lock_guard lock(mutex_);
    parked_.erase(writer);
  }
  return given_up;
}

void LeftOvers::Scan() {
  const auto entries = platform::ListDirectory(layout_.LeftOversDir());
  if (!entries.ok()) return;
  std::set<std::string> own;
  for (const auto& left_over : Taken()) own.insert(left_over->writer());
  {
    std::lock_guard lock(mutex_);
    std::erase_if(parked_, [&](const auto& parked) { return !platform::Exists(layout_.LeftOverDir(parked.first)); });
    for (const auto& [writer, bytes] : parked_) own.insert(writer);
  }
  std::vector<std::shared_ptr<LeftOver>> found;
  for (const auto& entry : *entries) {
    if (!entry.is_directory || own.contains(entry.name)) continue;
    // Without positions nobody knows what is sent: all of it is, again.
    const bool is_new = !ForwardPositions::ExistsIn(layout_.LeftOverDir(entry.name));
    auto left_over = LeftOver::Open(layout_, entry.name, forwarder_);
    if (left_over.ok() && *left_over) {
      for (const std::string& name : names_) {
        if (is_new) (void)(*left_over)->positions().PlaceOf(name);
      }
      found.push_back(*std::move(left_over));
    } else if (!left_over.ok() && unreadable_.insert(entry.name).second) {
      spdlog::error("forwarding: what '{}' holds cannot be sent: {}", layout_.LeftOverDir(entry.name), left_over.status().message());
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a->first_time() < b->first_time(); });
  for (auto& left_over : found) Take(std::move(left_over));
}

void LeftOvers::Take(std::shared_ptr<LeftOver> left_over) {
  if (Status status = forwarder_->AddSource(left_over); !status.ok()) {
    spdlog::error("forwarding: what '{}' holds cannot be sent: {}", layout_.LeftOverDir(left_over->writer()), status.message());
    return forwarder_->RemoveSource(left_over.get());
  }
  std::lock_guard lock(mutex_);
  taken_.push_back(std::move(left_over));
}

void LeftOvers::Park(const LeftOver& left_over) {
  const ForwardSnapshot positions = left_over.positions().Snapshot();
  std::string names;
  for (const auto& destination : positions.destinations) {
    const ForwardSnapshot alone{positions.is_relay, {destination}};
    if (alone.HasUnsent(left_over.last())) names += (names.empty() ? "'" : ", '") + destination.first + "'";
  }
  spdlog::warn("forwarding: '{}' holds records for {}, which this process does not send; they wait for one that does, or until "
               "forward_backlog_max_bytes is reached",
               layout_.LeftOverDir(left_over.writer()), names);
  std::lock_guard lock(mutex_);
  parked_[left_over.writer()] = left_over.bytes_on_disk();
}

void LeftOvers::FinishSettled() {
  for (const auto& left_over : Taken()) {
    if (!finishing_.contains(left_over->writer())) {
      if (!forwarder_->IsSettled(*left_over)) continue;
      forwarder_->RemoveSource(left_over.get());
      finishing_.insert(left_over->writer());
    }
    const bool is_owed = left_over->positions().Snapshot().HasUnsent(left_over->last());
    if (is_owed) Park(*left_over);
    if (!is_owed && !Finish(left_over)) continue;
    finishing_.erase(left_over->writer());
    std::lock_guard lock(mutex_);
    std::erase(taken_, left_over);
  }
}

bool LeftOvers::Finish(const std::shared_ptr<LeftOver>& left_over) {
  // Retention counts in the same ledgers.
  const auto lock = platform::FileLock::TryLock(layout_.LedgersLock());
  if (!lock.ok() || !lock->has_value()) return false;
  Status status = left_over->Finish();
  if (!status.ok()) spdlog::warn("forwarding: {}", status.message());
  return status.ok();
}

void LeftOvers::Start() {
  thread_ = std::thread([this] { Run(); });
}

void LeftOvers::Run() {
  platform::SetThreadName("otlp-leftover");
  std::unique_lock lock(mutex_);
  while (!stop_) {
    lock.unlock();
    FinishSettled();
    Scan();
    lock.lock();
    stop_wake_.wait_for(lock, kScanEvery, [this] { return stop_; });
  }
}

void LeftOvers::EndLooking() {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(stop_, true)) return;
  }
  stop_wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  Scan();
}

void LeftOvers::Close() {
  EndLooking();
  FinishSettled();
  for (const auto& left_over : Taken()) forwarder_->RemoveSource(left_over.get());
  std::lock_guard lock(mutex_);
  taken_.clear();
}

}  // namespace otlp_arrow
