// The servers and the command line beside the library: both components in one program.
#include <cstdio>
#include <utility>

#include <otlp_arrow/library.h>
#include <otlp_arrow/service.h>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  otlp_arrow::Config config;
  config.output_dir = argv[1];
  auto library = otlp_arrow::OtlpLibrary::Create(config);
  auto server = otlp_arrow::MockOtlpServer::Start();
  if (!library.ok() || !server.ok()) {
    std::fprintf(stderr, "%s %s\n", library.status().ToString().c_str(), server.status().ToString().c_str());
    return 1;
  }
  if ((*server)->grpc_address().empty() || (*server)->http_address().empty()) return 1;
  (*server)->Stop();
  char* no_environment[] = {nullptr};
  return otlp_arrow::RunCommandLine({"otlp-arrow", "inspect", argv[1]}, no_environment);
}
