#include <chrono>
#include <filesystem>

#include "base/clock.h"
#include "base/platform/platform.h"
#include "pipeline/pipeline.h"
#include "recorder/ring_adopter.h"
#include "recorder/store_sinks.h"
#include "senders/sender_factory.h"
#include "service/commands.h"
#include "service/human_text.h"
#include "service/logging.h"
#include "storage/layout.h"
#include "storage/recovery.h"

namespace otlp_arrow {
namespace {

void PrintReport(const RecoveryReport& report, const Console& console) {
  console.out << Counted(report.journals, "journal") << " adopted: " << Counted(report.items_recovered, "item")
              << " written to files, " << GroupedNumber(report.items_already_stored) << " there already" << std::endl;
  if (report.unsent > 0) {
    console.out << Counted(report.unsent, "journal") << " of these still to be forwarded: 'otlp-arrow serve' with their destinations does it" << std::endl;
  }
  for (const auto& b : report.busy) console.out << "left alone, its writer is at work: " << b << std::endl;
  for (const auto& d : report.damaged) console.err << "otlp-arrow: damaged: " << d << std::endl;
}

// Rings of programs that were killed, through a pipeline as a service has it.
Result<AdoptionReport> AdoptRingsInto(const Config& config) {
  const auto entries = platform::ListDirectory(StoreLayout(config.output_dir).RingsDir());
  if (!entries.ok()) return entries.status();
  if (entries->empty()) return AdoptionReport{};
  RegisterSenders();  // they are forwarded as the configuration says
  OTLP_ASSIGN_OR_RETURN(const auto pipeline, Pipeline::Open(config));
  StoreSink sink(pipeline.get(), config.output_dir);
  const auto timeout = std::chrono::seconds(config.shutdown_timeout_secs);
  AdoptionReport report = AdoptRings(config.output_dir, &sink, timeout);
  OTLP_RETURN_NOT_OK(pipeline->Shutdown(timeout));
  return report;
}

void PrintReport(const AdoptionReport& report, const Console& console) {
  const DrainCounters& c = report.counters;
  if (report.rings > 0) {
    console.out << Counted(report.rings, "ring") << " adopted: " << Counted(static_cast<int64_t>(c.spans + c.incomplete_spans), "span") << ", "
                << Counted(static_cast<int64_t>(c.log_records), "log record") << ", " << Counted(static_cast<int64_t>(c.measurements), "measurement")
                << std::endl;
  }
  for (const auto& b : report.busy) console.out << "left alone, its program is at work: " << b << std::endl;
  for (const auto& d : report.damaged) console.err << "otlp-arrow: damaged: " << d << std::endl;
}

}  // namespace

int RunRecover(const RecoverOptions& options, const Console& console) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(options.directory, ignored)) {
    return Report(Status::Io("there is no directory '" + options.directory + "'"), console);
  }
  ConfigSources sources{.yaml_name = {},
                        .yaml_text = {},
                        .environment = console.environment,
                        .flags = {{"output_dir", {options.directory}}}, .forward = {}};
  auto loaded = LoadConfigFile(options.config_file, std::move(sources));
  if (!loaded.ok()) return Report(loaded.status(), console);
  ConfigureLogging(loaded->config.log_level, loaded->config.log_format);
  auto report = RecoverDirectory(loaded->config, Clock::System());
  if (!report.ok()) return Report(report.status(), console);
  PrintReport(*report, console);
  auto rings = AdoptRingsInto(loaded->config);
  if (!rings.ok()) return Report(rings.status(), console);
  PrintReport(*rings, console);
  return report->damaged.empty() && rings->damaged.empty() ? kExitOk : kExitFailure;
}

}  // namespace otlp_arrow
