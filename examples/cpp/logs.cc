// Log records of opentelemetry-cpp, recorded in files:
//
//   logs [DIRECTORY]
#include <cstdio>
#include <memory>
#include <utility>

#include <opentelemetry/logs/logger.h>
#include <opentelemetry/sdk/logs/batch_log_record_processor_factory.h>
#include <opentelemetry/sdk/logs/batch_log_record_processor_options.h>
#include <opentelemetry/sdk/logs/logger_provider.h>
#include <opentelemetry/sdk/logs/logger_provider_factory.h>
#include <opentelemetry/sdk/resource/resource.h>

#include <otlp_arrow/opentelemetry_exporters.h>

namespace {

namespace api = opentelemetry;
namespace sdk = opentelemetry::sdk;

void Work(api::logs::Logger& logger) {
  logger.Info("the shop is open");
  logger.EmitLogRecord(api::logs::Severity::kWarn, "order {id} is late", api::common::MakeAttributes({{"order.id", 4711}, {"days", 2.5}}));
  logger.EmitLogRecord(api::logs::Severity::kError, api::logs::EventId(1, "shop.payment.refused"), "the card has expired");
}

}  // namespace

int main(int argc, char** argv) {
  otlp_arrow::Config config;
  config.output_dir = argc > 1 ? argv[1] : "./telemetry";
  auto library = otlp_arrow::OtlpLibrary::Create(config);
  if (!library.ok()) return std::fprintf(stderr, "%s\n", library.status().ToString().c_str()), 1;

  auto processor = sdk::logs::BatchLogRecordProcessorFactory::Create(otlp_arrow::MakeLogRecordExporter(*library), {});
  auto provider = sdk::logs::LoggerProviderFactory::Create(std::move(processor), sdk::resource::Resource::Create({{"service.name", "shop"}}));
  Work(*provider->GetLogger("shop.orders", "shop.orders", "1.4.2"));

  provider->Shutdown();                                      // exports what the processor still has
  const otlp_arrow::Status status = (*library)->Shutdown();  // writes the last file
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
