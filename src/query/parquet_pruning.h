// What the footer of a Parquet file tells of a row group's rows.
#pragma once

#include "otlp_arrow/signal.h"
#include "query/row_filter.h"

namespace parquet {
class ParquetFileReader;
}

namespace otlp_arrow {

// False where no row of the group can be one that the filter takes: by the least and greatest time, service and trace id, and by the
// bloom filter of the trace ids. True where the file does not say. Throws as Parquet does.
bool MayHaveRows(parquet::ParquetFileReader* file, int group, Signal signal, const RowFilter& filter);

}  // namespace otlp_arrow
