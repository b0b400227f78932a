// Numbers and times as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace otlp_arrow {

std::string GroupedNumber(int64_t n);                      // "1,234,567"
std::string Counted(int64_t n, const std::string& thing);  // "1 file", "1,234 files"
std::string HumanBytes(int64_t bytes);                     // "1.2 MiB"
std::string HumanDuration(int64_t seconds);                // "90 s", "10 min", "2 h", "7 d"
std::string UtcTime(int64_t nanoseconds);                  // "2024-05-06T07:08:09.123Z"

// Rows of cells as lines, each column as wide as its widest cell; the first column left, the others right aligned.
std::string AlignedTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace otlp_arrow
