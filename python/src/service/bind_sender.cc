// OTLP to other backends.
#include "bind_sender.h"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "bindings.h"
#include "otlp_arrow/otlp_client.h"
#include "wait.h"

namespace otlp_arrow::python {
namespace {

using std::chrono::milliseconds;

struct PythonClient {
  std::shared_ptr<OtlpClient> client;
};

PythonClient MakeClient(std::string endpoint, std::string protocol, bool endpoint_is_complete, std::vector<std::pair<std::string, std::string>> headers,
                        bool gzip, std::string ca_file, int64_t first_retry_ms) {
  OtlpClientOptions options;
  options.endpoint = std::move(endpoint);
  options.protocol = std::move(protocol);
  options.endpoint_is_complete = endpoint_is_complete;
  options.headers = std::move(headers);
  options.gzip = gzip;
  options.ca_file = std::move(ca_file);
  options.first_retry = milliseconds(first_retry_ms);
  return {ValueOrRaise(OtlpClient::Make(std::move(options)))};
}

// (items that the peer left out, its message). The request is sent by a thread of its own, so that Ctrl-C ends the waiting.
nb::tuple SendTraces(const PythonClient& self, nb::bytes request, int64_t timeout_ms) {
  std::string bytes(request.c_str(), request.size());
  const auto report = ValueOrRaise(RunInterruptibly(
      [client = self.client, bytes = std::move(bytes), timeout_ms] { return client->Send(Signal::kTraces, bytes, milliseconds(timeout_ms)); }));
  const nb::object message = nb::steal(PyUnicode_DecodeUTF8(report.message.data(), static_cast<Py_ssize_t>(report.message.size()), "replace"));
  return nb::make_tuple(report.rejected_items, message);
}

}  // namespace

void BindSender(nb::module_& m) {
  nb::class_<PythonClient>(m, "OtlpClient", "OTLP over gRPC or HTTP, with retries.")
      .def("send_traces", &SendTraces, nb::arg("request"), nb::arg("timeout_ms"),
           nb::sig("def send_traces(self, request: bytes, timeout_ms: int) -> tuple[int, str]"))
      .def("shutdown", [](const PythonClient& self) { self.client->Shutdown(); })
      .def_prop_ro("peer", [](const PythonClient& self) { return self.client->peer(); })
      .def_prop_ro("protocol", [](const PythonClient& self) { return self.client->protocol(); });
  m.def("make_otlp_client", &MakeClient, nb::arg("endpoint"), nb::arg("protocol"), nb::arg("endpoint_is_complete"), nb::arg("headers"),
        nb::arg("gzip"), nb::arg("ca_file"), nb::arg("first_retry_ms"));
}

}  // namespace otlp_arrow::python
