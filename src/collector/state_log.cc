#include "collector/state_log.h"

#include <cstring>
#include <utility>

#include <xxhash.h>

namespace otlp_arrow {
namespace {

constexpr char kMagic[8] = {'O', 'T', 'L', 'P', 'C', 'O', 'L', '1'};
struct FrameHeader {
  uint64_t size = 0;
  uint64_t hash = 0;  // XXH3 of the content, seeded with its size
};
static_assert(sizeof(FrameHeader) == 16);
constexpr uint64_t kMostFrameBytes = 1ull << 30;

uint64_t HashOf(std::string_view frame) { return XXH3_64bits_withSeed(frame.data(), frame.size(), frame.size()); }

std::string HeaderOf(std::string_view frame) {
  const FrameHeader header{frame.size(), HashOf(frame)};
  return {reinterpret_cast<const char*>(&header), sizeof(header)};
}

}  // namespace

Result<StateLog> StateLog::Open(const std::string& path, std::vector<std::string>* frames) {
  OTLP_ASSIGN_OR_RETURN(auto file, platform::File::Open(path, platform::File::Mode::kReadWrite));
  OTLP_ASSIGN_OR_RETURN(const uint64_t file_size, file.Size());
  StateLog log(path, std::move(file));
  OTLP_ASSIGN_OR_RETURN(const std::string magic, log.file_.ReadAt(0, sizeof(kMagic)));
  if (magic != std::string_view(kMagic, sizeof(kMagic))) {
    OTLP_RETURN_NOT_OK(log.file_.Truncate(0));
    OTLP_RETURN_NOT_OK(log.file_.WriteAt(0, {kMagic, sizeof(kMagic)}));
    log.size_ = sizeof(kMagic);
    return log;
  }
  log.size_ = sizeof(kMagic);
  for (;;) {
    OTLP_ASSIGN_OR_RETURN(const std::string bytes, log.file_.ReadAt(log.size_, sizeof(FrameHeader)));
    if (bytes.size() < sizeof(FrameHeader)) break;
    FrameHeader header;
    std::memcpy(&header, bytes.data(), sizeof(header));
    if (header.size > kMostFrameBytes || header.size > file_size) break;
    OTLP_ASSIGN_OR_RETURN(std::string frame, log.file_.ReadAt(log.size_ + sizeof(header), header.size));
    if (frame.size() != header.size || HashOf(frame) != header.hash) break;
    log.size_ += sizeof(header) + header.size;
    frames->push_back(std::move(frame));
  }
  OTLP_RETURN_NOT_OK(log.file_.Truncate(log.size_));
  return log;
}

Status StateLog::Append(std::string_view frame) {
  const std::string header = HeaderOf(frame);
  const std::string_view parts[] = {header, frame};
  OTLP_RETURN_NOT_OK(file_.WriteAt(size_, parts, 2));
  size_ += header.size() + frame.size();
  return Status::Ok();
}

Status StateLog::Replace(std::string_view frame) {
  std::string content(kMagic, sizeof(kMagic));
  content += HeaderOf(frame);
  content += frame;
  OTLP_RETURN_NOT_OK(platform::ReplaceFile(path_, content, false));
  OTLP_ASSIGN_OR_RETURN(file_, platform::File::Open(path_, platform::File::Mode::kReadWrite));
  size_ = content.size();
  return Status::Ok();
}

}  // namespace otlp_arrow
