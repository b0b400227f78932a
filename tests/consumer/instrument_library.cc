// instrument_library DIRECTORY: the SDK over a library in the same process, through both of their libraries.
#include <cstdio>

#include <otlp_arrow/library.h>
#include <otlp_arrow/library_recorder.h>
#include <otlp_arrow/sdk/provider.h>

namespace {

int Fail(const char* what, const otlp_arrow::Status& status) { return std::fprintf(stderr, "%s: %s\n", what, status.ToString().c_str()), 1; }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  otlp_arrow::Config config;
  config.output_dir = argv[1];
  auto library = otlp_arrow::OtlpLibrary::Create(config);
  if (!library.ok()) return Fail("create", library.status());
  auto recorder = otlp_arrow::OpenLibraryRecorder(*library);
  if (!recorder.ok()) return Fail("recorder", recorder.status());
  auto provider = otlp_arrow::sdk::Provider::Create(*recorder);
  if (!provider.ok()) return Fail("provider", provider.status());
  (*provider)->GetTracer({.name = "consumer"}).Start("through both");
  if (auto status = (*provider)->ForceFlush(); !status.ok()) return Fail("flush", status);
  if (auto status = (*provider)->Shutdown(); !status.ok()) return Fail("shutdown", status);
  return (*library)->Shutdown().ok() ? 0 : 1;
}
