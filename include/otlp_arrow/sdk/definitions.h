// Scopes and metrics of a recorder, defined in its ring when they are used first and again in every new epoch.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "otlp_arrow/export.h"
#include "otlp_arrow/ring/ring_writer.h"
#include "otlp_arrow/sdk/recorder.h"
#include "otlp_arrow/telemetry.h"

namespace otlp_arrow::sdk {

// A reference and the ring that it is good for. No writer: the recorder is shut down, or the ring could not be opened or
// has no room for definitions; told once on the log.
struct Binding {
  ring::RingWriter* writer = nullptr;
  ring::Ref ref = 0;
  explicit operator bool() const { return writer != nullptr; }
};

// Something that has a reference in each epoch. Thread-safe, and without a lock that a fork could leave held; after the first
// call of an epoch, Get is a few loads.
class OTLP_ARROW_EXPORT Definition {
 public:
  explicit Definition(std::shared_ptr<Recorder> recorder) : recorder_(std::move(recorder)) {}
  virtual ~Definition();
  Definition(const Definition&) = delete;
  Definition& operator=(const Definition&) = delete;

  Binding Get() noexcept {
    const Bound* bound = bound_.load(std::memory_order_acquire);
    if (bound && bound->epoch == recorder_->epoch() && !recorder_->is_shut_down()) return bound->binding;
    return Bind();
  }
  const std::shared_ptr<Recorder>& recorder() const { return recorder_; }

 private:
  struct Bound {
    uint32_t epoch = 0;
    Binding binding;
    const Bound* previous = nullptr;
  };
  // Threads may do so at once: equal definitions give the same reference.
  virtual Result<ring::Ref> Define(ring::RingWriter* writer) = 0;
  Binding Bind() noexcept;

  std::shared_ptr<Recorder> recorder_;
  std::atomic<const Bound*> bound_{nullptr};  // the newest; those before it stay until the end, there are few
  std::atomic<bool> told_{false};
};

class OTLP_ARROW_EXPORT ScopeDefinition final : public Definition {
 public:
  ScopeDefinition(std::shared_ptr<Recorder> recorder, std::shared_ptr<const Resource> resource, InstrumentationScope scope);
  const InstrumentationScope& scope() const { return scope_; }
  const std::shared_ptr<const Resource>& resource() const { return resource_; }
  // In a forked child, before anything is recorded there: what the child is.
  void SetResource(std::shared_ptr<const Resource> resource) { resource_ = std::move(resource); }

 private:
  Result<ring::Ref> Define(ring::RingWriter* writer) override;

  std::shared_ptr<const Resource> resource_;
  InstrumentationScope scope_;
};

enum class AggregationKind { kGauge, kSum, kHistogram, kExponentialHistogram };

// One stream of data points.
struct MetricStreamDefinition {
  std::string name;
  std::string description;
  std::string unit;
  AggregationKind aggregation = AggregationKind::kSum;
  ring::Temporality temporality = ring::Temporality::kCumulative;
  bool is_monotonic = true;               // sums
  std::vector<double> bucket_boundaries;  // histograms, increasing
  int64_t max_buckets = 160;              // exponential histograms
  int64_t max_scale = 20;
  uint32_t cardinality_limit = 0;         // attribute sets, the overflow's one included; 0: as the collector is told
};

class OTLP_ARROW_EXPORT MetricDefinition final : public Definition {
 public:
  MetricDefinition(std::shared_ptr<ScopeDefinition> scope, MetricStreamDefinition stream);
  const MetricStreamDefinition& stream() const { return stream_; }

 private:
  Result<ring::Ref> Define(ring::RingWriter* writer) override;

  std::shared_ptr<ScopeDefinition> scope_;
  MetricStreamDefinition stream_;
};

// A string that is used again and again (a key of an attribute, the name of an event).
class OTLP_ARROW_EXPORT StringDefinition final : public Definition {
 public:
  StringDefinition(std::shared_ptr<Recorder> recorder, std::string text);

 private:
  Result<ring::Ref> Define(ring::RingWriter* writer) override;

  std::string text_;
};

// Owned attributes as a ring takes them: `Get` is valid until the next call or the end of the object. Errors: kExport.
class OTLP_ARROW_EXPORT RingAttributes {
 public:
  Result<ring::Attributes> Get(ring::RingWriter* writer, const Attributes& attributes);

 private:
  Result<ring::Value> Convert(ring::RingWriter* writer, const Value& value, int depth);
  std::vector<std::unique_ptr<std::vector<ring::Value>>> arrays_;
  std::vector<std::unique_ptr<std::vector<ring::Attribute>>> maps_;
  std::vector<ring::Attribute> top_;
};

}  // namespace otlp_arrow::sdk
