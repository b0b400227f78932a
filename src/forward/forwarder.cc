#include "forward/forwarder.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "forward/destination.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr milliseconds kWaitStep(5);

Status CheckNames(const std::vector<ForwardingConfig>& destinations) {
  std::set<std::string> names;
  for (const ForwardingConfig& destination : destinations) {
    if (destination.enabled && !names.insert(destination.DisplayName()).second) {
      return Status::Config("forwarding: two destinations have the name '" + destination.DisplayName() + "'; give each a name of its own");
    }
  }
  if (names.size() > ForwardPositions::kMaxDestinations) {
    return Status::Config("forwarding: there are " + std::to_string(names.size()) + " destinations; allowed are at most " +
                          std::to_string(ForwardPositions::kMaxDestinations));
  }
  return Status::Ok();
}

class ForwarderImpl final : public Forwarder {
 public:
  ~ForwarderImpl() override { ForwarderImpl::Stop(milliseconds(0)); }

  Status Begin(const std::vector<ForwardingConfig>& configs, const std::shared_ptr<SenderFactory>& factory, const std::shared_ptr<Clock>& clock) {
    for (const ForwardingConfig& config : configs) {
      if (!config.enabled) continue;
      OTLP_ASSIGN_OR_RETURN(auto destination, Destination::Start(config, factory, clock));
      destinations_.push_back(std::move(destination));
    }
    return Status::Ok();
  }

  Status AddSource(std::shared_ptr<ForwardSource> source) override {
    for (auto& destination : destinations_) OTLP_RETURN_NOT_OK(destination->AddSource(source));
    return Status::Ok();
  }

  void RemoveSource(const ForwardSource* source) override {
    for (auto& destination : destinations_) destination->RemoveSource(source);
  }

  void OnAppended() override {
    for (auto& destination : destinations_) destination->Wake();
  }

  void OnGiveUp() override {
    for (auto& destination : destinations_) destination->GiveUp();
  }

  StoredSequences DoneUpTo(ForwardSource& source) const override {
    StoredSequences done;
    done.fill(UINT64_MAX);
    ForEachState(source, [&](Signal signal, const ForwardState& state) {
      uint64_t& sequence = done[static_cast<size_t>(signal)];
      sequence = std::min(sequence, state.sequence);
    });
    return done;
  }

  int64_t SettledItems(ForwardSource& source, Signal wanted) const override {
    std::optional<int64_t> least;
    ForEachState(source, [&](Signal signal, const ForwardState& state) {
      if (signal == wanted) least = std::min(least.value_or(INT64_MAX), state.Items());
    });
    return least.value_or(0);
  }

  bool IsSettled(ForwardSource& source) const override {
    return std::all_of(destinations_.begin(), destinations_.end(), [&](const auto& d) { return d->IsSettled(&source); });
  }

  bool Takes(Signal signal) const override {
    return std::any_of(destinations_.begin(), destinations_.end(), [&](const auto& d) { return d->Takes(signal); });
  }

  bool Drain(milliseconds timeout) override {
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
    for (auto& destination : destinations_) destination->BeginDrain();
    for (;;) {
      bool all = true, waits = false;
      for (auto& destination : destinations_) {
        const bool settled = destination->IsSettled(nullptr);
        all = all && settled;
        waits = waits || (!settled && !destination->IsFailing());
      }
      if (all || !waits || std::chrono::steady_clock::now() >= deadline) return all;
      std::this_thread::sleep_for(kWaitStep);
    }
  }

  void Stop(milliseconds grace) override {
    std::lock_guard lock(stop_mutex_);
    const SteadyTime deadline = std::chrono::steady_clock::now() + grace;
    for (auto& destination : destinations_) destination->BeginStop();
    auto idle = [this] { return std::all_of(destinations_.begin(), destinations_.end(), [](const auto& d) { return d->IsIdle(); }); };
    while (!idle() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(kWaitStep);
    for (auto& destination : destinations_) destination->CancelAll();
    for (auto& destination : destinations_) destination->Join();
  }

  std::vector<DestinationStats> Stats() const override {
    std::vector<DestinationStats> stats;
    for (const auto& destination : destinations_) stats.push_back(destination->Stats());
    return stats;
  }

 private:
  template <class OnState>
  void ForEachState(const ForwardSource& source, const OnState& on_state) const {
    for (const auto& destination : destinations_) {
      for (Signal signal : kAllSignals) {
        if (const auto state = destination->StateOf(source, signal)) on_state(signal, *state);
      }
    }
  }

  std::mutex stop_mutex_;
  std::vector<std::unique_ptr<Destination>> destinations_;  // fixed once begun
};

}  // namespace

Result<std::unique_ptr<Forwarder>> Forwarder::Start(const std::vector<ForwardingConfig>& destinations, std::shared_ptr<SenderFactory> factory,
                                                    std::shared_ptr<Clock> clock) {
  OTLP_RETURN_NOT_OK(CheckNames(destinations));
  if (!factory) return Status::Config("forwarding is configured, but this program links no senders");
  auto forwarder = std::make_unique<ForwarderImpl>();
  OTLP_RETURN_NOT_OK(forwarder->Begin(destinations, factory, clock ? std::move(clock) : Clock::System()));
  return std::unique_ptr<Forwarder>(std::move(forwarder));
}

}  // namespace otlp_arrow
