#include "storage/writer_directory.h"

namespace otlp_arrow {

Result<std::optional<platform::FileLock>> CreateWriterDirectory(const StoreLayout& layout, const std::string& writer) {
  const std::string unfinished = layout.JournalsDir() + "/" + kUnfinishedPrefix + writer;
  OTLP_RETURN_NOT_OK(platform::CreateDirectories(unfinished));
  OTLP_ASSIGN_OR_RETURN(auto lock, platform::FileLock::TryLock(unfinished + "/lock"));
  if (!lock) return Status::Io("the new writer directory '" + unfinished + "' is locked by another process");
  OTLP_RETURN_NOT_OK(platform::Rename(unfinished, layout.WriterDir(writer)));
  return lock;
}

Status RemoveWriterDirectory(const StoreLayout& layout, const std::string& writer) {
  const std::string dir = layout.WriterDir(writer);
  OTLP_ASSIGN_OR_RETURN(const auto entries, platform::ListDirectory(dir));
  for (const auto& entry : entries) {
    const std::string path = dir + "/" + entry.name;
    if (path == layout.WriterLock(writer)) continue;
    OTLP_RETURN_NOT_OK(entry.is_directory ? platform::RemoveTree(path) : platform::Remove(path));
  }
  (void)platform::RemoveTree(dir);
  return Status::Ok();
}

}  // namespace otlp_arrow
