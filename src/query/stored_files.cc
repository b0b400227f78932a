#include "query/stored_files.h"

#include <algorithm>
#include <filesystem>

#include <arrow/io/file.h>
#include <arrow/type.h>

#include "base/platform/directory_swap.h"
#include "schema/schemas.h"
#include "storage/layout.h"

namespace otlp_arrow {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kParquetMagic = "PAR1";
constexpr int kMostListings = 20;

bool IsFolder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

Status ListInto(const fs::path& folder, std::vector<fs::path>* files) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    std::error_code ignored;
    if (name.starts_with('.')) continue;
    if (it->is_directory(ignored)) {
      OTLP_RETURN_NOT_OK(ListInto(it->path(), files));
    } else if (FormatOfFileName(name) && it->is_regular_file(ignored)) {
      files->push_back(it->path());
    }
  }
  if (!error || !IsFolder(folder)) return Status::Ok();  // gone meanwhile
  return Status::Io("cannot list '" + folder.string() + "': " + error.message());
}

// The folder as it was at one moment: files leave a folder that was exchanged.
Status ListAtOnce(const fs::path& folder, std::vector<fs::path>* files) {
  const size_t before = files->size();
  for (int i = 0; i < kMostListings; ++i) {
    files->resize(before);
    const platform::DirectoryWatch watch(folder.string());
    OTLP_RETURN_NOT_OK(ListInto(folder, files));
    if (!watch.WasReplaced()) return Status::Ok();
  }
  return Status::Io("cannot list '" + folder.string() + "': it was exchanged " + std::to_string(kMostListings) + " times meanwhile", true);
}

Result<std::vector<fs::path>> ListBelow(const fs::path& directory, bool is_output_dir) {
  std::vector<fs::path> files;
  if (!is_output_dir) {
    OTLP_RETURN_NOT_OK(ListAtOnce(directory, &files));
    return files;
  }
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().starts_with('.')) continue;
    if (IsFolder(it->path())) {
      OTLP_RETURN_NOT_OK(ListAtOnce(it->path(), &files));
    } else if (FormatOfFileName(it->path().filename().string())) {
      files.push_back(it->path());
    }
  }
  if (error) return Status::Io("cannot list '" + directory.string() + "': " + error.message());
  return files;
}

}  // namespace

Result<std::vector<std::string>> FindStoredFiles(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    return Status::Io("there is no '" + path + "'" +
                      (error && error != std::errc::no_such_file_or_directory ? ": " + error.message() : ""));
  }
  if (!fs::is_directory(status)) return std::vector<std::string>{path};
  const fs::path tables = fs::path(path) / "otlp";
  OTLP_ASSIGN_OR_RETURN(auto files, ListBelow(IsFolder(tables) ? tables : fs::path(path), IsFolder(tables)));
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    return std::pair(a.filename(), a) < std::pair(b.filename(), b);
  });
  std::vector<std::string> names;
  for (const auto& f : files) names.push_back(f.string());
  return names;
}

Result<FileFormat> FormatOfFile(const std::string& path, const InputFile& input) {
  char magic[kParquetMagic.size()] = {};
  const auto read = input->ReadAt(0, sizeof(magic), magic);
  if (!read.ok()) return Status::Io(read.status().message());
  if (*read < static_cast<int64_t>(sizeof(magic))) return FormatOfFileName(fs::path(path).filename().string()).value_or(FileFormat::kArrow);
  return std::string_view(magic, sizeof(magic)) == kParquetMagic ? FileFormat::kParquet : FileFormat::kArrow;
}

Result<StoredFile> StoredFile::Open(const std::string& path, const std::vector<std::string>& columns, InputFile input) {
  if (!input) {
    auto opened = arrow::io::ReadableFile::Open(path);
    if (!opened.ok()) return Status::Io(opened.status().message());
    input = *opened;
  }
  StoredFile file;
  auto size = input->GetSize();
  if (!size.ok()) return Status::Io(size.status().message());
  file.bytes_ = *size;
  OTLP_ASSIGN_OR_RETURN(file.format_, FormatOfFile(path, input));
  const bool is_parquet = file.format_ == FileFormat::kParquet;
  OTLP_ASSIGN_OR_RETURN(file.reader_, is_parquet ? OpenParquetTable(std::move(input)) : OpenArrowTable(std::move(input)));
  file.schema_ = file.reader_->schema();
  const auto signal = SignalOfSchema(*file.schema_);
  if (!signal) {
    return Status::Export("is " + std::string(is_parquet ? "a Parquet" : "an Arrow") + " file, but holds no table of otlp-arrow (no " +
                          std::string(kSignalKey) + " in its metadata)");
  }
  file.signal_ = *signal;
  return columns.empty() ? file : file.WithColumns(columns);
}

Result<StoredFile> StoredFile::WithColumns(const std::vector<std::string>& columns) const {
  StoredFile file(*this);
  OTLP_ASSIGN_OR_RETURN(file.reader_, reader_->WithColumns(columns));
  return file;
}

}  // namespace otlp_arrow
