// A program that is instrumented with the opentelemetry-cpp API, whose providers are those of the native SDK over a library in
// the same process:
//
//   api_providers [DIRECTORY]
#include <cstdio>

#include <opentelemetry/metrics/provider.h>
#include <opentelemetry/trace/provider.h>
#include <opentelemetry/trace/scope.h>

#include <otlp_arrow/library.h>
#include <otlp_arrow/library_recorder.h>
#include <otlp_arrow/opentelemetry_sdk.h>

namespace {

// Knows the API alone.
void TakeOrder() {
  const auto tracer = opentelemetry::trace::Provider::GetTracerProvider()->GetTracer("shop.checkout", "1.4.2");
  const auto meter = opentelemetry::metrics::Provider::GetMeterProvider()->GetMeter("shop.checkout");
  const auto orders = meter->CreateUInt64Counter("shop.orders", "orders taken", "{order}");
  auto span = tracer->StartSpan("POST /orders", {{"http.request.method", "POST"}});
  const opentelemetry::trace::Scope scope(span);
  auto child = tracer->StartSpan("charge card");
  child->SetStatus(opentelemetry::trace::StatusCode::kError, "the card has expired");
  child->End();
  orders->Add(1, {{"payment", "card"}});
  span->End();
}

}  // namespace

int main(int argc, char** argv) {
  otlp_arrow::Config config;
  config.output_dir = argc > 1 ? argv[1] : "./telemetry";
  const auto library = otlp_arrow::OtlpLibrary::Create(config);
  if (!library.ok()) return std::fprintf(stderr, "%s\n", library.status().ToString().c_str()), 1;
  const auto recorder = otlp_arrow::OpenLibraryRecorder(*library);
  if (!recorder.ok()) return std::fprintf(stderr, "%s\n", recorder.status().ToString().c_str()), 1;
  const auto provider = otlp_arrow::sdk::Provider::Create(*recorder, {.resource = {.attributes = {{"service.name", "shop"}}}});
  if (!provider.ok()) return std::fprintf(stderr, "%s\n", provider.status().ToString().c_str()), 2;

  opentelemetry::trace::Provider::SetTracerProvider(otlp_arrow::MakeTracerProvider(*provider));
  opentelemetry::metrics::Provider::SetMeterProvider(otlp_arrow::MakeMeterProvider(*provider));
  TakeOrder();
  const bool stored = (*provider)->Shutdown().ok();
  return (*library)->Shutdown().ok() && stored ? 0 : 1;
}
