#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "bindings.h"
#include "convert.h"
#include "gil.h"
#include "senders_capsule.h"
#include "wait.h"

namespace otlp_arrow::python {
namespace {

using LibraryPtr = std::shared_ptr<OtlpLibrary>;

// Libraries that are alive, for the end of the interpreter. Looked at with the GIL held, or after its end.
std::vector<std::weak_ptr<OtlpLibrary>>& AllLibraries() {
  static auto& libraries = *new std::vector<std::weak_ptr<OtlpLibrary>>;
  return libraries;
}

void Remember(const LibraryPtr& library) {
  auto& all = AllLibraries();
  std::erase_if(all, [](const auto& entry) { return entry.expired(); });
  all.push_back(library);
}

// The interpreter is gone by now, and everything that exports at its end (the SDK's providers) has done so.
void ShutDownAll() {
  std::vector<std::thread> threads;
  for (const auto& entry : AllLibraries()) {
    if (LibraryPtr library = entry.lock()) {
      threads.emplace_back([library] {
        if (Status status = library->Shutdown(); !status.ok()) std::fprintf(stderr, "otlp-arrow: %s\n", status.message().c_str());
      });
    }
  }
  for (auto& thread : threads) thread.join();
}

// What became of a request: (accepted items, rejected items, reason of the rejections).
using Outcome = nb::typed<nb::tuple, int, int, nb::str>;

class LibraryHandle {
 public:
  explicit LibraryHandle(nb::handle python_config) {
    const Config config = ConfigFromPython(python_config);
    library_ = ValueOrRaise(RunInterruptibly([config] { return OtlpLibrary::Create(config); }));
    Remember(library_);
  }
  LibraryHandle(const LibraryHandle&) = delete;
  LibraryHandle& operator=(const LibraryHandle&) = delete;
  // Writing what is under way may take a while: others go on meanwhile.
  ~LibraryHandle() {
    GilRelease release;
    library_.reset();
  }

  Outcome ExportSpans(nb::handle spans) { return Export(Signal::kTraces, ConvertSpans(spans)); }
  Outcome ExportMetrics(nb::handle metrics) { return Export(Signal::kMetrics, ConvertMetrics(metrics)); }
  Outcome ExportLogs(nb::handle logs) { return Export(Signal::kLogs, ConvertLogs(logs)); }
  Outcome ExportOtlp(std::string_view signal_name, nb::bytes request) {
    const auto signal = SignalFromName(signal_name);
    if (!signal) Raise(Status::Export("signal: '" + std::string(signal_name) + "' is unknown; allowed are traces, metrics, logs"));
    return Export(*signal, std::string(request.c_str(), request.size()));
  }

  void Flush(int64_t timeout_ms) {
    RaiseIfFailed(RunInterruptibly([library = library_, timeout_ms] { return library->Flush(std::chrono::milliseconds(timeout_ms)); }));
  }
  // Whatever kept it from being clean is a failed shutdown to the caller.
  void Shutdown(int64_t timeout_ms) {
    Status status = RunInterruptibly([library = library_, timeout_ms] { return library->Shutdown(std::chrono::milliseconds(timeout_ms)); });
    if (!status.ok()) Raise({StatusCode::kShutdown, status.message(), status.retryable()});
  }

  const LibraryPtr& library() const { return library_; }

  bool is_shut_down() const {
    GilRelease release;
    return library_->is_shut_down();
  }

  // {"traces": {"received": 1, ..., "refused": {reason: items}, ...}, ..., "queued_bytes": 0}
  nb::typed<nb::dict, nb::str, nb::any> Stats() const {
    LibraryStats stats;
    {
      GilRelease release;
      stats = library_->Stats();
    }
    nb::dict all;
    for (Signal signal : kAllSignals) all[nb::str(SignalName(signal).data())] = ToDict(stats.signals[static_cast<size_t>(signal)]);
    all["queued_bytes"] = stats.queued_bytes;
    nb::list destinations;
    for (const auto& destination : stats.destinations) destinations.append(ToDict(destination));
    all["destinations"] = destinations;
    return nb::typed<nb::dict, nb::str, nb::any>(all);
  }

 private:
  Outcome Export(Signal signal, std::string request) {
    using Result = Result<ExportOutcome>;
    auto pending = std::make_shared<Pending<Result>>();
    {
      GilRelease release;
      library_->StartExportOtlp(signal, std::move(request), [pending](Result result) { pending->Set(std::move(result)); });
    }
    const ExportOutcome outcome = ValueOrRaise(pending->Wait());
    return Outcome(nb::make_tuple(outcome.accepted_items, outcome.rejected_items, outcome.rejected_reason));
  }

  static nb::dict ToDict(const SignalStats& stats) {
    nb::dict counts;
    counts["received"] = stats.received;
    counts["stored"] = stats.stored;
    counts["relayed"] = stats.relayed;
    counts["in_flight"] = stats.in_flight;
    counts["expired"] = stats.expired;
    counts["refused"] = ToDict(stats.refused);
    counts["invalid"] = ToDict(stats.invalid);
    return counts;
  }
  static nb::dict ToDict(const std::vector<SignalStats::Reason>& reasons) {
    nb::dict counts;
    for (const auto& [reason, items] : reasons) counts[nb::str(reason.c_str())] = items;
    return counts;
  }

  static nb::dict ToDict(const DestinationSignalStats& stats) {
    nb::dict counts, given_up;
    counts["accepted"] = stats.accepted;
    counts["sent"] = stats.sent;
    counts["rejected"] = stats.rejected;
    for (size_t i = 0; i < kGiveUpReasonCount; ++i) {
      if (stats.given_up[i] != 0) given_up[nb::str(GiveUpReasonName(static_cast<GiveUpReason>(i)).data())] = stats.given_up[i];
    }
    counts["given_up"] = given_up;
    counts["backlog"] = stats.backlog;
    return counts;
  }
  static nb::dict ToDict(const DestinationStats& stats) {
    nb::dict fields;
    fields["name"] = stats.name;
    fields["endpoint"] = stats.endpoint;
    fields["protocol"] = stats.protocol;
    for (Signal signal : kAllSignals) fields[nb::str(SignalName(signal).data())] = ToDict(stats.signals[static_cast<size_t>(signal)]);
    fields["breaker"] = stats.breaker;
    fields["backlog_bytes"] = stats.backlog_bytes;
    fields["oldest_unsent_age_secs"] = stats.oldest_unsent_age_secs;
    fields["requests"] = stats.requests;
    fields["retries"] = stats.retries;
    fields["failures"] = stats.failures;
    fields["bytes_sent"] = stats.bytes_sent;
    fields["in_flight"] = stats.in_flight;
    nb::list latency;
    for (const int64_t count : stats.send_latency) latency.append(count);
    fields["send_latency"] = nb::tuple(latency);
    fields["send_latency_sum_secs"] = stats.send_latency_sum_secs;
    // The peer's words, whatever bytes these are.
    fields["last_error"] = nb::steal(PyUnicode_DecodeUTF8(stats.last_error.data(), static_cast<Py_ssize_t>(stats.last_error.size()), "replace"));
    return fields;
  }

  LibraryPtr library_;
};

// Takes over the senders of _service, which is only imported where something is forwarded.
void UseSenders(nb::capsule senders) {
  if (senders.name() == nullptr || std::string_view(senders.name()) != kSendersCapsule) {
    Raise(Status::Config("forwarding: the modules _native and _service are of different builds; install otlp-arrow-library anew"));
  }
  RegisterSenderFactory(*static_cast<std::shared_ptr<SenderFactory>*>(senders.data()));
}

}  // namespace

std::shared_ptr<OtlpLibrary> LibraryFromPython(nb::handle library) { return nb::cast<LibraryHandle*>(library)->library(); }

void BindLibrary(nb::module_& m) {
  // The interpreter has room for few such functions; that of the C library comes a little later.
  if (Py_AtExit(&ShutDownAll) != 0) std::atexit(&ShutDownAll);
  m.def("use_senders", &UseSenders, nb::arg("senders"), nb::sig("def use_senders(senders: object) -> None"), "Lets libraries forward, by the senders of _service.");
  nb::class_<LibraryHandle>(m, "Library", "The recorder behind OtlpLibrary.")
      .def(nb::init<nb::handle>(), nb::arg("config"))
      .def("export_spans", &LibraryHandle::ExportSpans, nb::arg("spans").none())
      .def("export_metrics", &LibraryHandle::ExportMetrics, nb::arg("metrics").none())
      .def("export_logs", &LibraryHandle::ExportLogs, nb::arg("logs").none())
      .def("export_otlp", &LibraryHandle::ExportOtlp, nb::arg("signal"), nb::arg("request"))
      .def("flush", &LibraryHandle::Flush, nb::arg("timeout_ms"))
      .def("shutdown", &LibraryHandle::Shutdown, nb::arg("timeout_ms"))
      .def("stats", &LibraryHandle::Stats)
      .def_prop_ro("is_shut_down", &LibraryHandle::is_shut_down);
}

}  // namespace otlp_arrow::python
