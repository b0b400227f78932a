#include "recorder/store_sinks.h"

#include <spdlog/spdlog.h>

#include "recorder/stored_request.h"

namespace otlp_arrow {
namespace {

void TellRejected(Signal signal, int64_t items, const std::string& reason) {
  if (items > 0) spdlog::warn("{} {} left out: {}", items, SignalName(signal), reason);
}

bool IsKnownToBeStored(const std::string& output_dir, Signal signal, const SharedBytes& request) {
  auto stored = IsStored(output_dir, signal, std::string(request.data));
  if (!stored.ok()) spdlog::warn("cannot tell if the last request before the crash was stored, so it is stored now: {}", stored.status().message());
  return stored.ok() && *stored;
}

}  // namespace

Status StoreSink::Take(Signal signal, const SharedBytes& request) {
  const AcceptResult result = pipeline_->AcceptAndWait(signal, request);
  TellRejected(signal, result.rejected_items, result.rejected_reason);
  return result.status;
}

bool StoreSink::Holds(Signal signal, const SharedBytes& request) { return IsKnownToBeStored(output_dir_, signal, request); }

Status LibrarySink::Take(Signal signal, const SharedBytes& request) {
  const auto outcome = library_->ExportOtlpRef(signal, request.data);
  if (outcome.ok()) {
    TellRejected(signal, outcome->rejected_items, outcome->rejected_reason);
    return Status::Ok();
  }
  const Status& status = outcome.status();
  return status.code() == StatusCode::kShutdown ? Status::Server(status.message(), true) : status;
}

bool LibrarySink::Holds(Signal signal, const SharedBytes& request) { return IsKnownToBeStored(library_->config().output_dir, signal, request); }

}  // namespace otlp_arrow
