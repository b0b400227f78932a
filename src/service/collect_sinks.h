// Where `otlp-arrow collect` hands requests to: the store of this machine, or an OTLP backend.
#pragma once

#include <memory>
#include <string>

#include "collector/sink.h"
#include "forward/backoff.h"
#include "forward/otlp_sender.h"
#include "pipeline/pipeline.h"

namespace otlp_arrow {

class StoreSink final : public CollectorSink {
 public:
  StoreSink(Pipeline* pipeline, std::string output_dir) : pipeline_(pipeline), output_dir_(std::move(output_dir)) {}

  Status Take(Signal signal, const SharedBytes& request) override;
  // Looks for the request's first item in files and journals.
  bool Holds(Signal signal, const SharedBytes& request) override;

 private:
  Pipeline* pipeline_;
  std::string output_dir_;
};

// Sends each request until it is taken. A backend cannot be asked what it has: after a crash the request that was under way
// is sent again.
class RemoteSink final : public CollectorSink {
 public:
  RemoteSink(std::unique_ptr<OtlpSender> sender, std::chrono::milliseconds timeout) : sender_(std::move(sender)), timeout_(timeout) {}

  Status Take(Signal signal, const SharedBytes& request) override;
  bool Holds(Signal, const SharedBytes&) override { return false; }

 private:
  std::unique_ptr<OtlpSender> sender_;
  std::chrono::milliseconds timeout_;
};

}  // namespace otlp_arrow
