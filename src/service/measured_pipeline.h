// A pipeline as one server sees it: hands everything on and measures the requests of that server.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/pipeline.h"

namespace otlp_arrow {

// What became of a request.
enum class RequestResult { kOk, kPartial, kInvalid, kRefused };
inline constexpr size_t kRequestResultCount = 4;
std::string_view RequestResultName(RequestResult result);  // "ok", …

class MeasuredPipeline final : public Pipeline {
 public:
  // Upper bounds of the histogram, in seconds; requests beyond the last are counted one bucket further.
  static constexpr std::array<double, 13> kDurationBounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10};

  struct Requests {
    std::array<uint64_t, kDurationBounds.size() + 1> durations{};
    double duration_sum_secs = 0;
    uint64_t bytes = 0;  // of OTLP, decompressed
    std::array<uint64_t, kRequestResultCount> results{};
  };

  // `pipeline` must outlive this; this must outlive all requests given to it: their outcomes are counted here.
  MeasuredPipeline(std::string server, Pipeline* pipeline) : server_(std::move(server)), pipeline_(pipeline) {}

  const std::string& server() const { return server_; }
  Requests RequestsOf(Signal signal) const;
  // Requests that the server refused before they reached the pipeline, by reason.
  std::map<std::string, uint64_t, std::less<>> Refusals() const;

  void Accept(Signal signal, SharedBytes bytes, AcceptCallback done) override;
  void CountRefused(Signal signal, int64_t items, std::string_view reason) override;

  WritableBytes Allocate(size_t size) override { return pipeline_->Allocate(size); }
  Status Flush(std::chrono::milliseconds timeout) override { return pipeline_->Flush(timeout); }
  Status Shutdown(std::chrono::milliseconds timeout) override { return pipeline_->Shutdown(timeout); }
  bool Ready(std::string* why) const override { return pipeline_->Ready(why); }
  Ledger GetLedger() const override { return pipeline_->GetLedger(); }
  uint64_t QueuedBytes() const override { return pipeline_->QueuedBytes(); }
  PipelineStats GetStats() const override { return pipeline_->GetStats(); }
  Status Reconfigure(const Config& config) override { return pipeline_->Reconfigure(config); }
  std::vector<DestinationStats> ForwardingStats() const override { return pipeline_->ForwardingStats(); }

 private:
  // Counters of one signal; threads of a server add to them at a time.
  struct alignas(64) Counters {
    std::array<std::atomic<uint64_t>, kDurationBounds.size() + 1> durations{};
    std::atomic<uint64_t> duration_sum_nanos{0};
    std::atomic<uint64_t> bytes{0};
    std::array<std::atomic<uint64_t>, kRequestResultCount> results{};
  };

  static void Count(Counters* counters, uint64_t bytes, std::chrono::steady_clock::duration duration, RequestResult result);

  const std::string server_;
  Pipeline* const pipeline_;
  std::array<Counters, kSignalCount> counters_;
  mutable std::mutex refusals_mutex_;
  std::map<std::string, uint64_t, std::less<>> refusals_;
};

}  // namespace otlp_arrow
