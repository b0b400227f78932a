// The bloom filter of one row group's trace ids, as Parquet files have it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Collects hashes, eight bytes for each value that differs from the one before, and is made as large as they need.
class BloomFilterBuilder {
 public:
  // A column of text without dictionary.
  void Add(const arrow::StringArray& texts);
  // Header and bits, ready to be put into the file; empty where there was no value. Begins anew.
  Result<std::string> Finish();

 private:
  std::vector<uint64_t> hashes_;
};

}  // namespace otlp_arrow
