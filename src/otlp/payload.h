// The one form in which telemetry travels inside the project: the bytes of an OTLP Export…ServiceRequest.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "otlp_arrow/signal.h"

namespace otlp_arrow {

// Immutable, shared bytes: `data` stays valid while `owner` lives.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::string_view data;

  static SharedBytes Copy(std::string_view bytes) {
    auto owned = std::make_shared<const std::string>(bytes);
    return {owned, *owned};
  }
  static SharedBytes Take(std::string&& bytes) {
    auto owned = std::make_shared<const std::string>(std::move(bytes));
    return {owned, *owned};
  }
};

// A validated request of one signal. Made by Pipeline::Accept's scan, by the journal's replay, or by an encoder.
struct OtlpPayload {
  Signal signal = Signal::kTraces;
  SharedBytes bytes;
  int64_t items = 0;           // spans, data points or log records that are valid
  int64_t rejected_items = 0;  // items in the same bytes that the decoder must skip (see otlp/scan.h)
};

}  // namespace otlp_arrow
