#include <filesystem>

#include "service/commands.h"
#include "service/inspection.h"

namespace otlp_arrow {

int RunInspect(const InspectOptions& options, const Console& console) {
  auto inspection = Inspect(options.path);
  if (!inspection.ok()) return Report(inspection.status(), console);
  if (options.json) {
    console.out << InspectionJson(*inspection, options.schema) << std::endl;
  } else {
    console.out << InspectionText(*inspection, options.schema) << std::flush;
  }
  std::error_code ignored;
  const bool is_one_file = !std::filesystem::is_directory(options.path, ignored);
  return is_one_file && !inspection->damaged.empty() ? kExitFailure : kExitOk;
}

}  // namespace otlp_arrow
