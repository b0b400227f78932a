#include "storage/table_file.h"

#include <arrow/buffer.h>
#include <arrow/io/buffered.h>
#include <arrow/io/file.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/util/compression.h>

#include "base/platform/platform.h"
#include "storage/buffer_codec.h"
#include "storage/caching_pool.h"
#include "storage/layout.h"
#include "storage/parquet_table_file.h"

namespace otlp_arrow {
namespace {

constexpr int64_t kWriteBufferBytes = 1 << 20;

Status FromArrow(const arrow::Status& status, std::string_view doing, const std::string& path) {
  if (status.ok()) return Status::Ok();
  return Status::Io("cannot " + std::string(doing) + " '" + path + "': " + status.message() + " (free space on the disk, or check its rights)",
                    true);
}

class IpcFileWriter : public TableFileWriter {
 public:
  IpcFileWriter(std::string path, const arrow::Schema& schema) : path_(std::move(path)), mapper_(schema) {}

  ~IpcFileWriter() override {
    if (published_) return;
    if (stream_) (void)stream_->Abort();  // not Close, which would write what is buffered
    if (raw_) (void)raw_->Close();
    (void)platform::Remove(path_);
  }

  Status Open(const std::shared_ptr<arrow::Schema>& schema, Compression compression, TableFileResources* resources) {
    if (compression == Compression::kZstd) {
      options_.codec = zstd_ = resources->zstd;
    } else if (compression == Compression::kLz4) {
      auto codec = arrow::util::Codec::Create(arrow::Compression::LZ4_FRAME);
      if (!codec.ok()) return Status::Config("compression: " + codec.status().message());
      options_.codec = std::move(*codec);
    }
    options_.use_threads = false;  // the workers are the parallelism
    options_.memory_pool = resources->pool.get();
    auto file = arrow::io::FileOutputStream::Open(path_);
    if (!file.ok()) return FromArrow(file.status(), "create", path_);
    raw_ = *file;
    auto buffered = arrow::io::BufferedOutputStream::Create(kWriteBufferBytes, arrow::default_memory_pool(), raw_);
    if (!buffered.ok()) return FromArrow(buffered.status(), "buffer", path_);
    stream_ = *buffered;
    auto writer = arrow::ipc::internal::MakePayloadFileWriter(stream_.get(), schema, options_);
    if (!writer.ok()) return FromArrow(writer.status(), "begin", path_);
    writer_ = std::move(*writer);
    return FromArrow(writer_->Start(), "write the schema to", path_);
  }

  Status Write(const arrow::RecordBatch& batch) override {
    if (zstd_) zstd_->Learn(batch);
    arrow::ipc::IpcPayload payload;
    arrow::Status status = arrow::ipc::GetRecordBatchPayload(batch, options_, &payload);
    if (status.ok()) status = writer_->WritePayload(payload);
    if (!status.ok()) return FromArrow(status, "write rows to", path_);
    rows_ += batch.num_rows();
    return Status::Ok();
  }

  Status Publish(const arrow::RecordBatch& dictionaries, const PublishTarget& target) override {
    auto collected = arrow::ipc::CollectDictionaries(dictionaries, mapper_);
    if (!collected.ok()) return FromArrow(collected.status(), "collect the dictionaries of", path_);
    for (const auto& [id, dictionary] : *collected) {
      arrow::ipc::IpcPayload payload;
      arrow::Status status = arrow::ipc::GetDictionaryPayload(id, dictionary, options_, &payload);
      if (status.ok()) status = writer_->WritePayload(payload);
      if (!status.ok()) return FromArrow(status, "write a dictionary to", path_);
    }
    OTLP_RETURN_NOT_OK(FromArrow(writer_->Close(), "finish", path_));
    OTLP_RETURN_NOT_OK(FromArrow(stream_->Flush(), "finish", path_));
    OTLP_RETURN_NOT_OK(FromArrow(raw_->Close(), "close", path_));
    OTLP_RETURN_NOT_OK(PublishFile(path_, target));
    published_ = true;
    return Status::Ok();
  }

  int64_t rows() const override { return rows_; }

 private:
  std::shared_ptr<BufferCodec> zstd_;
  std::string path_;
  arrow::ipc::DictionaryFieldMapper mapper_;
  arrow::ipc::IpcWriteOptions options_ = arrow::ipc::IpcWriteOptions::Defaults();
  std::shared_ptr<arrow::io::FileOutputStream> raw_;
  std::shared_ptr<arrow::io::BufferedOutputStream> stream_;
  std::unique_ptr<arrow::ipc::internal::IpcPayloadWriter> writer_;
  int64_t rows_ = 0;
  bool published_ = false;
};

}  // namespace

TableFileResources::TableFileResources() : pool(std::make_unique<CachingPool>()), zstd(std::make_shared<BufferCodec>()) {}
TableFileResources::~TableFileResources() = default;

Result<std::unique_ptr<TableFileWriter>> TableFileWriter::Create(const std::string& temporary_path, std::shared_ptr<arrow::Schema> schema,
                                                                 const TableFileOptions& options, TableFileResources* resources) {
  if (options.format == FileFormat::kParquet) return CreateParquetFile(temporary_path, std::move(schema), options);
  auto writer = std::make_unique<IpcFileWriter>(temporary_path, *schema);
  OTLP_RETURN_NOT_OK(writer->Open(schema, options.compression, resources));
  return std::unique_ptr<TableFileWriter>(std::move(writer));
}

Result<int64_t> CountRows(const std::string& path) {
  if (FormatOfFileName(path.substr(path.rfind('/') + 1)) == FileFormat::kParquet) return CountParquetRows(path);
  auto damaged = [&](const arrow::Status& status) { return Status::Io("'" + path + "' is no whole Arrow file: " + status.message()); };
  auto file = arrow::io::ReadableFile::Open(path);
  if (!file.ok()) return damaged(file.status());
  auto reader = arrow::ipc::RecordBatchFileReader::Open(*file);
  if (!reader.ok()) return damaged(reader.status());
  auto rows = (*reader)->CountRows();
  if (!rows.ok()) return damaged(rows.status());
  return *rows;
}

}  // namespace otlp_arrow
