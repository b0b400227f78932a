#include "sdk_sampler.h"

#include <string_view>

#include "sdk_log.h"

namespace otlp_arrow::python {
namespace {

const Name kShouldSample("should_sample"), kDecision("decision"), kAttributes("attributes"), kTraceState("trace_state"),
    kIsRecording("is_recording"), kIsSampled("is_sampled");
enum Child : size_t { kRoot, kRemoteSampled, kRemoteNotSampled, kLocalSampled, kLocalNotSampled, kChildren };

uint64_t LowerHalf(const uint8_t* trace_id) {
  uint64_t half = 0;
  for (int i = 8; i < 16; ++i) half = half << 8 | trace_id[i];
  return half;
}

SamplingOutcome Dropped() {
  SamplingOutcome outcome;
  outcome.decision = SamplingDecision::kDrop;
  return outcome;
}

bool Says(PyObject* decision, const Name& method) {
  const nb::object answer = nb::steal(PyObject_CallMethodNoArgs(decision, method.get()));
  if (!answer.is_valid()) throw nb::python_error();
  const int is = PyObject_IsTrue(answer.ptr());
  if (is < 0) throw nb::python_error();
  return is > 0;
}

}  // namespace

Sampler::Sampler(nb::handle spec) {
  const nb::str kind(spec[0]);
  const std::string_view name = kind.c_str();
  if (name == "on") {
    kind_ = Kind::kOn;
    records_roots_ = records_below_sampled_ = true;
  } else if (name == "off") {
    kind_ = Kind::kOff;
  } else if (name == "ratio") {
    kind_ = Kind::kRatio;
    const nb::object bound = spec[1];
    int64_t ignored = 0;
    always_ = !ToInt64(bound.ptr(), &ignored) && PyLong_AsUnsignedLongLong(bound.ptr()) == static_cast<unsigned long long>(-1) && PyErr_Occurred();
    PyErr_Clear();
    if (!always_) bound_ = ToUint64(bound.ptr(), "bound");
  } else if (name == "parent") {
    kind_ = Kind::kParent;
    for (size_t i = 0; i < kChildren; ++i) children_.push_back(std::make_unique<Sampler>(nb::object(spec[i + 1])));
    records_roots_ = children_[kRoot]->records_roots();
    records_below_sampled_ = children_[kLocalSampled]->records_below_sampled();
  } else if (name == "other") {
    kind_ = Kind::kOther;
    other_ = spec[1];
  } else {
    throw nb::value_error("a sampler is on, off, ratio, parent or other");
  }
}

SamplingOutcome Sampler::Decide(const SamplingInput& input) const {
  switch (kind_) {
    case Kind::kOn: break;
    case Kind::kOff: return Dropped();
    case Kind::kRatio:
      if (!always_ && LowerHalf(input.trace_id) >= bound_) return Dropped();
      break;
    case Kind::kParent: {
      if (!input.parent) return children_[kRoot]->Decide(input);
      const bool sampled = (input.parent->trace_flags & 1) != 0;
      const Child child = input.parent->is_remote ? (sampled ? kRemoteSampled : kRemoteNotSampled) : (sampled ? kLocalSampled : kLocalNotSampled);
      return children_[child]->Decide(input);
    }
    case Kind::kOther: return Ask(input);
  }
  return {};
}

// One that fails keeps no span from being recorded.
SamplingOutcome Sampler::Ask(const SamplingInput& input) const {
  try {
    const nb::object trace_id = IdToInt(input.trace_id, 16);
    PyObject* arguments[] = {other_.ptr(), input.context, trace_id.ptr(), input.name, input.kind, input.attributes, input.links};
    const nb::object result = nb::steal(PyObject_VectorcallMethod(kShouldSample.get(), arguments, 7, nullptr));
    if (!result.is_valid()) throw nb::python_error();
    const nb::object decision = Attr(result.ptr(), kDecision);
    SamplingOutcome outcome;
    outcome.has_own = true;
    outcome.attributes = AttrOrNone(result.ptr(), kAttributes);
    outcome.trace_state = AttrOrNone(result.ptr(), kTraceState);
    outcome.decision = Says(decision.ptr(), kIsSampled)     ? SamplingDecision::kRecordAndSample
                       : Says(decision.ptr(), kIsRecording) ? SamplingDecision::kRecordOnly
                                                            : SamplingDecision::kDrop;
    return outcome;
  } catch (nb::python_error& error) {
    error.restore();
    if (!LogException("the sampler of a tracer provider")) throw nb::python_error();
    return {};
  }
}

}  // namespace otlp_arrow::python
