// A writer's directory below journal/: made and removed so that others who look at the same moment see it whole or not
// at all.
#pragma once

#include <optional>
#include <string>

#include "base/platform/platform.h"
#include "storage/layout.h"

namespace otlp_arrow {

// Directories that are being made carry this before their name; adopters pass them over.
inline constexpr char kUnfinishedPrefix = '.';

// Makes the directory with its lock held: it appears under its name only then. The lock is never nullopt on success.
Result<std::optional<platform::FileLock>> CreateWriterDirectory(const StoreLayout& layout, const std::string& writer);

// Removes a directory that a death in CreateWriterDirectory left under the name `name`, unless someone is at it.
void RemoveUnfinished(const StoreLayout& layout, const std::string& name);

// Removes the directory of a writer whose lock the caller holds. Another process that tries the lock meanwhile may
// leave an empty directory behind, which the next adoption removes.
Status RemoveWriterDirectory(const StoreLayout& layout, const std::string& writer);

// Moves such a directory to forward/, where it waits to be forwarded; the caller's lock goes with it. Nothing of it is to be stored
// any more.
Status MoveToLeftOvers(const StoreLayout& layout, const std::string& writer);

// Removes a directory of forward/ whose lock the caller holds.
Status RemoveLeftOver(const StoreLayout& layout, const std::string& writer);

}  // namespace otlp_arrow
