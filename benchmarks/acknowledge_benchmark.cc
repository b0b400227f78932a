// What does each level of acknowledgement (memory, journal, fsync) cost a sender in time and the service in CPU,
// compared with memory? With fsync also for 64 senders at a time, which share syncs (group commit).
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "measure.h"
#include "otlp/scan.h"
#include "pipeline/pipeline.h"
#include "sample_requests.h"
#include "temporary_directory.h"

namespace otlp_arrow::bench {
namespace {

constexpr auto kTimeout = std::chrono::seconds(60);

// Senders that wait for their answer before they send again, on one thread.
class Senders {
 public:
  Senders(Pipeline* pipeline, int count) : pipeline_(pipeline), sent_at_(static_cast<size_t>(count)) {
    for (int i = 0; i < count; ++i) ready_.push_back(i);
  }

  void Send(const std::vector<std::string>& requests, std::vector<double>* latencies) {
    latencies_ = latencies;
    for (const auto& request : requests) SendOne(request);
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [this] { return ready_.size() == sent_at_.size(); });
  }

 private:
  void SendOne(const std::string& request) {
    const auto sender = static_cast<size_t>(TakeReady());
    auto bytes = pipeline_->Allocate(request.size());
    std::memcpy(bytes.data, request.data(), request.size());
    sent_at_[sender] = WallTime();
    pipeline_->Accept(Signal::kTraces, std::move(bytes).Share(), [this, sender](const AcceptResult& result) { OnAnswer(sender, result); });
  }

  int TakeReady() {
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [this] { return !ready_.empty(); });
    const int sender = ready_.back();
    ready_.pop_back();
    return sender;
  }

  void OnAnswer(size_t sender, const AcceptResult& result) {
    const double now = WallTime();
    if (!result.status.ok()) {
      std::fprintf(stderr, "refused: %s\n", result.status.ToString().c_str());
      std::exit(1);
    }
    std::lock_guard lock(mutex_);
    latencies_->push_back(now - sent_at_[sender]);
    ready_.push_back(static_cast<int>(sender));
    answered_.notify_one();
  }

  Pipeline* pipeline_;
  std::vector<double> sent_at_;
  std::vector<double>* latencies_ = nullptr;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::vector<int> ready_;
};

struct Level {
  const char* name;
  Acknowledge acknowledge;
  int senders;
  size_t requests;  // a round; few enough to be held in memory, so that nobody waits for room
  TemporaryDirectory directory = {};
  std::unique_ptr<Pipeline> pipeline = {};
  std::vector<double> latencies = {}, cpu_per_item = {}, items_per_second = {};

  void Open() {
    Config config;
    config.output_dir = directory.path();
    config.acknowledge = acknowledge;
    config.memory_budget = 256ull << 20;
    auto opened = Pipeline::Open(config);
    if (!opened.ok()) {
      std::fprintf(stderr, "%s\n", opened.status().ToString().c_str());
      std::exit(1);
    }
    pipeline = std::move(*opened);
  }

  // CPU includes what the workers do until everything is in files.
  void Round(const std::vector<std::string>& all, bool counts) {
    const std::vector<std::string> own(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(requests, all.size())));
    int64_t items = 0;
    for (const auto& r : own) items += ScanOtlp(Signal::kTraces, r).items;
    std::vector<double> round;
    const double cpu_begin = ProcessCpu(), wall_begin = WallTime();
    Senders(pipeline.get(), senders).Send(own, &round);
    const double wall = WallTime() - wall_begin;
    if (Status flushed = pipeline->Flush(kTimeout); !flushed.ok()) std::exit((std::fprintf(stderr, "%s\n", flushed.ToString().c_str()), 1));
    if (!counts) return;
    latencies.insert(latencies.end(), round.begin(), round.end());
    cpu_per_item.push_back((ProcessCpu() - cpu_begin) / static_cast<double>(items));
    items_per_second.push_back(static_cast<double>(items) / wall);
  }
};

void Compare(bool quick) {
  const auto requests = SampleRequests(Signal::kTraces, quick ? 100 : 1000, 100);
  Level levels[] = {{"memory", Acknowledge::kMemory, 1, 1000},
                    {"journal", Acknowledge::kJournal, 1, 1000},
                    {"fsync", Acknowledge::kFsync, 1, 200},
                    {"memory, 64 senders", Acknowledge::kMemory, 64, 1000},
                    {"fsync, 64 senders", Acknowledge::kFsync, 64, 1000}};
  for (Level& level : levels) level.Open();
  for (int round = 0, rounds = quick ? 1 : 9; round <= rounds; ++round) {
    for (Level& level : levels) level.Round(requests, round > 0);
  }
  std::printf("traces, 100 spans a request, in %s%s\n", levels[0].directory.path().c_str(),
              levels[0].directory.in_memory() ? " (in memory: syncs cost nothing here; set TMPDIR to a directory on a disk)" : "");
  std::printf("  %-20s %9s %8s %9s %8s %14s %9s %8s\n", "", "p50 us", "x memory", "p99 us", "x memory", "spans accepted", "CPU s/M", "x memory");
  const double p50 = Quantile(levels[0].latencies, 0.5), p99 = Quantile(levels[0].latencies, 0.99), cpu = Median(levels[0].cpu_per_item);
  for (const Level& level : levels) {
    const double own50 = Quantile(level.latencies, 0.5), own99 = Quantile(level.latencies, 0.99), own_cpu = Median(level.cpu_per_item);
    std::printf("  %-20s %9.1f %8.2f %9.1f %8.2f %10.3f M/s %9.3f %8.2f\n", level.name, own50 * 1e6, own50 / p50, own99 * 1e6, own99 / p99,
                Median(level.items_per_second) / 1e6, own_cpu * 1e6, own_cpu / cpu);
  }
}

}  // namespace
}  // namespace otlp_arrow::bench

int main(int argc, char** argv) { otlp_arrow::bench::Compare(otlp_arrow::bench::IsQuick(argc, argv)); }
