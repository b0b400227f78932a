#include "schema/decode.h"

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "otlp/scan.h"
#include "schema/decoder_base.h"

namespace otlp_arrow {

using wire::Cursor;
using wire::Tag;

DecoderBase::DecoderBase(Signal signal, std::vector<PromotedAttribute> promoted, BatchHandler on_batch, DecoderOptions options)
    : promoted_(promoted), schema_(TableSchema(signal, promoted)), on_batch_(std::move(on_batch)), options_(options) {}

Status DecoderBase::Append(std::string_view request, bool has_rejected_items, int64_t* items) {
  skip_rejected_ = has_rejected_items;
  appended_ = 0;
  Status status;
  Cursor c(request);
  Cursor body(nullptr, nullptr);
  uint32_t tag;
  while (status.ok() && !c.done() && wire::ReadTag(&c, &tag)) {
    if (tag == Tag(1, wire::kLen)) {
      if (!wire::ReadLen(&c, &body)) break;
      status = AppendResource(body);
    } else if (!wire::SkipValue(&c, tag)) {
      break;
    }
  }
  *items = appended_;
  return status;
}

Status DecoderBase::AppendResource(Cursor container) {
  if (skip_rejected_ && CheckContainer(Container::kResource, container.rest()) != ItemFault::kNone) return Status::Ok();
  context_.BeginResource(container);
  Cursor body(nullptr, nullptr);
  uint32_t tag;
  while (!container.done() && wire::ReadTag(&container, &tag)) {
    if (tag == Tag(2, wire::kLen)) {
      if (!wire::ReadLen(&container, &body)) break;
      OTLP_RETURN_NOT_OK(AppendScope(body));
    } else if (!wire::SkipValue(&container, tag)) {
      break;
    }
  }
  return Status::Ok();
}

Status DecoderBase::AppendScope(Cursor container) {
  if (skip_rejected_ && CheckContainer(Container::kScope, container.rest()) != ItemFault::kNone) return Status::Ok();
  if (TextBytes() > options_.max_text_bytes) OTLP_RETURN_NOT_OK(Flush());
  // What the scope says of its items may stand behind them; it is first needed when they are all there, or when a
  // batch is handed out before that.
  scope_ = container;
  scope_read_ = false;
  scope_messages_.clear();
  std::string_view schema_url;
  Cursor body(nullptr, nullptr);
  uint32_t tag;
  Status status;
  while (status.ok() && !container.done() && wire::ReadTag(&container, &tag)) {
    if (tag == Tag(2, wire::kLen)) {
      if (!wire::ReadLen(&container, &body)) break;
      // The next item will be read when this one is done: let its bytes come meanwhile.
      for (int line = 0; line < 8; ++line) __builtin_prefetch(body.end + 64 * line);
      status = AppendItem(body);
    } else if (tag == Tag(1, wire::kLen)) {
      if (!wire::ReadLen(&container, &body)) break;
      scope_messages_.push_back(body.rest());
    } else if (tag == Tag(3, wire::kLen)) {
      if (!wire::ReadLen(&container, &body)) break;
      schema_url = body.rest();
    } else if (!wire::SkipValue(&container, tag)) {
      break;
    }
  }
  if (!scope_read_) {
    context_.BeginScope(scope_messages_, schema_url);
    scope_read_ = true;
  }
  context_.FillTo(rows_);
  return status;
}

void DecoderBase::FillContext() {
  if (!scope_read_) {
    context_.BeginScope(scope_);
    scope_read_ = true;
  }
  context_.FillTo(rows_);
}

std::shared_ptr<arrow::RecordBatch> DecoderBase::Assemble() {
  Arrays arrays;
  arrays.reserve(static_cast<size_t>(schema_->num_fields()));
  FinishColumns(&arrays);
  promoted_.Finish(rows_, &arrays);
  return arrow::RecordBatch::Make(schema_, rows_, std::move(arrays));
}

Status DecoderBase::Flush() {
  if (rows_ == 0) return Status::Ok();
  FillContext();
  Status status = on_batch_(Assemble());
  ClearColumns();
  context_.Clear();
  promoted_.Clear();
  rows_ = 0;
  return status;
}

std::shared_ptr<arrow::RecordBatch> DecoderBase::DictionaryBatch() { return Assemble(); }

const DecoderBase::Dictionaries& DecoderBase::AllDictionaries() const {
  if (all_dictionaries_.empty()) {
    auto* self = const_cast<DecoderBase*>(this);
    self->AddDictionaries(&all_dictionaries_);
    self->context_.AddDictionaries(&all_dictionaries_);
    self->promoted_.AddDictionaries(&all_dictionaries_);
  }
  return all_dictionaries_;
}

int64_t DecoderBase::DictionaryBytes() const {
  int64_t bytes = 0;
  for (const TextDictionary* d : AllDictionaries()) bytes += d->byte_size();
  return bytes;
}

void DecoderBase::ResetDictionaries() {
  for (TextDictionary* d : AllDictionaries()) d->Clear();
  context_.ForgetIndices();
  ForgetIndices();
}

std::unique_ptr<TableDecoder> TableDecoder::Make(Signal signal, std::vector<PromotedAttribute> promoted, BatchHandler on_batch,
                                                 DecoderOptions options) {
  switch (signal) {
    case Signal::kTraces: return MakeTracesDecoder(std::move(promoted), std::move(on_batch), options);
    case Signal::kMetrics: return MakeMetricsDecoder(std::move(promoted), std::move(on_batch), options);
    case Signal::kLogs: return MakeLogsDecoder(std::move(promoted), std::move(on_batch), options);
  }
  return nullptr;
}

namespace {

using Columns = std::vector<std::shared_ptr<arrow::ArrayData>>;

// The array with memory of its own, dictionary and children included.
arrow::Result<std::shared_ptr<arrow::ArrayData>> CopyArray(const arrow::ArrayData& array) {
  auto copy = array.Copy();
  for (auto& buffer : copy->buffers) {
    if (!buffer) continue;
    ARROW_ASSIGN_OR_RAISE(buffer, buffer->CopySlice(0, buffer->size()));
  }
  for (auto& child : copy->child_data) {
    ARROW_ASSIGN_OR_RAISE(child, CopyArray(*child));
  }
  if (copy->dictionary) {
    ARROW_ASSIGN_OR_RAISE(copy->dictionary, CopyArray(*copy->dictionary));
  }
  return copy;
}

}  // namespace

Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> DecodeOtlp(Signal signal, std::string_view request,
                                                                    const std::vector<PromotedAttribute>& promoted) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  auto copy = [&](const std::shared_ptr<arrow::RecordBatch>& batch) -> Status {
    Columns owned;
    for (const auto& column : batch->column_data()) {
      auto copied = CopyArray(*column);
      if (!copied.ok()) return Status::Export("copying a decoded column failed: " + copied.status().ToString());
      owned.push_back(*copied);
    }
    batches.push_back(arrow::RecordBatch::Make(batch->schema(), batch->num_rows(), std::move(owned)));
    return Status::Ok();
  };
  const ScanResult scan = ScanOtlp(signal, request);
  if (!scan.ok) return Status::Export(scan.error);
  auto decoder = TableDecoder::Make(signal, promoted, copy);
  int64_t items = 0;
  OTLP_RETURN_NOT_OK(decoder->Append(request, scan.rejected_items > 0, &items));
  OTLP_RETURN_NOT_OK(decoder->Flush());
  return batches;
}

}  // namespace otlp_arrow
