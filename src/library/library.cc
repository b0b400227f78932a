#include "otlp_arrow/library.h"

#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/platform/fork.h"
#include "library/log_sink.h"
#include "pipeline/pipeline.h"
#include "storage/recovery.h"

namespace otlp_arrow {
namespace {

// Less than the service takes: that saves a program that embeds us some megabytes for each worker, and its files are 2 %
// larger.
constexpr PipelineMemory kMemory{.batches = {.max_rows = 4096, .max_text_bytes = 4 << 20}, .block_bytes = 1 << 20, .spare_blocks = 2};

Status ShutDownAlready() {
  return Status::Shutdown("the library is shut down and records nothing more; create another OtlpLibrary to go on");
}

Result<ExportOutcome> ToOutcome(AcceptResult result) {
  if (result.status.code() == StatusCode::kShutdown) return ShutDownAlready();
  if (!result.status.ok()) return result.status;
  return ExportOutcome{result.accepted_items, result.rejected_items, std::move(result.rejected_reason)};
}

std::vector<SignalStats::Reason> ToReasons(const std::map<std::string, int64_t, std::less<>>& counts) {
  std::vector<SignalStats::Reason> reasons;
  for (const auto& [reason, items] : counts) reasons.push_back({reason, items});
  return reasons;
}

// Keeps what a forked child must neither use nor destroy: it belongs to threads that are not there.
void Abandon(std::shared_ptr<Pipeline> pipeline) {
  static auto& abandoned = *new std::vector<std::shared_ptr<Pipeline>>;
  abandoned.push_back(std::move(pipeline));
}

class LibraryImpl final : public OtlpLibrary, private platform::ForkParticipant {
 public:
  explicit LibraryImpl(const Config& config) : config_(config) {}

  ~LibraryImpl() override {
    platform::LeaveForks(this);
    if (Status status = LibraryImpl::Shutdown(std::chrono::seconds(config_.shutdown_timeout_secs)); !status.ok()) {
      spdlog::warn("{}", status.message());
    }
  }

  Status Start() {
    OTLP_RETURN_NOT_OK(config_.Validate());
    LogToStandardError(config_.log_level, config_.log_format);
    OTLP_ASSIGN_OR_RETURN(pipeline_, Pipeline::Open(config_, nullptr, kMemory));
    platform::JoinForks(this);
    return Status::Ok();
  }

  Result<ExportOutcome> ExportOtlp(Signal signal, std::string request) override {
    OTLP_ASSIGN_OR_RETURN(const auto pipeline, Use());
    return ToOutcome(pipeline->AcceptAndWait(signal, SharedBytes::Take(std::move(request))));
  }

  Result<ExportOutcome> ExportOtlpRef(Signal signal, std::string_view request) override {
    OTLP_ASSIGN_OR_RETURN(const auto pipeline, Use());
    Pipeline::WritableBytes bytes = pipeline->Allocate(request.size());
    if (!request.empty()) std::memcpy(bytes.data, request.data(), request.size());
    return ToOutcome(pipeline->AcceptAndWait(signal, std::move(bytes).Share()));
  }

  void StartExportOtlp(Signal signal, std::string request, ExportCallback done) override {
    const auto pipeline = Use();
    if (!pipeline.ok()) return done(pipeline.status());
    (*pipeline)->Accept(signal, SharedBytes::Take(std::move(request)),
                        [done = std::move(done)](AcceptResult result) { done(ToOutcome(std::move(result))); });
  }

  Status Flush(std::chrono::milliseconds timeout) override {
    std::shared_ptr<Pipeline> pipeline;
    {
      std::lock_guard lock(mutex_);
      if (shut_down_) return ShutDownAlready();
      pipeline = pipeline_;
    }
    return pipeline ? pipeline->Flush(timeout) : Status::Ok();
  }

  Status Shutdown(std::chrono::milliseconds timeout) override {
    std::shared_ptr<Pipeline> pipeline;
    bool first = false, forked = false;
    {
      std::lock_guard lock(mutex_);
      first = !std::exchange(shut_down_, true);
      forked = forked_;
      pipeline = pipeline_;
    }
    if (!pipeline) return Status::Ok();
    // Before, where it is forwarded, too, and once more for those that ended meanwhile.
    if (first && forked && !config_.forwarding.empty()) AdoptChildren();
    Status status = pipeline->Shutdown(timeout);
    if (first && forked) AdoptChildren();
    return status;
  }

  bool is_shut_down() const override {
    std::lock_guard lock(mutex_);
    return shut_down_;
  }

  LibraryStats Stats() const override {
    std::shared_ptr<Pipeline> pipeline;
    {
      std::lock_guard lock(mutex_);
      pipeline = pipeline_;
    }
    LibraryStats stats;
    if (!pipeline) return stats;
    const Ledger ledger = pipeline->GetLedger();
    for (Signal signal : kAllSignals) {
      const SignalLedger& from = ledger[signal];
      stats.signals[static_cast<size_t>(signal)] = {from.received,  from.stored,  from.relayed,
                                                    from.in_flight, from.expired, ToReasons(from.refused), ToReasons(from.invalid)};
    }
    stats.queued_bytes = pipeline->QueuedBytes();
    stats.destinations = pipeline->ForwardingStats();
    return stats;
  }

  const Config& config() const override { return config_; }

 private:
  // This process's pipeline; a forked child opens its own at the first request.
  Result<std::shared_ptr<Pipeline>> Use() {
    std::lock_guard lock(mutex_);
    if (shut_down_) return ShutDownAlready();
    if (!pipeline_) {
      OTLP_ASSIGN_OR_RETURN(pipeline_, Pipeline::Open(config_, nullptr, kMemory));
    }
    return pipeline_;
  }

  // Children that ended without a shutdown, as multiprocessing's do, left what they accepted last in their journals.
  void AdoptChildren() {
    auto report = RecoverDirectory(config_, Clock::System());
    if (!report.ok()) spdlog::warn("what ended child processes left in their journals stays there: {}", report.status().message());
  }

  void PrepareFork() override { mutex_.lock(); }
  void FinishForkInParent() override {
    forked_ = true;
    mutex_.unlock();
  }
  void FinishForkInChild() override {
    if (pipeline_) Abandon(std::move(pipeline_));
    pipeline_ = nullptr;
    forked_ = false;
    mutex_.unlock();
  }

  const Config config_;
  mutable std::mutex mutex_;  // guards what follows; held while a forked child opens its pipeline, else for moments
  std::shared_ptr<Pipeline> pipeline_;
  bool shut_down_ = false;
  bool forked_ = false;  // this process has had children
};

}  // namespace

Result<std::shared_ptr<OtlpLibrary>> OtlpLibrary::Create(const Config& config) {
  auto library = std::make_shared<LibraryImpl>(config);
  OTLP_RETURN_NOT_OK(library->Start());
  return std::shared_ptr<OtlpLibrary>(std::move(library));
}

}  // namespace otlp_arrow
