// record DIRECTORY: records one span, reads it back, and gets each error as a Status.
#include <cstdio>
#include <string>
#include <utility>

#include <otlp_arrow/library.h>
#include <otlp_arrow/reader.h>

#include "one_span.h"

namespace {

int Fail(const char* what, const otlp_arrow::Status& status) {
  std::fprintf(stderr, "%s: %s\n", what, status.ToString().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  otlp_arrow::Config config;
  config.output_dir = argv[1];
  config.trace_cleanup_interval_secs = 0;
  auto created = otlp_arrow::OtlpLibrary::Create(config);
  if (!created.ok()) return Fail("create", created.status());
  const auto library = *std::move(created);

  if (auto outcome = library->ExportOtlp(otlp_arrow::Signal::kTraces, OneSpan("consumer")); !outcome.ok() || outcome->accepted_items != 1) {
    return Fail("export", outcome.status());
  }
  if (auto outcome = library->ExportOtlp(otlp_arrow::Signal::kTraces, "no protobuf"); outcome.status().code() != otlp_arrow::StatusCode::kExport) {
    return Fail("malformed", outcome.status());
  }
  if (auto status = library->Flush(); !status.ok()) return Fail("flush", status);
  auto reader = otlp_arrow::StoreReader::Open(argv[1]);
  if (!reader.ok()) return Fail("open", reader.status());
  if (auto rows = (*reader)->CountRows(otlp_arrow::Signal::kTraces, {}); !rows.ok() || *rows != 1) return Fail("count", rows.status());
  if (auto status = library->Shutdown(); !status.ok()) return Fail("shutdown", status);
  if (auto outcome = library->ExportOtlp(otlp_arrow::Signal::kTraces, OneSpan("late")); outcome.status().code() != otlp_arrow::StatusCode::kShutdown) {
    return Fail("after shutdown", outcome.status());
  }

  config.output_dir = "/dev/null/no/such/place";
  if (auto status = otlp_arrow::OtlpLibrary::Create(config).status(); status.code() != otlp_arrow::StatusCode::kIo) return Fail("no place", status);
  config.output_dir = std::string("a\0b", 3);
  if (otlp_arrow::OtlpLibrary::Create(config).ok()) return Fail("a name with a null character", {});
  config.output_dir = argv[1];
  config.log_level = "loud";
  if (auto status = config.Validate(); status.code() != otlp_arrow::StatusCode::kConfig) return Fail("log_level", status);
  std::puts("done");
}
