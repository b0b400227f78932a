// Sends what embedded.cc recorded to a stand-in for a backend, and looks at what came there:
//
//   mock_backend DIRECTORY
//
// In a test, the program under test takes the place of `replay`, and a test framework that of Check.
#include <cstdio>
#include <cstdlib>

#include <otlp_arrow/mock_otlp_service.h>

namespace {

void Check(const otlp_arrow::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

void Check(bool holds, const char* what) {
  if (!holds) Check(otlp_arrow::Status::Export(what));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]), 2;
  otlp_arrow::MockOtlpService service;
  Check(service.Start());
  Check(service.AnswerNext(1, otlp_arrow::MockAnswer::kUnavailable));  // senders try again

  char* no_variables[] = {nullptr};
  const int code = otlp_arrow::RunCommandLine({"otlp-arrow", "replay", argv[1], "--endpoint", service.grpc_endpoint()}, no_variables);
  Check(code == 0, "replay failed");

  Check(service.WaitForSpans(1));
  Check(service.AssertTracesReceived(1));
  const otlp_arrow::ReceivedSpan received = service.spans().front();
  const otlp_arrow::Value* order = otlp_arrow::FindAttribute(received.span.attributes, "order.id");
  Check(order && *order == 4711, "the span has no order.id");
  Check(service.refused_requests() == 1, "nothing was tried again");
  std::printf("%s in trace %s\n", received.span.name.c_str(), received.span.trace_id.ToHex().c_str());
}
