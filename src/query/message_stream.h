// The rows that a StreamPlan means, as messages of an Arrow IPC stream, ready to be sent.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <arrow/array.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/writer.h>

#include "query/message_file.h"
#include "query/store_stream.h"

namespace otlp_arrow {

// Files whose every row and column is wanted, in the schema of the stream, are passed on as they stand, compressed where they are;
// only the headers of their messages are read and checked. Other rows are decoded and encoded anew.
class MessageStream {
 public:
  struct Options {
    bool decompress = false;       // compressed files are decoded too
    arrow::MemoryPool* pool = arrow::default_memory_pool();  // of what is read from files that are passed on
    std::function<bool()> is_cancelled = [] { return false; };
  };
  MessageStream(StreamPlan plan, Options options);
  ~MessageStream();

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  Result<arrow::ipc::IpcPayload> Schema() const;
  // Nothing at the end. The next payload may use the memory of the last one again once that is freed.
  Result<std::optional<arrow::ipc::IpcPayload>> Next();

 private:
  // Takes the next file where it can be passed on, and then hands out its messages.
  Result<std::optional<arrow::ipc::IpcPayload>> NextOfFile();
  Result<bool> OpenNextFile();
  Result<std::optional<arrow::ipc::IpcPayload>> NextEncoded();
  Result<std::optional<arrow::ipc::IpcPayload>> NextDictionary();

  Options options_;
  std::shared_ptr<arrow::Schema> schema_;
  arrow::ipc::IpcWriteOptions write_options_ = arrow::ipc::IpcWriteOptions::Defaults();
  arrow::ipc::DictionaryFieldMapper mapper_;
  std::shared_ptr<arrow::Buffer> schema_message_;
  bool passes_files_on_ = false;

  StoreStream rows_;
  std::optional<MessageFile> file_;
  std::string file_path_;
  size_t next_message_ = 0;
  // Of the rows encoded here: the batch whose dictionaries are being sent, and the dictionaries that the receiver has.
  std::shared_ptr<arrow::RecordBatch> batch_;
  arrow::ipc::DictionaryVector dictionaries_;
  size_t next_dictionary_ = 0;
  std::map<int64_t, std::shared_ptr<arrow::Array>> sent_;
};

}  // namespace otlp_arrow
