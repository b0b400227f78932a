// Where a collector hands its OTLP requests to.
#pragma once

#include "otlp/payload.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

class CollectorSink {
 public:
  virtual ~CollectorSink() = default;
  // OK: the request is kept, and outlives this process. Retryable errors: the same again later. Others: it will never be
  // taken.
  virtual Status Take(Signal signal, const SharedBytes& request) = 0;
  // Was this request taken before? Asked where a collector died and cannot know; a sink that cannot know either says no.
  virtual bool Holds(Signal signal, const SharedBytes& request) = 0;
};

}  // namespace otlp_arrow
