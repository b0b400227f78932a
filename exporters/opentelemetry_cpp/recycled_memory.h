// Memory of the recordables. They are made on the program's threads and freed on the exporting one, which costs the general
// allocator locks and cache misses; here whole chains of blocks change hands instead.
#pragma once

#include <cstddef>

namespace otlp_arrow::exporters {

// Bytes of one block: a span with some twenty attributes fits.
inline constexpr size_t kBlockSize = 1024;

// A block aligned for everything, or null where there is no memory. Each thread keeps a few free blocks and exchanges chains
// of them with the other threads; nobody ever waits for a lock, not even a forked child whose parent held it.
void* TakeBlock() noexcept;
void ReturnBlock(void* block) noexcept;

}  // namespace otlp_arrow::exporters
