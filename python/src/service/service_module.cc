// The extension module otlp_arrow_library._service: servers for tests, clients of other backends, and the program's command line.
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bind_sender.h"
#include "bindings.h"
#include "interpreter.h"
#include "otlp_arrow/service.h"
#include "senders_capsule.h"

namespace otlp_arrow::python {
namespace {

MockAnswer AnswerOf(std::string_view name) {
  if (name == "unavailable") return MockAnswer::kUnavailable;
  if (name == "overloaded") return MockAnswer::kOverloaded;
  if (name == "refused") return MockAnswer::kRefused;
  Raise(Status::Config("answer: '" + std::string(name) + "' is unknown; allowed are unavailable, overloaded, refused"));
}

std::unique_ptr<MockOtlpServer> StartServer(const std::string& grpc_address, const std::string& http_address) {
  MockServerOptions options;
  options.grpc.enabled = !grpc_address.empty();
  options.grpc.address = grpc_address;
  options.http.enabled = !http_address.empty();
  options.http.address = http_address;
  nb::gil_scoped_release release;
  auto server = MockOtlpServer::Start(options);
  nb::gil_scoped_acquire acquire;
  return ValueOrRaise(std::move(server));
}

// (signal, protocol, bytes) of each.
nb::list TakeRequests(MockOtlpServer& server) {
  std::vector<ReceivedRequest> requests;
  {
    nb::gil_scoped_release release;
    requests = server.TakeRequests();
  }
  nb::list result;
  for (const auto& request : requests) {
    const std::string_view signal = SignalName(request.signal);
    result.append(nb::make_tuple(nb::str(signal.data(), signal.size()), request.protocol, nb::bytes(request.bytes.data(), request.bytes.size())));
  }
  return result;
}

nb::capsule Senders() {
  auto* factory = new std::shared_ptr<SenderFactory>(ForwardingSenders());
  return nb::capsule(factory, kSendersCapsule, [](void* pointer) noexcept { delete static_cast<std::shared_ptr<SenderFactory>*>(pointer); });
}

int RunCommands(std::vector<std::string> arguments) {
  nb::gil_scoped_release release;
  return RunCommandLine(std::move(arguments), environ);
}

}  // namespace
}  // namespace otlp_arrow::python

NB_MODULE(_service, m) {
  using namespace otlp_arrow;          // NOLINT: the module's own names
  using namespace otlp_arrow::python;  // NOLINT
  RequireMainInterpreter("otlp_arrow_library._service");
  nanobind::set_leak_warnings(false);
  const auto released = nb::call_guard<nb::gil_scoped_release>();
  nb::class_<MockOtlpServer>(m, "MockServer", "OTLP over gRPC and HTTP, kept in memory.")
      .def_prop_ro("grpc_address", &MockOtlpServer::grpc_address)
      .def_prop_ro("http_address", &MockOtlpServer::http_address)
      .def_prop_ro("refused_requests", &MockOtlpServer::refused_requests)
      .def(
          "answer_next",
          [](MockOtlpServer& server, uint64_t count, std::string_view answer, const std::string& message) {
            server.AnswerNext(count, AnswerOf(answer), message);
          },
          nb::arg("count"), nb::arg("answer"), nb::arg("message"))
      .def("take_requests", &TakeRequests, nb::sig("def take_requests(self) -> list[tuple[str, str, bytes]]"))
      .def(
          "wait_for_requests",
          [](MockOtlpServer& server, int64_t timeout_ms) { server.WaitForRequests(std::chrono::milliseconds(timeout_ms)); },
          nb::arg("timeout_ms"), released)
      .def("stop", &MockOtlpServer::Stop, released);
  m.def("start_mock_server", &StartServer, nb::arg("grpc_address"), nb::arg("http_address"),
        "Starts servers at host:port; an empty address means none.");
  BindSender(m);
  m.def("senders", &Senders, nb::sig("def senders() -> object"), "What _native.use_senders takes.");
  m.def("run_command_line", &RunCommands, nb::arg("arguments"), "Runs the program otlp-arrow; its exit code.");
}
