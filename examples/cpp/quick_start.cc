#include <otlp_arrow/otlp_arrow.h>

int main() {
  auto library = otlp_arrow::OtlpLibrary::Create({.output_dir = "./telemetry"});
  if (!library.ok()) return 1;  // library.status().ToString() says why
  const otlp_arrow::LogRecord record{.time_unix_nano = otlp_arrow::UnixNanoNow(), .body = "order 4711 is paid"};
  if (!(*library)->ExportLogs({&record, 1}, {.attributes = {{"service.name", "shop"}}}).ok()) return 1;
  return (*library)->Shutdown().ok() ? 0 : 1;
}
