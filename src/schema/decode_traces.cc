// ResourceSpans into the traces table.
#include <arrow/type.h>

#include "otlp/scan.h"
#include "schema/decoder_base.h"

namespace otlp_arrow {
namespace {

using wire::Cursor;
using wire::Tag;

// list<struct<time, name, attributes, attributes_types, dropped_attributes_count>>
class EventsColumn {
 public:
  void Append(Cursor event) {
    uint64_t time = 0;
    uint64_t dropped = 0;
    std::string_view name;
    uint32_t tag;
    Cursor body(nullptr, nullptr);
    while (!event.done() && wire::ReadTag(&event, &tag)) {
      bool ok = true;
      switch (tag) {
        case Tag(1, wire::kFixed64): ok = wire::ReadFixed64(&event, &time); break;
        case Tag(2, wire::kLen):
          ok = wire::ReadLen(&event, &body);
          if (ok) name = body.rest();
          break;
        case Tag(3, wire::kLen):
          ok = wire::ReadLen(&event, &body);
          if (ok) attributes_.Append(body);
          break;
        case Tag(4, wire::kVarint): ok = wire::ReadVarint(&event, &dropped); break;
        default: ok = wire::SkipValue(&event, tag);
      }
      if (!ok) break;
    }
    time_.AppendNullIfZero(static_cast<int64_t>(time));
    name_.Append(name);
    attributes_.EndRow();
    dropped_.Append(static_cast<uint32_t>(dropped));
  }
  void EndRow() { lists_.EndRow(time_.size()); }
  std::shared_ptr<arrow::ArrayData> Finish(const std::shared_ptr<arrow::DataType>& type) {
    std::shared_ptr<arrow::ArrayData> map, types;
    attributes_.Finish(&map, &types);
    const int64_t n = time_.size();
    return lists_.Finish(type, FinishStruct(type->field(0)->type(), n,
                                            {time_.Finish(TimeType()), name_.Finish(), map, types, dropped_.Finish(arrow::uint32())}));
  }
  void Clear() {
    lists_.Clear();
    time_.Clear();
    name_.Clear();
    attributes_.Clear();
    dropped_.Clear();
  }
  void AddDictionaries(std::vector<TextDictionary*>* d) {
    d->push_back(&name_.dictionary());
    attributes_.AddDictionaries(d);
  }
  void ForgetIndices() { attributes_.ForgetKeys(); }
  int64_t byte_size() const { return attributes_.byte_size(); }

 private:
  ListOffsets lists_;
  FixedColumn<int64_t> time_;
  DictionaryColumn name_;
  AttributesColumn attributes_;
  FixedColumn<uint32_t> dropped_;
};

// list<struct<trace_id, span_id, trace_state, flags, attributes, attributes_types, dropped_attributes_count>>
class LinksColumn {
 public:
  void Append(Cursor link) {
    std::string_view trace_id, span_id, trace_state;
    uint32_t flags = 0;
    uint64_t dropped = 0;
    uint32_t tag;
    Cursor body(nullptr, nullptr);
    while (!link.done() && wire::ReadTag(&link, &tag)) {
      bool ok = true;
      switch (tag) {
        case Tag(1, wire::kLen):
          if ((ok = wire::ReadLen(&link, &body))) trace_id = body.rest();
          break;
        case Tag(2, wire::kLen):
          if ((ok = wire::ReadLen(&link, &body))) span_id = body.rest();
          break;
        case Tag(3, wire::kLen):
          if ((ok = wire::ReadLen(&link, &body))) trace_state = body.rest();
          break;
        case Tag(4, wire::kLen):
          if ((ok = wire::ReadLen(&link, &body))) attributes_.Append(body);
          break;
        case Tag(5, wire::kVarint): ok = wire::ReadVarint(&link, &dropped); break;
        case Tag(6, wire::kFixed32): ok = wire::ReadFixed32(&link, &flags); break;
        default: ok = wire::SkipValue(&link, tag);
      }
      if (!ok) break;
    }
    trace_id_.Append(trace_id);
    span_id_.Append(span_id);
    trace_state_.AppendNullIfEmpty(trace_state);
    flags_.Append(flags);
    attributes_.EndRow();
    dropped_.Append(static_cast<uint32_t>(dropped));
  }
  void EndRow() { lists_.EndRow(flags_.size()); }
  std::shared_ptr<arrow::ArrayData> Finish(const std::shared_ptr<arrow::DataType>& type) {
    std::shared_ptr<arrow::ArrayData> map, types;
    attributes_.Finish(&map, &types);
    const int64_t n = flags_.size();
    return lists_.Finish(type, FinishStruct(type->field(0)->type(), n,
                                            {trace_id_.Finish(), span_id_.Finish(), trace_state_.Finish(), flags_.Finish(arrow::uint32()),
                                             map, types, dropped_.Finish(arrow::uint32())}));
  }
  void Clear() {
    lists_.Clear();
    trace_id_.Clear();
    span_id_.Clear();
    trace_state_.Clear();
    flags_.Clear();
    attributes_.Clear();
    dropped_.Clear();
  }
  void AddDictionaries(std::vector<TextDictionary*>* d) { attributes_.AddDictionaries(d); }
  void ForgetIndices() { attributes_.ForgetKeys(); }
  int64_t byte_size() const { return attributes_.byte_size(); }

 private:
  ListOffsets lists_;
  TraceIdColumn trace_id_;
  SpanIdColumn span_id_;
  TextColumn trace_state_;
  FixedColumn<uint32_t> flags_;
  AttributesColumn attributes_;
  FixedColumn<uint32_t> dropped_;
};

class TracesDecoder : public DecoderBase {
 public:
  TracesDecoder(std::vector<PromotedAttribute> promoted, BatchHandler on_batch, DecoderOptions options)
      : DecoderBase(Signal::kTraces, std::move(promoted), std::move(on_batch), options), attributes_(&promoted_) {}

 protected:
  Status AppendItem(Cursor span) override {
    if (skip_rejected() && CheckSpan(span.rest()) != ItemFault::kNone) return Status::Ok();
    std::string_view trace_id, span_id, parent_span_id, trace_state, name, status_message;
    uint64_t kind = 0, start = 0, end = 0, dropped = 0, status_code = 0;
    uint32_t flags = 0;
    bool has_status = false;
    uint32_t tag;
    Cursor body(nullptr, nullptr);
    bool ok = true;
    while (ok && !span.done() && wire::ReadTag(&span, &tag)) {
      switch (tag) {
        case Tag(9, wire::kLen):
          if ((ok = wire::ReadLen(&span, &body))) attributes_.Append(body);
          break;
        case Tag(1, wire::kLen):
          if ((ok = wire::ReadLen(&span, &body))) trace_id = body.rest();
          break;
        case Tag(2, wire::kLen):
          if ((ok = wire::ReadLen(&span, &body))) span_id = body.rest();
          break;
        case Tag(3, wire::kLen):
          if ((ok = wire::ReadLen(&span, &body))) trace_state = body.rest();
          break;
        case Tag(4, wire::kLen):
          if ((ok = wire::ReadLen(&span, &body))) parent_span_id = body.rest();
          break;
        case Tag(5, wire::kLen):
          if ((ok = wire::ReadLen(&span, &body))) name = body.rest();
          break;
        case Tag(6, wire::kVarint): ok = wire::ReadVarint(&span, &kind); break;
        case Tag(7, wire::kFixed64): ok = wire::ReadFixed64(&span, &start); break;
        case Tag(8, wire::kFixed64): ok = wire::ReadFixed64(&span, &end); break;
        case Tag(10, wire::kVarint):
          if ((ok = wire::ReadVarint(&span, &dropped))) dropped_attributes_.Set(row(), static_cast<uint32_t>(dropped));
          break;
        case Tag(11, wire::kLen):
          if ((ok = wire::ReadLen(&span, &body))) events_.Append(body);
          break;
        case Tag(12, wire::kVarint):
          if ((ok = wire::ReadVarint(&span, &dropped))) dropped_events_.Set(row(), static_cast<uint32_t>(dropped));
          break;
        case Tag(13, wire::kLen):
          if ((ok = wire::ReadLen(&span, &body))) links_.Append(body);
          break;
        case Tag(14, wire::kVarint):
          if ((ok = wire::ReadVarint(&span, &dropped))) dropped_links_.Set(row(), static_cast<uint32_t>(dropped));
          break;
        case Tag(15, wire::kLen):
          if ((ok = wire::ReadLen(&span, &body))) {
            has_status = true;
            ReadStatus(body, &status_code, &status_message);
          }
          break;
        case Tag(16, wire::kFixed32): ok = wire::ReadFixed32(&span, &flags); break;
        default: ok = wire::SkipValue(&span, tag);
      }
    }
    trace_id_.Append(trace_id);
    span_id_.Append(span_id);
    parent_span_id_.Append(parent_span_id);
    if (!trace_state.empty()) trace_state_.Set(row(), trace_state);
    flags_.Append(flags);
    name_.Append(name);
    kind_.Append(static_cast<int32_t>(kind));
    start_time_.AppendNullIfZero(static_cast<int64_t>(start));
    end_time_.AppendNullIfZero(static_cast<int64_t>(end));
    if (start != 0 && end != 0) [[likely]] {
      duration_.Append(static_cast<int64_t>(end - start));
    } else {
      duration_.AppendNull();
    }
    if (has_status) {
      status_code_.Append(static_cast<int32_t>(status_code));
    } else {
      status_code_.AppendNull();
    }
    if (!status_message.empty()) status_message_.Set(row(), status_message);
    attributes_.EndRow();
    events_.EndRow();
    links_.EndRow();
    return EndItem();
  }

  void FinishColumns(Arrays* arrays) override {
    const int64_t n = row();
    std::shared_ptr<arrow::ArrayData> map, types;
    attributes_.Finish(&map, &types);
    *arrays = {trace_id_.Finish(),
               span_id_.Finish(),
               parent_span_id_.Finish(),
               trace_state_.Finish(n),
               flags_.Finish(arrow::uint32()),
               name_.Finish(),
               kind_.Finish(),
               start_time_.Finish(TimeType()),
               end_time_.Finish(TimeType()),
               duration_.Finish(arrow::int64()),
               status_code_.Finish(),
               status_message_.Finish(n),
               context_.FinishServiceName(),
               map,
               types,
               dropped_attributes_.Finish(arrow::uint32(), n),
               events_.Finish(schema()->GetFieldByName("events")->type()),
               dropped_events_.Finish(arrow::uint32(), n),
               links_.Finish(schema()->GetFieldByName("links")->type()),
               dropped_links_.Finish(arrow::uint32(), n)};
    context_.Finish(arrays);
  }

  void ClearColumns() override {
    trace_id_.Clear();
    span_id_.Clear();
    parent_span_id_.Clear();
    trace_state_.Clear();
    flags_.Clear();
    name_.Clear();
    kind_.Clear();
    start_time_.Clear();
    end_time_.Clear();
    duration_.Clear();
    status_code_.Clear();
    status_message_.Clear();
    attributes_.Clear();
    dropped_attributes_.Clear();
    events_.Clear();
    dropped_events_.Clear();
    links_.Clear();
    dropped_links_.Clear();
  }

  void AddDictionaries(Dictionaries* d) override {
    d->insert(d->end(), {&name_.dictionary(), kind_.dictionary(), status_code_.dictionary()});
    attributes_.AddDictionaries(d);
    events_.AddDictionaries(d);
    links_.AddDictionaries(d);
  }

  void ForgetIndices() override {
    kind_.Forget();
    status_code_.Forget();
    attributes_.ForgetKeys();
    events_.ForgetIndices();
    links_.ForgetIndices();
  }

  int64_t TextBytes() const override { return attributes_.byte_size() + events_.byte_size() + links_.byte_size(); }

 private:
  static void ReadStatus(Cursor status, uint64_t* code, std::string_view* message) {
    uint32_t tag;
    Cursor body(nullptr, nullptr);
    while (!status.done() && wire::ReadTag(&status, &tag)) {
      if (tag == Tag(2, wire::kLen)) {
        if (!wire::ReadLen(&status, &body)) return;
        *message = body.rest();
      } else if (tag == Tag(3, wire::kVarint)) {
        if (!wire::ReadVarint(&status, code)) return;
      } else if (!wire::SkipValue(&status, tag)) {
        return;
      }
    }
  }

  TraceIdColumn trace_id_;
  SpanIdColumn span_id_, parent_span_id_;
  SparseTextColumn trace_state_;
  FixedColumn<uint32_t> flags_;
  DictionaryColumn name_;
  EnumColumn kind_{&SpanKindName};
  FixedColumn<int64_t> start_time_, end_time_, duration_;
  EnumColumn status_code_{&StatusCodeName};
  SparseTextColumn status_message_;
  AttributesColumn attributes_;
  ZeroedColumn<uint32_t> dropped_attributes_;
  EventsColumn events_;
  ZeroedColumn<uint32_t> dropped_events_;
  LinksColumn links_;
  ZeroedColumn<uint32_t> dropped_links_;
};

}  // namespace

std::unique_ptr<TableDecoder> MakeTracesDecoder(std::vector<PromotedAttribute> promoted, TableDecoder::BatchHandler on_batch,
                                                DecoderOptions options) {
  return std::make_unique<TracesDecoder>(std::move(promoted), std::move(on_batch), options);
}

}  // namespace otlp_arrow
