// Which files are merged with each other.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "compact/compact_options.h"
#include "storage/layout.h"

namespace otlp_arrow {

// Files of one window, the oldest first, and the folder that what is made of them goes to.
struct MergeJob {
  Signal signal = Signal::kTraces;
  std::string partition;
  std::vector<DataFile> inputs;
};

// How long a window of the signal is: as configured, but never more than a quarter of its retention nor than its partition.
std::chrono::seconds WindowOf(const CompactOptions& options, Signal signal);

// "date=2026-01-31/hour=23", or "" without partitions; of a time of arrival.
std::string PartitionOf(Partitioning partitioning, std::chrono::sys_seconds time);

// `files`: all of the signal that may be merged.
std::vector<MergeJob> PlanMerges(const CompactOptions& options, Signal signal, const std::vector<DataFile>& files, std::chrono::sys_seconds now);

// The files whose journal positions nobody asks the names for any more: their writer is gone, or its ledger tells of them.
std::vector<DataFile> SettledFiles(const StoreLayout& layout, Signal signal, const std::vector<DataFile>& files);

}  // namespace otlp_arrow
