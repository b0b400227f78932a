#include "senders/flight_messages.h"

#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/util/compression.h>

#include "schema/schemas.h"

namespace otlp_arrow {
namespace {

using arrow::ipc::IpcPayload;

// One batch is one message, as large as the request makes it: a writer that is given several compares their dictionaries, and a
// decoder's batches are gone with the next one.
constexpr DecoderOptions kOneBatch{.max_rows = std::numeric_limits<int32_t>::max(), .max_text_bytes = std::numeric_limits<int32_t>::max()};

// FlightDescriptor { type = 1: PATH, path = 3 }
std::string DescriptorOf(Signal signal) {
  std::string bytes = {1 << 3, 1, (3 << 3) | 2};
  bytes += static_cast<char>(SignalName(signal).size());
  return bytes.append(SignalName(signal));
}

void AppendVarint(uint64_t value, std::string* bytes) {
  for (; value >= 0x80; value >>= 7) bytes->push_back(static_cast<char>(value | 0x80));
  bytes->push_back(static_cast<char>(value));
}

void AppendLength(uint32_t field, uint64_t length, std::string* bytes) {
  AppendVarint(uint64_t{field} << 3 | 2, bytes);
  AppendVarint(length, bytes);
}

// FlightData { flight_descriptor = 1, data_header = 2, data_body = 1000 }
grpc::ByteBuffer FlightData(std::string_view descriptor, const IpcPayload& payload) {
  std::string head;
  if (!descriptor.empty()) {
    AppendLength(1, descriptor.size(), &head);
    head += descriptor;
  }
  AppendLength(2, static_cast<uint64_t>(payload.metadata->size()), &head);
  head.append(reinterpret_cast<const char*>(payload.metadata->data()), static_cast<size_t>(payload.metadata->size()));
  const bool has_body = arrow::ipc::Message::HasBody(payload.type);
  if (has_body) AppendLength(1000, static_cast<uint64_t>(payload.body_length), &head);

  const size_t body = has_body ? static_cast<size_t>(payload.body_length) : 0;
  grpc_slice memory = grpc_slice_malloc(head.size() + body);
  uint8_t* out = GRPC_SLICE_START_PTR(memory);
  uint8_t* const end = out + head.size() + body;
  std::memcpy(out, head.data(), head.size());
  out += head.size();
  for (const auto& buffer : payload.body_buffers) {
    if (!has_body || buffer == nullptr || buffer->size() == 0) continue;
    const auto size = static_cast<size_t>(buffer->size());
    const size_t padded = (size + 7) / 8 * 8;
    if (padded > static_cast<size_t>(end - out)) break;
    std::memcpy(out, buffer->data(), size);
    std::memset(out + size, 0, padded - size);
    out += padded;
  }
  std::memset(out, 0, static_cast<size_t>(end - out));
  grpc::Slice slice(memory, grpc::Slice::STEAL_REF);
  return {&slice, 1};
}

class Collector : public arrow::ipc::internal::IpcPayloadWriter {
 public:
  Collector(Signal signal, std::vector<grpc::ByteBuffer>* messages) : descriptor_(DescriptorOf(signal)), messages_(messages) {}

  arrow::Status WritePayload(const IpcPayload& payload) override {
    messages_->push_back(FlightData(messages_->empty() ? descriptor_ : std::string_view(), payload));
    return arrow::Status::OK();
  }
  arrow::Status Close() override { return arrow::Status::OK(); }

 private:
  const std::string descriptor_;
  std::vector<grpc::ByteBuffer>* messages_;
};

arrow::Result<std::shared_ptr<arrow::util::Codec>> CodecOf(RequestCompression compression) {
  if (compression == RequestCompression::kNone) return nullptr;
  const auto type = compression == RequestCompression::kLz4 ? arrow::Compression::LZ4_FRAME : arrow::Compression::ZSTD;
  const int level = compression == RequestCompression::kZstd ? 1 : arrow::util::kUseDefaultCompressionLevel;  // 1: fast
  ARROW_ASSIGN_OR_RAISE(auto codec, arrow::util::Codec::Create(type, level));
  return std::shared_ptr<arrow::util::Codec>(std::move(codec));
}

arrow::Status Write(Signal signal, RequestCompression compression, const arrow::RecordBatch& batch, std::vector<grpc::ByteBuffer>* messages) {
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.use_threads = false;
  ARROW_ASSIGN_OR_RAISE(options.codec, CodecOf(compression));
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::internal::OpenRecordBatchWriter(std::make_unique<Collector>(signal, messages), batch.schema(), options));
  ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(batch));
  return writer->Close();
}

}  // namespace

TableDecoder& FlightMessages::DecoderOf(Signal signal) {
  auto& decoder = decoders_[static_cast<size_t>(signal)];
  if (!decoder) {
    decoder = TableDecoder::Make(
        signal, {},
        [this, signal](const std::shared_ptr<arrow::RecordBatch>& batch) {
          const arrow::Status status = Write(signal, compression_, *batch, &messages_);
          return status.ok() ? Status::Ok() : Status::Export("the request makes no record batch: " + status.message());
        },
        kOneBatch);
  }
  return *decoder;
}

Result<std::vector<grpc::ByteBuffer>> FlightMessages::Encode(Signal signal, std::string_view request) {
  messages_.clear();
  TableDecoder& decoder = DecoderOf(signal);
  int64_t rows = 0;
  Status status = decoder.Append(request, false, &rows);
  const Status flushed = decoder.Flush();
  if (status.ok()) status = flushed;
  if (decoder.pending_rows() == 0) {
    decoder.ResetDictionaries();
  } else {
    decoders_[static_cast<size_t>(signal)].reset();  // rows that could not be handed out belong to no other request
  }
  OTLP_RETURN_NOT_OK(status);
  return std::exchange(messages_, {});
}

}  // namespace otlp_arrow
