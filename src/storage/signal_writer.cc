#include "storage/signal_writer.h"

#include <arrow/record_batch.h>
#include <spdlog/spdlog.h>

namespace otlp_arrow {

SignalWriter::SignalWriter(Signal signal, StoreLayout layout, std::string writer_id, SignalWriterOptions options, std::shared_ptr<Clock> clock)
    : signal_(signal), layout_(std::move(layout)), writer_id_(std::move(writer_id)), options_(std::move(options)), clock_(std::move(clock)) {
  if (!options_.resources) options_.resources = std::make_shared<TableFileResources>();
}

std::unique_ptr<TableDecoder> SignalWriter::MakeDecoder() {
  return TableDecoder::Make(signal_, options_.promoted, [this](const auto& batch) { return WriteBatch(batch); }, options_.batches);
}

Status SignalWriter::WriteBatch(const std::shared_ptr<arrow::RecordBatch>& batch) {
  if (!file_) {
    const std::string temporary = layout_.WriterDir(writer_id_) + "/" + std::string(SignalName(signal_)) + options_.temporary_tag + ".tmp";
    const TableFileOptions file_options{.format = options_.format, .compression = options_.compression, .row_group_rows = options_.row_group_rows};
    OTLP_ASSIGN_OR_RETURN(file_, TableFileWriter::Create(temporary, decoder_->schema(), file_options, options_.resources.get()));
  }
  return file_->Write(*batch);
}

Status SignalWriter::Add(uint64_t sequence, std::string_view request, int64_t items, bool has_rejected_items) {
  if (!decoder_) decoder_ = MakeDecoder();
  if (!has_pending()) {
    range_.first = sequence;
    pending_items_ = 0;
    pending_bytes_ = 0;
    since_ = clock_->SteadyNow();
    first_time_ = std::chrono::floor<std::chrono::seconds>(clock_->Now());
  }
  range_.last = sequence;
  pending_bytes_ += request.size();
  int64_t appended = 0;
  OTLP_RETURN_NOT_OK(decoder_->Append(request, has_rejected_items, &appended));
  pending_items_ += items;
  if (appended != items) {
    // The scan and the decoder read the same grammar; a difference is a defect worth a loud word.
    spdlog::error("request {} of {}: {} items accepted, {} decoded", sequence, SignalName(signal_), items, appended);
  }
  return Status::Ok();
}

Status SignalWriter::Publish(PublishedFile* file) {
  *file = {};
  if (!has_pending()) return Status::Ok();
  OTLP_RETURN_NOT_OK(decoder_->Flush());
  if (file_) {
    const DataFileName name{first_time_, writer_id_, range_, options_.format};
    const std::string path = layout_.DataDir(signal_) + "/" + name.ToString();
    OTLP_RETURN_NOT_OK(file_->Publish(*decoder_->DictionaryBatch(), PublishTarget{path, layout_.PublishLock(), options_.sync}));
    file->path = path;
    file->rows = file_->rows();
  }
  file->range = range_;
  file->items = pending_items_;
  file_.reset();
  decoder_->ResetDictionaries();
  pending_items_ = -1;
  pending_bytes_ = 0;
  return Status::Ok();
}

void SignalWriter::Abandon() {
  file_.reset();
  decoder_.reset();
  pending_items_ = -1;
  pending_bytes_ = 0;
}

bool SignalWriter::dictionaries_full() const {
  return has_pending() && decoder_ && decoder_->DictionaryBytes() > options_.max_dictionary_bytes;
}

}  // namespace otlp_arrow
