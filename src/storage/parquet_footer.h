// Bloom filters in the footer of a Parquet file. Arrow's writer cannot put them there, so its footer is written again with the
// two fields that say where they are. https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Where a column chunk's filter stands in the file, its header included.
struct BloomFilterPlace {
  int64_t offset = 0;
  int32_t bytes = 0;
};

// `footer`: FileMetaData in Thrift's compact protocol. Returns it with ColumnMetaData.bloom_filter_offset and bloom_filter_length
// of the leaf column `column` as `places` has them by row group (nullopt: none); all else stays as it was, fields that are not
// known included. Errors: kExport where it is no such footer, or has other row groups or columns.
Result<std::string> PlaceBloomFilters(std::string_view footer, size_t column, const std::vector<std::optional<BloomFilterPlace>>& places);

}  // namespace otlp_arrow
