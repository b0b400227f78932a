#include <filesystem>

#include "service/commands.h"
#include "service/inspection.h"
#include "service/ring_inspection.h"

namespace otlp_arrow {
namespace {

int InspectRingFile(const InspectOptions& options, const Console& console) {
  const auto found = InspectRing(options.path, options.records);
  if (!found.ok()) return Report(found.status(), console);
  console.out << (options.json ? RingInspectionJson(*found) + "\n" : RingInspectionText(*found)) << std::flush;
  return found->dictionary_problem.empty() ? kExitOk : kExitFailure;
}

}  // namespace

int RunInspect(const InspectOptions& options, const Console& console) {
  if (LooksLikeRingFile(options.path)) return InspectRingFile(options, console);
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
