// embedded_program DIRECTORY: records spans with the library, for embedded_memory_benchmark.py. Each line on standard input
// is one step, answered with a line when it is done:
//   create | spans <number> <a second, 0: as fast as possible> | flush | shutdown
// Compiled with WITHOUT_LIBRARY it answers and does nothing: what a program takes that does not embed.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#ifndef WITHOUT_LIBRARY
#include "otlp_arrow/library.h"
#include "otlp_arrow/telemetry.h"

namespace {

using otlp_arrow::OtlpLibrary;
using otlp_arrow::Span;

constexpr size_t kBatch = 512;  // as batch processors of SDKs export

// Eight attributes.
std::vector<Span> SomeSpans(size_t count, uint64_t first) {
  std::vector<Span> spans(count);
  for (size_t i = 0; i < count; ++i) {
    Span& span = spans[i];
    const uint64_t n = first + i;
    for (size_t b = 0; b < 8; ++b) span.trace_id.bytes[b] = span.span_id.bytes[b] = static_cast<uint8_t>((n + 1) * 0x9e3779b97f4a7c15u >> (8 * b));
    span.name = "GET /products/{id}";
    span.kind = otlp_arrow::SpanKind::kServer;
    span.start_time_unix_nano = 1'700'000'000'000'000'000u + n * 1000;
    span.end_time_unix_nano = span.start_time_unix_nano + 250'000 + n % 1000;
    span.attributes = {{"http.request.method", "GET"}, {"http.route", "/products/{id}"}, {"http.response.status_code", 200},
                       {"server.address", "shop.example.com"}, {"server.port", 443}, {"network.protocol.version", "1.1"},
                       {"product.id", "p-" + std::to_string(n % 10'000)}, {"cache.hit", n % 2 == 0}};
  }
  return spans;
}

void Check(const otlp_arrow::Status& status) {
  if (status.ok()) return;
  std::cerr << status.ToString() << std::endl;
  std::exit(1);
}

struct Program {
  explicit Program(const char* directory) { config.output_dir = directory; }
  void Create() {
    auto created = OtlpLibrary::Create(config);
    Check(created.status());
    library = *std::move(created);
  }
  void Spans(uint64_t count, uint64_t a_second) {
    const auto begin = std::chrono::steady_clock::now();
    const otlp_arrow::Resource resource{.attributes = {{"service.name", "shop"}}};
    const size_t batch = a_second == 0 ? kBatch : std::max<size_t>(1, a_second / 10);
    for (uint64_t done = 0; done < count; done += batch) {
      if (a_second) std::this_thread::sleep_until(begin + std::chrono::microseconds(done * 1'000'000 / a_second));
      Check(library->ExportTraces(SomeSpans(batch, exported), resource).status());
      exported += batch;
    }
  }
  void Flush() { Check(library->Flush()); }
  void Shutdown() { Check(library->Shutdown()); }

  otlp_arrow::Config config;
  std::shared_ptr<OtlpLibrary> library;
  uint64_t exported = 0;
};

}  // namespace
#else
struct Program {
  explicit Program(const char*) {}
  void Create() {}
  void Spans(unsigned long, unsigned long) {}
  void Flush() {}
  void Shutdown() {}
};
#endif

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Program program(argv[1]);
  std::cout << "started" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string step;
    unsigned long count = 0, a_second = 0;
    words >> step >> count >> a_second;
    if (step == "create") program.Create();
    if (step == "spans") program.Spans(count, a_second);
    if (step == "flush") program.Flush();
    if (step == "shutdown") program.Shutdown();
    std::cout << step << std::endl;
  }
}
