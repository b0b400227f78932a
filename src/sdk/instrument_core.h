// An instrument: the streams of data points that its measurements go to.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sdk/provider_core.h"

namespace otlp_arrow::sdk {

using Number = std::variant<int64_t, double>;

struct Stream {
  std::unique_ptr<MetricDefinition> definition;
  std::optional<std::vector<std::string>> keys;  // of attributes that are kept; nothing: all
};

class InstrumentCore {
 public:
  InstrumentCore(std::shared_ptr<ProviderCore> provider, InstrumentKind instrument_kind, std::string instrument_name)
      : kind(instrument_kind), name(std::move(instrument_name)), provider_(std::move(provider)) {}

  const InstrumentKind kind;
  const std::string name;
  std::vector<Stream> streams;

  // Into all streams.
  void Record(const Number& value, AttributeList attributes, const SpanContext* context) const noexcept;
  // False where there was no room.
  bool RecordInto(const Stream& stream, const Number& value, AttributeList attributes, const SpanContext* context) const;

 private:
  bool IsAllowed(const Number& value) const noexcept;
  const SpanContext* ExemplarContext(const SpanContext* given) const noexcept;

  const std::shared_ptr<ProviderCore> provider_;
  mutable std::atomic<bool> told_{false};
};

// One stream for each view that fits, else the default one; none where all of those drop. `advice`: of the instrument.
std::vector<Stream> StreamsOf(const ProviderCore& provider, const std::shared_ptr<ScopeDefinition>& scope, InstrumentKind kind, const std::string& name,
                              const InstrumentOptions& advice);

}  // namespace otlp_arrow::sdk
