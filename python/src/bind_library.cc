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

  LibraryPtr library_;
};

}  // namespace

std::shared_ptr<OtlpLibrary> LibraryFromPython(nb::handle library) { return nb::cast<LibraryHandle*>(library)->library(); }

void BindLibrary(nb::module_& m) {
  // The interpreter has room for few such functions; that of the C library comes a little later.
  if (Py_AtExit(&ShutDownAll) != 0) std::atexit(&ShutDownAll);
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
