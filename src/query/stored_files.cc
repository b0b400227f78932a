#include "query/stored_files.h"

#include <algorithm>
#include <filesystem>

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "schema/schemas.h"

namespace otlp_arrow {
namespace {

namespace fs = std::filesystem;

// Names that begin with a dot are files being written.
bool IsDataFile(const fs::directory_entry& entry) {
  std::error_code ignored;
  const std::string name = entry.path().filename().string();
  return name.ends_with(".arrow") && !name.starts_with('.') && entry.is_regular_file(ignored);
}

Result<std::vector<fs::path>> ListBelow(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator it(directory, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (IsDataFile(*it)) files.push_back(it->path());
  }
  if (error) return Status::Io("cannot list '" + directory.string() + "': " + error.message());
  return files;
}

Status Damaged(const arrow::Status& status) { return Status::Export(status.message()); }

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
  OTLP_ASSIGN_OR_RETURN(auto files, ListBelow(fs::is_directory(tables, error) ? tables : fs::path(path)));
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    return std::pair(a.filename(), a) < std::pair(b.filename(), b);
  });
  std::vector<std::string> names;
  for (const auto& f : files) names.push_back(f.string());
  return names;
}

Result<StoredFile> StoredFile::Open(const std::string& path, const std::vector<std::string>& columns) {
  auto input = arrow::io::ReadableFile::Open(path);
  if (!input.ok()) return Status::Io(input.status().message());
  StoredFile file;
  file.input_ = *input;
  auto size = (*input)->GetSize();
  if (!size.ok()) return Status::Io(size.status().message());
  file.bytes_ = *size;
  OTLP_RETURN_NOT_OK(file.OpenReader({}));
  file.schema_ = file.reader_->schema();
  const auto signal = SignalOfSchema(*file.schema_);
  if (!signal) {
    return Status::Export("is an Arrow file, but holds no table of otlp-arrow (no " + std::string(kSignalKey) +
                          " in its metadata)");
  }
  file.signal_ = *signal;
  if (!columns.empty()) OTLP_RETURN_NOT_OK(file.OpenReader(columns));
  return file;
}

Result<StoredFile> StoredFile::WithColumns(const std::vector<std::string>& columns) const {
  StoredFile file(*this);
  OTLP_RETURN_NOT_OK(file.OpenReader(columns));
  return file;
}

Status StoredFile::OpenReader(const std::vector<std::string>& columns) {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  if (!columns.empty()) {
    for (int i = 0; i < schema_->num_fields(); ++i) {
      if (std::find(columns.begin(), columns.end(), schema_->field(i)->name()) != columns.end()) {
        options.included_fields.push_back(i);
      }
    }
    // To Arrow no field means all; of none of them the rows are wanted.
    if (options.included_fields.empty()) options.included_fields.push_back(0);
  }
  auto reader = arrow::ipc::RecordBatchFileReader::Open(input_, options);
  if (!reader.ok()) return Damaged(reader.status());
  reader_ = *reader;
  return Status::Ok();
}

int StoredFile::batch_count() const { return reader_->num_record_batches(); }

Result<int64_t> StoredFile::CountRows() {
  auto rows = reader_->CountRows();
  if (!rows.ok()) return Damaged(rows.status());
  return *rows;
}

Result<std::shared_ptr<arrow::RecordBatch>> StoredFile::ReadBatch(int index) {
  auto batch = reader_->ReadRecordBatch(index);
  if (!batch.ok()) return Damaged(batch.status());
  const arrow::Status valid = (*batch)->ValidateFull();
  if (!valid.ok()) return Damaged(valid);
  return *batch;
}

}  // namespace otlp_arrow
