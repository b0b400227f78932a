// A program that is traced with opentelemetry-cpp and records its spans in files:
//
//   traced_program [DIRECTORY]
#include <cstdio>
#include <memory>
#include <utility>

#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/batch_span_processor_factory.h>
#include <opentelemetry/sdk/trace/batch_span_processor_options.h>
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/sdk/trace/tracer_provider_factory.h>
#include <opentelemetry/trace/scope.h>
#include <opentelemetry/trace/tracer.h>

#include <otlp_arrow/opentelemetry_exporters.h>

namespace {

namespace api = opentelemetry;
namespace sdk = opentelemetry::sdk;

void ChargeCard(api::trace::Tracer& tracer) {
  auto span = tracer.StartSpan("charge card", {{"payment.provider", "bank"}});
  span->SetStatus(api::trace::StatusCode::kError, "the card has expired");
}

void TakeOrder(api::trace::Tracer& tracer) {
  auto span = tracer.StartSpan("POST /orders", {{"http.request.method", "POST"}, {"order.id", 4711}});
  const api::trace::Scope active(span);  // spans that are started from here on are its children
  span->AddEvent("cart checked", {{"items", 3}});
  ChargeCard(tracer);
}

}  // namespace

int main(int argc, char** argv) {
  otlp_arrow::Config config;
  config.output_dir = argc > 1 ? argv[1] : "./telemetry";
  auto library = otlp_arrow::OtlpLibrary::Create(config);
  if (!library.ok()) return std::fprintf(stderr, "%s\n", library.status().ToString().c_str()), 1;

  auto processor = sdk::trace::BatchSpanProcessorFactory::Create(otlp_arrow::MakeSpanExporter(*library), {});
  auto provider = sdk::trace::TracerProviderFactory::Create(std::move(processor), sdk::resource::Resource::Create({{"service.name", "shop"}}));
  TakeOrder(*provider->GetTracer("shop.orders", "1.4.2"));

  provider->Shutdown();                                        // exports what the processor still has
  const otlp_arrow::Status status = (*library)->Shutdown();    // writes the last file
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
