// instrument FILE: records a span, a counter and a log record into a ring file, with the SDK alone.
#include <cstdio>

#include <otlp_arrow/sdk/provider.h>

int main(int argc, char** argv) {
  using namespace otlp_arrow::sdk;  // NOLINT: a test
  if (argc != 2) return 2;
  FileRecorderOptions file;
  file.path = argv[1];
  auto recorder = OpenFileRecorder(file);
  if (!recorder.ok()) return std::fprintf(stderr, "%s\n", recorder.status().ToString().c_str()), 1;
  auto provider = Provider::Create(*recorder, {.resource = {.attributes = {{"service.name", "consumer"}}}});
  if (!provider.ok()) return std::fprintf(stderr, "%s\n", provider.status().ToString().c_str()), 1;
  {
    const Tracer tracer = (*provider)->GetTracer({.name = "consumer"});
    Span span = tracer.Start("instrumented", {.attributes = {{"answer", 42}}});
    const Scope scope(span);
    (*provider)->GetMeter({.name = "consumer"}).CreateCounter<int64_t>("calls").Add(1);
    (*provider)->GetLogger({.name = "consumer"}).Emit(otlp_arrow::SeverityNumber::kInfo, "done");
  }
  return (*provider)->Shutdown().ok() ? 0 : 1;
}
