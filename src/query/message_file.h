// A data file as the messages of the Arrow IPC stream that it consists of, to be passed on without being decoded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/io/type_fwd.h>
#include <arrow/ipc/writer.h>
#include <arrow/type_fwd.h>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

class MessageFile {
 public:
  // Reads the headers of all messages. Errors: kIo where the file cannot be read, kExport where it is no whole Arrow file.
  // `input`: the file where it is open already.
  static Result<MessageFile> Open(const std::string& path, arrow::MemoryPool* pool, std::shared_ptr<arrow::io::RandomAccessFile> input = nullptr);

  // Its schema as a message, byte by byte: where two are equal, messages behind the one may follow the other.
  const std::shared_ptr<arrow::Buffer>& schema_message() const { return schema_; }
  // Dictionaries, then record batches: the order in which a stream has them. (Files have the dictionaries at their end.)
  size_t message_count() const { return messages_.size(); }
  // Errors: kIo, kExport for a file that has become shorter.
  Result<arrow::ipc::IpcPayload> Read(size_t index) const;

 private:
  struct Message {
    arrow::ipc::MessageType type;
    std::shared_ptr<arrow::Buffer> metadata;
    int64_t body_offset;
    int64_t body_bytes;
  };

  Status ReadHeaders();
  Status ReadSchema();
  // Moves `*offset` behind the message; false at the end of the stream.
  Result<bool> ReadHeader(int64_t* offset);
  Status Keep(Message message);

  arrow::MemoryPool* pool_ = nullptr;
  std::shared_ptr<arrow::io::RandomAccessFile> input_;
  int64_t size_ = 0;
  std::shared_ptr<arrow::Buffer> schema_;
  std::vector<Message> messages_;
};

// The schema as the message that begins a stream of it.
Result<std::shared_ptr<arrow::Buffer>> SchemaMessage(const arrow::Schema& schema);

}  // namespace otlp_arrow
