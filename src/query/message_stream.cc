#include "query/message_stream.h"

#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/platform/platform.h"
#include "storage/layout.h"

namespace otlp_arrow {
namespace {

using Payload = arrow::ipc::IpcPayload;

Status CannotEncode(const arrow::Status& status) { return Status::Export("cannot encode rows: " + status.message()); }

Status InFile(const Status& status, const std::string& path) {
  return {status.code(), "'" + path + "': " + status.message() + "; otlp-arrow inspect lists every file that is damaged"};
}

}  // namespace

MessageStream::MessageStream(StreamPlan plan, Options options)
    : options_(std::move(options)), schema_(plan.schema), mapper_(*schema_), rows_([&] {
        passes_files_on_ = plan.filter.takes_all() && !plan.mixed_files && !options_.decompress;
        plan.is_cancelled = options_.is_cancelled;
        return std::move(plan);
      }()) {
  auto message = SchemaMessage(*schema_);
  if (message.ok()) schema_message_ = *std::move(message);
  passes_files_on_ &= schema_message_ != nullptr;
  write_options_.use_threads = false;
}

MessageStream::~MessageStream() = default;

Result<Payload> MessageStream::Schema() const {
  Payload payload;
  const arrow::Status made = arrow::ipc::GetSchemaPayload(*schema_, write_options_, mapper_, &payload);
  if (!made.ok()) return CannotEncode(made);
  return payload;
}

Result<std::optional<Payload>> MessageStream::Next() {
  if (options_.is_cancelled()) return Status::Shutdown("reading was cancelled");
  if (batch_) return NextDictionary();
  OTLP_ASSIGN_OR_RETURN(auto payload, NextOfFile());
  if (payload) return payload;
  return NextEncoded();
}

Result<std::optional<Payload>> MessageStream::NextOfFile() {
  for (;;) {
    if (file_ && next_message_ < file_->message_count()) {
      auto payload = file_->Read(next_message_++);
      if (!payload.ok()) return InFile(payload.status(), file_path_);
      return std::optional<Payload>(*std::move(payload));
    }
    file_.reset();
    OTLP_ASSIGN_OR_RETURN(const bool more, OpenNextFile());
    if (!more) return std::optional<Payload>();
  }
}

Result<bool> MessageStream::OpenNextFile() {
  while (const std::string* path = passes_files_on_ ? rows_.NextFile() : nullptr) {
    if (FormatOfFileName(path->substr(path->rfind('/') + 1)) == FileFormat::kParquet) return false;  // its rows are encoded anew
    auto file = MessageFile::Open(*path, options_.pool);
    if (!file.ok() && !platform::Exists(*path)) {
      if (rows_.NextInput() == nullptr) {
        OTLP_RETURN_NOT_OK(rows_.LeaveOutMissing());
        continue;
      }
      file = MessageFile::Open(*path, options_.pool, rows_.NextInput());
    }
    if (!file.ok()) return InFile(file.status(), *path);
    if (!file->schema_message()->Equals(*schema_message_)) return false;
    file_ = *std::move(file);
    file_path_ = *path;
    next_message_ = 0;
    sent_.clear();  // its dictionaries take their place
    rows_.PassOver();
    return true;
  }
  return false;
}

Result<std::optional<Payload>> MessageStream::NextEncoded() {
  OTLP_ASSIGN_OR_RETURN(batch_, rows_.Next());
  if (!batch_) return std::optional<Payload>();
  auto dictionaries = arrow::ipc::CollectDictionaries(*batch_, mapper_);
  if (!dictionaries.ok()) return CannotEncode(dictionaries.status());
  dictionaries_ = *std::move(dictionaries);
  next_dictionary_ = 0;
  return NextDictionary();
}

// The dictionaries that changed, then the rows.
Result<std::optional<Payload>> MessageStream::NextDictionary() {
  Payload payload;
  while (next_dictionary_ < dictionaries_.size()) {
    const auto& [id, dictionary] = dictionaries_[next_dictionary_++];
    auto& sent = sent_[id];
    if (sent && (sent == dictionary || sent->data() == dictionary->data() || sent->Equals(*dictionary))) continue;
    sent = dictionary;
    const arrow::Status made = arrow::ipc::GetDictionaryPayload(id, dictionary, write_options_, &payload);
    if (!made.ok()) return CannotEncode(made);
    return std::optional<Payload>(std::move(payload));
  }
  const arrow::Status made = arrow::ipc::GetRecordBatchPayload(*batch_, write_options_, &payload);
  batch_.reset();
  dictionaries_.clear();
  if (!made.ok()) return CannotEncode(made);
  return std::optional<Payload>(std::move(payload));
}

}  // namespace otlp_arrow
