#include "collector/collector.h"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

namespace otlp_arrow {
namespace {

constexpr auto kDataPause = std::chrono::microseconds(250);  // records are there, and not due yet
constexpr auto kIdleWait = std::chrono::milliseconds(100);
constexpr size_t kHeaderBytes = 64;

}  // namespace

Collector::Collector(CollectorOptions options, CollectorSink* sink) : options_(std::move(options)), sink_(sink) {}
Collector::~Collector() = default;

Status Collector::Run(const std::atomic<bool>& stop, std::chrono::milliseconds deadline) {
  while (!stop) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_scan_) {
      next_scan_ = now + options_.scan_interval;
      OTLP_RETURN_NOT_OK(Scan());
      UpdateStats();
    }
    if (!options_.follow && IsFinished()) break;
    Rest(StepAll());
  }
  return FinishAll(deadline);
}

CollectorStats Collector::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

// --- files ---

Status Collector::Scan() {
  for (auto it = drains_.begin(); it != drains_.end();) {
    const auto current = it++;
    if (current->second->is_finished() && current->second->reader()->IsReplaced()) Close(current->first, Status::Ok());
  }
  for (const std::string& input : options_.inputs) {
    std::error_code error;
    if (std::filesystem::is_directory(input, error)) {
      OTLP_RETURN_NOT_OK(ScanDirectory(input));
    } else if (std::filesystem::exists(input, error)) {
      OTLP_RETURN_NOT_OK(OpenFile(input, !scanned_));
    } else {
      TellOnce(input, "there is no such file yet; waiting for it");
    }
  }
  scanned_ = true;
  return Status::Ok();
}

// Files of other kinds are none of our business.
Status Collector::ScanDirectory(const std::string& path) {
  OTLP_ASSIGN_OR_RETURN(const auto entries, platform::ListDirectory(path));
  for (const auto& entry : entries) {
    if (entry.is_directory || entry.size < kHeaderBytes || entry.name.ends_with(RingDrain::kStateSuffix)) continue;
    OTLP_RETURN_NOT_OK(OpenFile((std::filesystem::path(path) / entry.name).string(), false));
  }
  return Status::Ok();
}

Status Collector::OpenFile(const std::string& path, bool must_be_one) {
  if (drains_.contains(path)) return Status::Ok();
  auto drain = RingDrain::Open(path, options_.drain, sink_);
  if (drain.ok()) {
    spdlog::info("collecting from {}", path);
    told_.erase(path);
    drains_.emplace(path, *std::move(drain));
    return Status::Ok();
  }
  if (must_be_one) return drain.status();
  TellOnce(path, drain.status().message());
  return Status::Ok();
}

void Collector::TellOnce(const std::string& path, const std::string& text) {
  std::string& told = told_[path];
  if (std::exchange(told, text) != text) spdlog::warn("{}: {}", path, text);
}

void Collector::Close(const std::string& path, const Status& why) {
  const auto place = drains_.find(path);
  if (!why.ok()) TellOnce(path, why.message());
  DrainCounters counters = place->second->counters();
  counters.open_spans = 0;
  closed_ += counters;
  drains_.erase(place);
}

// --- work ---

bool Collector::StepAll() {
  const auto now = std::chrono::steady_clock::now();
  if (retry_at_ && now < *retry_at_) return false;
  retry_at_.reset();
  bool worked = false;
  for (auto it = drains_.begin(); it != drains_.end();) {
    const auto current = it++;
    auto step = current->second->Step();
    if (step.ok()) {
      worked |= *step;
    } else if (step.status().retryable()) {
      TellOnce(current->first, step.status().message());
      retry_at_ = now + options_.retry_interval;
    } else {
      Close(current->first, step.status());
    }
  }
  if (worked) UpdateStats();
  return worked;
}

bool Collector::IsFinished() const {
  return std::all_of(drains_.begin(), drains_.end(), [](const auto& drain) { return drain.second->is_finished(); });
}

void Collector::Rest(bool worked) {
  if (worked) return;
  if (retry_at_) {
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(options_.retry_interval, kIdleWait));
    return;
  }
  std::vector<ring::RingReader*> readers;
  for (const auto& [path, drain] : drains_) readers.push_back(drain->reader());
  const bool any = std::any_of(readers.begin(), readers.end(), [](const auto* reader) { return reader->HasData(); });
  if (any) {
    std::this_thread::sleep_for(kDataPause);
  } else if (readers.empty()) {
    std::this_thread::sleep_for(kIdleWait);
  } else {
    ring::WaitForData(readers, kIdleWait);
  }
}

Status Collector::FinishAll(std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  Status outcome;
  for (const auto& [path, drain] : drains_) {
    Status status = drain->Finish();
    while (!status.ok() && status.retryable() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(options_.retry_interval);
      status = drain->Finish();
    }
    if (!status.ok()) outcome = Status(status.code(), path + ": " + status.message() + "; what is left is handed on by the next start");
  }
  UpdateStats();
  drains_.clear();
  return outcome;
}

void Collector::UpdateStats() {
  CollectorStats stats;
  stats.files = drains_.size();
  stats.counters = closed_;
  for (const auto& [path, drain] : drains_) {
    stats.counters += drain->counters();
    stats.dropped += drain->reader()->stats().dropped;
  }
  std::lock_guard lock(mutex_);
  stats_ = stats;
}

}  // namespace otlp_arrow
