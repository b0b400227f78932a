// Where collectors hand requests to that are stored on this machine.
#pragma once

#include <string>

#include "collector/sink.h"
#include "otlp_arrow/library.h"
#include "pipeline/pipeline.h"

namespace otlp_arrow {

class StoreSink final : public CollectorSink {
 public:
  StoreSink(Pipeline* pipeline, std::string output_dir) : pipeline_(pipeline), output_dir_(std::move(output_dir)) {}

  Status Take(Signal signal, const SharedBytes& request) override;
  bool Holds(Signal signal, const SharedBytes& request) override;

 private:
  Pipeline* pipeline_;
  std::string output_dir_;
};

// A library that is shut down takes nothing, and nothing is lost by that: its errors are retryable then.
class LibrarySink final : public CollectorSink {
 public:
  explicit LibrarySink(OtlpLibrary* library) : library_(library) {}

  Status Take(Signal signal, const SharedBytes& request) override;
  bool Holds(Signal signal, const SharedBytes& request) override;

 private:
  OtlpLibrary* library_;
};

}  // namespace otlp_arrow
