// Whose rows a merged file holds, so that the ledger tells the truth when it is deleted. Stands in the schema's metadata.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

inline constexpr char kMergedRowsKey[] = "otlp_arrow.merged_rows";

using RowsByWriter = std::map<std::string, int64_t>;

// "0f1e2d3c4b5a:120,a1b2c3d4e5f6:7"
std::string MergedRowsText(const RowsByWriter& rows);
// What is none of these is left out.
RowsByWriter ParseMergedRows(std::string_view text);

// Nothing where the schema tells of none.
RowsByWriter MergedRowsOf(const arrow::Schema& schema);
std::shared_ptr<arrow::Schema> WithMergedRows(const arrow::Schema& schema, const RowsByWriter& rows);

// Of a data file of either format. Errors: kIo where it cannot be read.
Result<RowsByWriter> ReadMergedRows(const std::string& path);

}  // namespace otlp_arrow
