#include "pipeline/forwarding.h"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/platform/platform.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;

// For the answers to requests under way, at the end.
constexpr milliseconds kGrace(500);

bool IsEnabled(const ForwardingConfig& destination) { return destination.enabled; }

// The files of what waits in forward/ are there already: only sending is left, by somebody who knows where to.
void ReportWaiting(const StoreLayout& layout) {
  const auto waiting = platform::ListDirectory(layout.LeftOversDir());
  if (!waiting.ok() || waiting->empty()) return;
  spdlog::info("{} journals in '{}' wait to be forwarded; no destination is configured here", waiting->size(), layout.LeftOversDir());
}

}  // namespace

Result<std::unique_ptr<Forwarding>> Forwarding::Start(const Config& config, const StoreLayout& layout, const std::shared_ptr<Clock>& clock) {
  if (std::none_of(config.forwarding.begin(), config.forwarding.end(), IsEnabled)) {
    if (!config.store) return Status::Config("store: false keeps nothing in files, so forwarding needs a destination");
    ReportWaiting(layout);
    return std::unique_ptr<Forwarding>();
  }
  auto factory = RegisteredSenderFactory();
  if (!factory) {
    return Status::Config(
        "forwarding: this program has no senders; in C++ link otlp_arrow::service and call EnableForwarding() of <otlp_arrow/service.h> "
        "before the library is opened, or set 'enabled' of its destinations to false");
  }
  std::unique_ptr<Forwarding> forwarding(new Forwarding(config, layout));
  OTLP_ASSIGN_OR_RETURN(forwarding->forwarder_, Forwarder::Start(config.forwarding, std::move(factory), clock));
  forwarding->left_overs_ = std::make_unique<LeftOvers>(layout, config.forwarding, forwarding->forwarder_.get());
  forwarding->left_overs_->Scan();
  return forwarding;
}

unsigned Forwarding::Workers(const Config& config) {
  const bool in_order = std::any_of(config.forwarding.begin(), config.forwarding.end(),
                                    [](const ForwardingConfig& c) { return c.enabled && c.max_in_flight == 1; });
  if (!config.store || in_order) return 1;
  return config.workers ? config.workers : std::max(1u, std::thread::hardware_concurrency());
}

Status Forwarding::AddShards(const std::vector<std::shared_ptr<Shard>>& shards) {
  shards_ = shards;
  for (auto& shard : shards_) OTLP_RETURN_NOT_OK(shard->StartForwarding(shard));
  left_overs_->Start();
  return Status::Ok();
}

uint64_t Forwarding::BacklogBytes() const {
  uint64_t bytes = left_overs_->bytes();
  for (const auto& shard : shards_) bytes += shard->backlog_bytes();
  return bytes;
}

Status Forwarding::BacklogStatus() const {
  return Status::BufferFull("no room: " + std::to_string(BacklogBytes()) + " bytes wait to be forwarded, the limit is " +
                            std::to_string(config_.forward_backlog_max_bytes) +
                            " (forward_backlog_max_bytes); try again when the destinations take them, or raise the limit");
}

void Forwarding::TrimBacklog() {
  const uint64_t bytes = BacklogBytes();
  if (!config_.store) {
    if (BacklogIsFull()) left_overs_->GiveUpParked(1);
    return;
  }
  uint64_t excess = bytes - std::min(bytes, config_.forward_backlog_max_bytes);
  if (excess == 0 && bytes > 0 && DiskIsShort()) excess = std::max<uint64_t>(1, bytes / 8);
  if (excess == 0) return;
  const uint64_t given_up = GiveUp(excess);
  if (given_up == 0) return;
  spdlog::warn("forwarding: {} bytes wait, {}; the oldest {} are given up", bytes,
               bytes > config_.forward_backlog_max_bytes ? "more than forward_backlog_max_bytes" : "and the disk is full", given_up);
  forwarder_->OnGiveUp();
}

uint64_t Forwarding::GiveUp(uint64_t bytes) {
  uint64_t given_up = left_overs_->GiveUp(bytes);
  while (given_up < bytes && !shards_.empty()) {
    const auto most = std::max_element(shards_.begin(), shards_.end(),
                                       [](const auto& a, const auto& b) { return a->backlog_bytes() < b->backlog_bytes(); });
    const uint64_t more = (*most)->GiveUp(1);
    if (more == 0) break;
    given_up += more;
  }
  return given_up;
}

bool Forwarding::DiskIsShort() const {
  for (const auto& shard : shards_) {
    if (shard->health().code() != StatusCode::kIo) continue;
    const auto free = platform::FreeBytes(layout_.root());
    return free.ok() && *free < std::max<uint64_t>(shard->bytes_in_use(), JournalOptions().segment_bytes) * 2;
  }
  return false;
}

void Forwarding::Stop(Clock::SteadyTime deadline) {
  left_overs_->EndLooking();
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
  if (!forwarder_->Drain(std::max(left, milliseconds(0)))) {
    spdlog::warn("not everything could be forwarded; the rest stays in '{}' and is sent after the next start", layout_.LeftOversDir());
  }
  forwarder_->Stop(kGrace);
  left_overs_->Close();
}

}  // namespace otlp_arrow
