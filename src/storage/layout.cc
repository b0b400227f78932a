#include "storage/layout.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <tuple>

#include "base/platform/platform.h"

namespace otlp_arrow {
namespace {

constexpr std::string_view kMerged = "merged";
// date=…/hour=… are two.
constexpr int kMaxPartitionDepth = 4;

bool ReadNumber(std::string_view text, uint64_t* number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

bool ReadRange(std::string_view text, SequenceRange* range) {
  const size_t bar = text.find('_');
  return bar != std::string_view::npos && ReadNumber(text.substr(0, bar), &range->first) && ReadNumber(text.substr(bar + 1), &range->last);
}

Status ListInto(const std::string& folder, const std::string& partition, int depth, std::vector<DataFile>* files) {
  OTLP_ASSIGN_OR_RETURN(const auto entries, platform::ListDirectory(partition.empty() ? folder : folder + "/" + partition));
  for (const auto& entry : entries) {
    if (entry.name.starts_with('.')) continue;
    const std::string below = partition.empty() ? entry.name : partition + "/" + entry.name;
    if (entry.is_directory) {
      // Hive's way: key=value.
      if (depth < kMaxPartitionDepth && entry.name.find('=') != std::string::npos) {
        OTLP_RETURN_NOT_OK(ListInto(folder, below, depth + 1, files));
      }
    } else if (auto name = DataFileName::Parse(entry.name)) {
      files->push_back({folder + "/" + below, partition, *std::move(name), entry.size});
    }
  }
  return Status::Ok();
}

}  // namespace

std::string_view FileExtension(FileFormat format) { return format == FileFormat::kParquet ? ".parquet" : ".arrow"; }

std::optional<FileFormat> FormatOfFileName(std::string_view name) {
  if (name.starts_with('.')) return std::nullopt;
  for (const FileFormat format : {FileFormat::kArrow, FileFormat::kParquet}) {
    if (name.ends_with(FileExtension(format))) return format;
  }
  return std::nullopt;
}

std::string DataFileName::ToString() const {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
  char sequence[64];
  std::snprintf(sequence, sizeof(sequence), "%010llu_%010llu", static_cast<unsigned long long>(range.first),
                static_cast<unsigned long long>(range.last));
  return std::string(stamp) + "-" + writer + "-" + (merged ? std::string(kMerged) : sequence) + std::string(FileExtension(format));
}

std::optional<DataFileName> DataFileName::Parse(std::string_view name) {
  const auto format = FormatOfFileName(name);
  if (!format) return std::nullopt;
  name.remove_suffix(FileExtension(*format).size());
  const size_t first_dash = name.find('-');
  const size_t second_dash = name.rfind('-');
  if (first_dash != 16 || second_dash == first_dash || second_dash == std::string_view::npos) return std::nullopt;
  DataFileName parsed;
  parsed.format = *format;
  std::tm utc{};
  const std::string stamp(name.substr(0, first_dash));
  const char* end = strptime(stamp.c_str(), "%Y%m%dT%H%M%SZ", &utc);
  if (!end || *end) return std::nullopt;
  parsed.time = std::chrono::sys_seconds(std::chrono::seconds(timegm(&utc)));
  parsed.writer = name.substr(first_dash + 1, second_dash - first_dash - 1);
  const std::string_view sequence = name.substr(second_dash + 1);
  parsed.merged = sequence == kMerged;
  if (parsed.writer.empty() || (!parsed.merged && !ReadRange(sequence, &parsed.range))) return std::nullopt;
  return parsed;
}

Result<std::vector<DataFile>> ListDataFiles(const StoreLayout& layout, Signal signal) {
  std::vector<DataFile> files;
  OTLP_RETURN_NOT_OK(ListInto(layout.DataDir(signal), "", 0, &files));
  std::sort(files.begin(), files.end(), [](const DataFile& a, const DataFile& b) {
    return std::tie(a.name.time, a.path) < std::tie(b.name.time, b.path);
  });
  return files;
}

std::string NewWriterId() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (const char byte : platform::RandomBytes(6)) {
    id.push_back(kDigits[static_cast<uint8_t>(byte) >> 4]);
    id.push_back(kDigits[static_cast<uint8_t>(byte) & 15]);
  }
  return id;
}

}  // namespace otlp_arrow
