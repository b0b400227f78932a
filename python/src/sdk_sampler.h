// Which spans are recorded. The standard samplers are native; others are asked. Everything here wants the GIL.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "python_object.h"
#include "sdk_trace_api.h"

namespace otlp_arrow::python {

enum class SamplingDecision : uint8_t { kDrop, kRecordOnly, kRecordAndSample };

// What a sampler may look at: the arguments of Tracer.start_span.
struct SamplingInput {
  PyObject* context;                 // as it was given; None for none
  const SpanContextParts* parent;    // null at a root
  const uint8_t* trace_id;
  PyObject* name;
  PyObject* kind;
  PyObject* attributes;
  PyObject* links;
};

struct SamplingOutcome {
  SamplingDecision decision = SamplingDecision::kRecordAndSample;
  // Of a sampler that was asked; of the others attributes and trace state are those that were given.
  bool has_own = false;
  nb::object attributes;
  nb::object trace_state;
};

class Sampler {
 public:
  // ("on",), ("off",), ("ratio", bound), ("other", object), or ("parent", root, remote_parent_sampled,
  // remote_parent_not_sampled, local_parent_sampled, local_parent_not_sampled), which are such tuples. Raises ValueError.
  explicit Sampler(nb::handle spec);

  SamplingOutcome Decide(const SamplingInput& input) const;
  // Does it record whatever stands below a sampled parent, and in this process, and has it no say in the rest of such a span?
  bool records_below_sampled() const { return records_below_sampled_; }
  // The same of a span without a parent.
  bool records_roots() const { return records_roots_; }

 private:
  enum class Kind { kOn, kOff, kRatio, kParent, kOther };

  SamplingOutcome Ask(const SamplingInput& input) const;

  Kind kind_ = Kind::kOn;
  bool always_ = false;  // a ratio of 1
  bool records_below_sampled_ = false;
  bool records_roots_ = false;
  uint64_t bound_ = 0;   // of a ratio: the lower half of a trace id is below it
  std::vector<std::unique_ptr<Sampler>> children_;
  nb::object other_;
};

}  // namespace otlp_arrow::python
