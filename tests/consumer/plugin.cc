// A plug-in that records one span for a program that knows nothing of the library.
#include <cstdio>
#include <utility>

#include <otlp_arrow/library.h>

#include "one_span.h"

extern "C" __attribute__((visibility("default"))) int Record(const char* directory, const char* name) {
  otlp_arrow::Config config;
  config.output_dir = directory;
  config.trace_cleanup_interval_secs = 0;
  auto library = otlp_arrow::OtlpLibrary::Create(config);
  if (!library.ok()) {
    std::fprintf(stderr, "%s\n", library.status().ToString().c_str());
    return 1;
  }
  return (*library)->ExportOtlp(otlp_arrow::Signal::kTraces, OneSpan(name)).ok() && (*library)->Shutdown().ok() ? 0 : 1;
}
