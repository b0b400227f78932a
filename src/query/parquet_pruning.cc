#include "query/parquet_pruning.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <parquet/bloom_filter.h>
#include <parquet/bloom_filter_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

namespace otlp_arrow {
namespace {

class RowGroup {
 public:
  RowGroup(parquet::ParquetFileReader* file, int group) : file_(file), group_(group), metadata_(file->metadata()->RowGroup(group)) {}

  // Statistics of a column of this physical type, if it has any.
  template <class Typed>
  std::shared_ptr<Typed> Statistics(const char* name, parquet::Type::type type) const {
    const int column = metadata_->schema()->ColumnIndex(name);
    if (column < 0) return nullptr;
    auto statistics = metadata_->ColumnChunk(column)->statistics();
    return statistics && statistics->physical_type() == type ? std::static_pointer_cast<Typed>(std::move(statistics)) : nullptr;
  }

  // Is there a time in [start, end), as far as is known.
  bool MayHaveTime(const char* name, const RowFilter& filter) const {
    const auto times = Statistics<parquet::Int64Statistics>(name, parquet::Type::INT64);
    if (!times || !times->HasMinMax()) return !times || !times->HasNullCount() || times->null_count() < metadata_->num_rows();
    return (!filter.start || times->max() >= *filter.start) && (!filter.end || times->min() < *filter.end);
  }
  bool MayHaveNull(const char* name) const {
    const auto times = Statistics<parquet::Int64Statistics>(name, parquet::Type::INT64);
    // 0 is no time either.
    return !times || !times->HasNullCount() || times->null_count() > 0 || !times->HasMinMax() || times->min() <= 0;
  }

  bool MayHaveText(const char* name, const std::vector<std::string>& texts) const {
    const auto found = Statistics<parquet::ByteArrayStatistics>(name, parquet::Type::BYTE_ARRAY);
    if (!found || !found->HasMinMax()) return true;
    const std::string_view least(found->min()), greatest(found->max());
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) { return text >= least && text <= greatest; });
  }

  bool FilterMayHave(const char* name, const std::vector<std::string>& texts) const {
    const int column = metadata_->schema()->ColumnIndex(name);
    if (column < 0 || !metadata_->ColumnChunk(column)->bloom_filter_offset()) return true;
    const auto of_group = file_->GetBloomFilterReader().RowGroup(group_);
    const auto bloom = of_group ? of_group->GetColumnBloomFilter(column) : nullptr;
    if (!bloom) return true;
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
      const parquet::ByteArray bytes{std::string_view(text)};
      return bloom->FindHash(bloom->Hash(&bytes));
    });
  }

 private:
  parquet::ParquetFileReader* file_;
  int group_;
  std::unique_ptr<parquet::RowGroupMetaData> metadata_;
};

}  // namespace

bool MayHaveRows(parquet::ParquetFileReader* file, int group, Signal signal, const RowFilter& filter) {
  const RowGroup rows(file, group);
  if (filter.start || filter.end) {
    bool may_have = rows.MayHaveTime(signal == Signal::kTraces ? "start_time" : "time", filter);
    // Where a log record's time is unknown, it is when it was observed.
    if (!may_have && signal == Signal::kLogs) may_have = rows.MayHaveNull("time") && rows.MayHaveTime("observed_time", filter);
    if (!may_have) return false;
  }
  if (!filter.services.empty() && !rows.MayHaveText("service_name", filter.services)) return false;
  if (filter.trace_ids.empty()) return true;
  return rows.MayHaveText("trace_id", filter.trace_ids) && rows.FilterMayHave("trace_id", filter.trace_ids);
}

}  // namespace otlp_arrow
