// Writing out what dead writers left in their journals.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"
#include "storage/layout.h"

namespace otlp_arrow {

struct RecoveryReport {
  int64_t journals = 0;              // adopted, written out and removed
  int64_t items_recovered = 0;       // written to files now
  int64_t items_already_stored = 0;  // found in published files of the dead writer
  int64_t unsent = 0;                // journals that now wait in <output_dir>/forward to be forwarded
  std::vector<std::string> damaged;  // "<path>: <what>"; the segments are kept in <output_dir>/damaged
  std::vector<std::string> busy;     // writers that are alive
};

// Adopts every journal below config.output_dir whose writer is gone. Safe to run beside live writers, beside itself, and
// again after a crash at any point: an item is never written twice. Errors: kIo where the disk refuses; what was not
// written stays in its journal. A journal that is not yet forwarded is moved to <output_dir>/forward when all of it is written; one
// of a relay, of which nothing is to be written, at once.
Result<RecoveryReport> RecoverDirectory(const Config& config, std::shared_ptr<Clock> clock);

}  // namespace otlp_arrow
