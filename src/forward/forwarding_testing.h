// A journal to forward from, and a destination that answers as a test says.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "forward/forward_source.h"
#include "forward/forwarder.h"
#include "forward/otlp_sender.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "otlp/scan.h"
#include "temp_dir.h"

namespace otlp_arrow::testing {

using TraceRequest = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;

// A request with one span for each name; a span called "bad…" has an id of a wrong length.
inline std::string SpansNamed(const std::vector<std::string>& names) {
  TraceRequest request;
  auto* scope = request.add_resource_spans()->add_scope_spans();
  for (const std::string& name : names) {
    auto* span = scope->add_spans();
    span->set_name(name);
    span->set_trace_id(name.starts_with("bad") ? "short" : "0123456789abcdef");
    span->set_span_id("01234567");
  }
  return request.SerializeAsString();
}

inline std::vector<std::string> NamesIn(std::string_view bytes) {
  TraceRequest request;
  EXPECT_TRUE(request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  std::vector<std::string> names;
  for (const auto& resource : request.resource_spans()) {
    for (const auto& scope : resource.scope_spans()) {
      for (const auto& span : scope.spans()) names.push_back(span.name());
    }
  }
  return names;
}

// A journal in a directory of its own.
class JournalSource final : public ForwardSource {
 public:
  // `dir` keeps its content from one source to the next; left-over ones only read.
  explicit JournalSource(std::string dir, uint64_t segment_bytes = 16 << 20) : dir_(std::move(dir)) {
    positions_ = *ForwardPositions::Open(dir_);
    journal_ = *Journal::Create(dir_, {.segment_bytes = segment_bytes});
    journal_->SetForwarded({});
  }

  uint64_t Append(const std::string& request, Signal signal = Signal::kTraces) {
    std::lock_guard lock(mutex_);
    const ScanResult scan = ScanOtlp(signal, request);
    const auto sequence = journal_->Append(signal, request, scan.items, scan.rejected_items);
    EXPECT_TRUE(sequence.ok()) << sequence.status().ToString();
    End& end = ends_[static_cast<size_t>(signal)];
    end = {*sequence, end.items + scan.items, end.bytes + request.size()};
    return *sequence;
  }

  // Goes on with the same bytes as a source that was left over.
  void LeaveOver() { is_left_over_ = true; }
  void GiveUpBefore(uint64_t segment) { give_up_before_ = segment; }
  uint64_t last_segment() const { return SegmentsFrom(0).back().number; }
  size_t segment_count() const { return SegmentsFrom(0).size(); }
  void ReleaseUpTo(const StoredSequences& stored, const StoredSequences& forwarded) {
    std::lock_guard lock(mutex_);
    journal_->SetForwarded(forwarded);
    journal_->Release(stored);
  }

  const std::string& writer() const override { return dir_; }
  ForwardPositions& positions() override { return *positions_; }
  bool is_left_over() const override { return is_left_over_; }
  End GetEnd(Signal signal) const override {
    std::lock_guard lock(mutex_);
    return ends_[static_cast<size_t>(signal)];
  }
  std::vector<JournalSegment> SegmentsFrom(uint64_t first) const override {
    std::lock_guard lock(mutex_);
    return journal_->SegmentsFrom(first);
  }
  uint64_t give_up_before() const override { return give_up_before_; }
  void OnProgress() override { ++progress; }

  std::atomic<int> progress{0};

 private:
  const std::string dir_;
  mutable std::mutex mutex_;
  std::unique_ptr<ForwardPositions> positions_;
  std::unique_ptr<Journal> journal_;
  std::array<End, kSignalCount> ends_{};
  std::atomic<bool> is_left_over_{false};
  std::atomic<uint64_t> give_up_before_{0};
};

// What all senders of a destination's name reach. Thread-safe.
class FakePeer {
 public:
  using Answer = std::function<SendOutcome(const std::vector<std::string>& names)>;

  // Asked for each request, instead of taking it; one that is taken counts as received.
  void AnswerWith(Answer answer) {
    std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  SendOutcome Take(std::string_view request) {
    const std::vector<std::string> names = NamesIn(request);
    Answer answer;
    {
      std::lock_guard lock(mutex_);
      ++requests_;
      answer = answer_;
    }
    SendOutcome outcome = answer ? answer(names) : SendOutcome();
    std::lock_guard lock(mutex_);
    if (outcome.taken()) received_.insert(received_.end(), names.begin(), names.end());
    return outcome;
  }
  std::vector<std::string> received() const {
    std::lock_guard lock(mutex_);
    return received_;
  }
  int requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  mutable std::mutex mutex_;
  Answer answer_;
  std::vector<std::string> received_;
  int requests_ = 0;
};

// Reaches the peer that has the host's name of the endpoint.
class FakeFactory final : public SenderFactory {
 public:
  FakePeer& peer(const std::string& name) { return peers_[name]; }
  std::atomic<int> made{0};
  std::atomic<int> cancelled{0};

  Result<std::unique_ptr<OtlpSender>> Make(const ForwardingConfig& config) override {
    ++made;
    return std::unique_ptr<OtlpSender>(new Sender(this, &peers_[config.DisplayName()]));
  }

 private:
  class Sender final : public OtlpSender {
   public:
    Sender(FakeFactory* factory, FakePeer* peer) : factory_(factory), peer_(peer) {}
    SendOutcome Send(Signal, std::string_view request, std::chrono::milliseconds) override { return peer_->Take(request); }
    void Cancel() override { ++factory_->cancelled; }

   private:
    FakeFactory* factory_;
    FakePeer* peer_;
  };
  std::map<std::string, FakePeer> peers_;
};

inline SendOutcome Retryable(const std::string& message) { return {.kind = SendOutcome::Kind::kRetryable, .message = message, .retry_after = std::nullopt}; }
inline SendOutcome Refused(const std::string& message, bool is_too_large = false) {
  return {.kind = SendOutcome::Kind::kRefused, .is_too_large = is_too_large, .message = message, .retry_after = std::nullopt};
}

// A destination called `name` that waits for nothing.
inline ForwardingConfig Quick(const std::string& name) {
  ForwardingConfig config;
  config.name = name;
  config.endpoint = "http://127.0.0.1:4317";
  config.batch_delay_ms = 1;
  config.max_in_flight = 1;
  config.retry_initial_ms = 1;
  config.retry_max_ms = 5;
  config.breaker_open_ms = 10;
  return config;
}

}  // namespace otlp_arrow::testing
