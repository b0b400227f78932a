#include "otlp_arrow/sdk/meter.h"

#include <algorithm>
#include <mutex>

#include <spdlog/spdlog.h>

#include "sdk/meter_core.h"
#include "sdk/text.h"

namespace otlp_arrow::sdk {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// https://opentelemetry.io/docs/specs/otel/metrics/api/#instrument-name-syntax
bool IsInstrumentName(std::string_view name) {
  const auto allowed = [](char c) { return IsLetter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' || c == '/'; };
  return !name.empty() && name.size() <= 255 && IsLetter(name[0]) && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace

std::shared_ptr<const InstrumentCore> MeterCore::Create(InstrumentKind kind, std::string_view name, const InstrumentOptions& options) {
  if (!IsInstrumentName(name)) {
    spdlog::error("the instrument '{}' records nothing: a name has a letter first, then letters, digits, '_', '.', '-' and '/', at most 255 in all",
                  ReplaceInvalidUtf8(name));
    return nullptr;
  }
  std::string description, unit;
  InstrumentOptions valid = options;
  valid.description = ValidText(options.description, &description);
  valid.unit = ValidText(options.unit, &unit);
  auto made = std::make_shared<InstrumentCore>(provider_, kind, std::string(name));
  made->streams = StreamsOf(*provider_, scope_, kind, made->name, valid);
  bool conflicts = false;
  std::shared_ptr<const InstrumentCore> result;
  {
    std::lock_guard lock(provider_->mutex);
    auto& same_name = instruments_[LowerCase(name)];
    conflicts = !same_name.empty();
    const auto [place, is_new] = same_name.try_emplace(Identity{kind, valid.unit, valid.description}, made);
    conflicts &= is_new;
    result = place->second;
  }
  if (conflicts) {
    spdlog::warn("the meter '{}' has several instruments '{}' of another kind, unit or description: each becomes a metric of its own",
                 scope_->scope().name, name);
  }
  return result->streams.empty() ? nullptr : result;
}

std::shared_ptr<const InstrumentCore> Meter::Create(InstrumentKind kind, std::string_view name, const InstrumentOptions& options) const noexcept {
  std::shared_ptr<const InstrumentCore> instrument;
  if (core_) Guarded([&] { instrument = core_->Create(kind, name, options); });
  return instrument;
}

Observable Meter::Observe(InstrumentKind kind, std::string_view name, ObservableCallback callback, const InstrumentOptions& options) const noexcept {
  Observable observable;
  Guarded([&] {
    auto instrument = Create(kind, name, options);
    if (!instrument) return;
    auto core = std::make_shared<ObservableCore>(core_->provider()->observers, std::move(instrument));
    // The handle's end is the end of its callbacks, also while they are being asked.
    ObservableCore* raw = core.get();
    observable = Observable(std::shared_ptr<ObservableCore>(raw, [core = std::move(core)](ObservableCore* last) { Guarded([&] { last->observers->Remove(last, 0); }); }));
    if (callback) observable.Add(std::move(callback));
  });
  return observable;
}

}  // namespace otlp_arrow::sdk
