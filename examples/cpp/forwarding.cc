// Records a span, and sends it to a backend too: to a stand-in for one, in this example.
//
//   forwarding DIRECTORY
#include <cstdio>
#include <random>

#include <otlp_arrow/mock_otlp_service.h>
#include <otlp_arrow/otlp_arrow.h>
#include <otlp_arrow/service.h>

namespace {

// Ids are random; W3C wants them other than zero.
template <class AnyId>
AnyId RandomId() {
  static std::mt19937_64 random(std::random_device{}());
  AnyId id;
  while (id.empty()) {
    for (auto& byte : id.bytes) byte = static_cast<uint8_t>(random());
  }
  return id;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]), 2;
  otlp_arrow::MockOtlpService backend;
  if (!backend.Start().ok()) return 1;

  otlp_arrow::EnableForwarding();  // once, before Create: the core has no gRPC
  otlp_arrow::ForwardingConfig collector;
  collector.endpoint = backend.http_endpoint();  // such as "https://collector:4318", which also tells the protocol
  collector.protocol = "http";
  collector.headers = {{"x-tenant", "shop"}};
  collector.compression = "gzip";
  const auto config = otlp_arrow::ConfigBuilder().output_dir(argv[1]).AddForwarding(collector).Build();
  if (!config.ok()) return std::fprintf(stderr, "%s\n", config.status().ToString().c_str()), 1;
  auto library = otlp_arrow::OtlpLibrary::Create(*config);
  if (!library.ok()) return std::fprintf(stderr, "%s\n", library.status().ToString().c_str()), 1;

  const otlp_arrow::Span span{.trace_id = RandomId<otlp_arrow::TraceId>(), .span_id = RandomId<otlp_arrow::SpanId>(), .name = "POST /orders"};
  if (!(*library)->ExportTrace(span).ok() || !backend.WaitForSpans(1).ok()) return 1;
  if (!(*library)->Shutdown().ok()) return 1;

  const otlp_arrow::DestinationStats stats = (*library)->Stats().destinations.front();
  std::printf("%s: %lld sent\n", stats.name.c_str(), static_cast<long long>(stats.signals[0].sent));
}
