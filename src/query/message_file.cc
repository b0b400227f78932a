#include "query/message_file.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/reader.h>
#include <arrow/type.h>

namespace otlp_arrow {
namespace {

// https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format
constexpr std::string_view kMagic = "ARROW1";
constexpr int64_t kFirstMessage = 8;
constexpr uint32_t kContinuation = 0xffffffff;
constexpr int64_t kPrefixBytes = 8;

static_assert(std::endian::native == std::endian::little, "lengths in Arrow files are little-endian");

Status Damaged(const std::string& why) { return Status::Export("is no whole Arrow file: " + why); }

}  // namespace

Result<MessageFile> MessageFile::Open(const std::string& path, arrow::MemoryPool* pool, std::shared_ptr<arrow::io::RandomAccessFile> input) {
  if (!input) {
    auto opened = arrow::io::ReadableFile::Open(path, pool);
    if (!opened.ok()) return Status::Io(opened.status().message());
    input = *opened;
  }
  auto size = input->GetSize();
  if (!size.ok()) return Status::Io(size.status().message());
  MessageFile file;
  file.pool_ = pool;
  file.input_ = std::move(input);
  file.size_ = *size;
  OTLP_RETURN_NOT_OK(file.ReadHeaders());
  return file;
}

Status MessageFile::ReadHeaders() {
  char magic[kFirstMessage] = {};
  auto read = input_->ReadAt(0, kFirstMessage, magic);
  if (!read.ok()) return Status::Io(read.status().message());
  if (std::string_view(magic, kMagic.size()) != kMagic) return Damaged("it does not begin with ARROW1");
  for (int64_t offset = kFirstMessage;;) {
    OTLP_ASSIGN_OR_RETURN(const bool more, ReadHeader(&offset));
    if (!more) break;
  }
  OTLP_RETURN_NOT_OK(ReadSchema());
  std::stable_partition(messages_.begin(), messages_.end(),
                        [](const Message& m) { return m.type == arrow::ipc::MessageType::DICTIONARY_BATCH; });
  return Status::Ok();
}

// Our files have it in the footer alone.
Status MessageFile::ReadSchema() {
  auto reader = arrow::ipc::RecordBatchFileReader::Open(input_);
  if (!reader.ok()) return Damaged(reader.status().message());
  OTLP_ASSIGN_OR_RETURN(schema_, SchemaMessage(*(*reader)->schema()));
  return Status::Ok();
}

Result<bool> MessageFile::ReadHeader(int64_t* offset) {
  uint32_t prefix[2] = {};
  auto read = input_->ReadAt(*offset, kPrefixBytes, prefix);
  if (!read.ok()) return Status::Io(read.status().message());
  if (*read != kPrefixBytes || prefix[0] != kContinuation) return Damaged("there is no message at byte " + std::to_string(*offset));
  const int64_t length = prefix[1];
  if (length == 0) return false;
  if (length > size_ - *offset - kPrefixBytes) return Damaged("it ends within the header at byte " + std::to_string(*offset));
  auto metadata = input_->ReadAt(*offset + kPrefixBytes, length);
  if (!metadata.ok()) return Status::Io(metadata.status().message());
  if ((*metadata)->size() != length) return Damaged("it ends within the header at byte " + std::to_string(*offset));
  auto message = arrow::ipc::Message::Open(*metadata, nullptr);
  if (!message.ok()) return Damaged(message.status().message());
  const int64_t body = (*message)->body_length();
  const int64_t begin = *offset + kPrefixBytes + length;
  if (body < 0 || body > size_ - begin) return Damaged("it ends within the message at byte " + std::to_string(*offset));
  OTLP_RETURN_NOT_OK(Keep({(*message)->type(), *metadata, begin, body}));
  *offset = begin + body;
  return true;
}

Status MessageFile::Keep(Message message) {
  switch (message.type) {
    case arrow::ipc::MessageType::SCHEMA: return Status::Ok();  // the footer has it too
    case arrow::ipc::MessageType::DICTIONARY_BATCH:
    case arrow::ipc::MessageType::RECORD_BATCH:
      messages_.push_back(std::move(message));
      return Status::Ok();
    default: return Damaged("it has a message that is neither schema, dictionary nor record batch");
  }
}

Result<arrow::ipc::IpcPayload> MessageFile::Read(size_t index) const {
  const Message& message = messages_[index];
  auto body = input_->ReadAt(message.body_offset, message.body_bytes);
  if (!body.ok()) return Status::Io(body.status().message());
  if ((*body)->size() != message.body_bytes) return Damaged("it has become shorter");
  arrow::ipc::IpcPayload payload;
  payload.type = message.type;
  payload.metadata = message.metadata;
  payload.body_buffers = {*body};
  payload.body_length = payload.raw_body_length = message.body_bytes;
  return payload;
}

Result<std::shared_ptr<arrow::Buffer>> SchemaMessage(const arrow::Schema& schema) {
  arrow::ipc::IpcPayload payload;
  const arrow::ipc::DictionaryFieldMapper mapper(schema);
  const arrow::Status made = arrow::ipc::GetSchemaPayload(schema, arrow::ipc::IpcWriteOptions::Defaults(), mapper, &payload);
  if (!made.ok()) return Status::Export("cannot write the schema as a message: " + made.message());
  return payload.metadata;
}

}  // namespace otlp_arrow
