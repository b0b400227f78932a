#include <filesystem>

#include "base/clock.h"
#include "service/commands.h"
#include "service/human_text.h"
#include "service/logging.h"
#include "storage/recovery.h"

namespace otlp_arrow {
namespace {

void PrintReport(const RecoveryReport& report, const Console& console) {
  console.out << Counted(report.journals, "journal") << " adopted: " << Counted(report.items_recovered, "item")
              << " written to files, " << GroupedNumber(report.items_already_stored) << " there already" << std::endl;
  for (const auto& b : report.busy) console.out << "left alone, its writer is at work: " << b << std::endl;
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
                        .flags = {{"output_dir", {options.directory}}}};
  auto loaded = LoadConfigFile(options.config_file, std::move(sources));
  if (!loaded.ok()) return Report(loaded.status(), console);
  ConfigureLogging(loaded->config.log_level);
  auto report = RecoverDirectory(loaded->config, Clock::System());
  if (!report.ok()) return Report(report.status(), console);
  PrintReport(*report, console);
  return report->damaged.empty() ? kExitOk : kExitFailure;
}

}  // namespace otlp_arrow
