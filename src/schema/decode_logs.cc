// ResourceLogs into the logs table.
#include <arrow/type.h>

#include "base/base64.h"
#include "otlp/scan.h"
#include "schema/any_value_text.h"
#include "schema/decoder_base.h"

namespace otlp_arrow {
namespace {

using wire::Cursor;
using wire::Tag;

std::string_view BodyTypeName(ValueType type) {
  switch (type) {
    case ValueType::kString: return "STRING";
    case ValueType::kBool: return "BOOL";
    case ValueType::kInt: return "INT";
    case ValueType::kDouble: return "DOUBLE";
    case ValueType::kBytes: return "BYTES";
    case ValueType::kArray: return "ARRAY";
    case ValueType::kMap: return "KVLIST";
    case ValueType::kEmpty:
    case ValueType::kAbsent: return "EMPTY";
  }
  return "EMPTY";
}

class LogsDecoder : public DecoderBase {
 public:
  LogsDecoder(std::vector<PromotedAttribute> promoted, BatchHandler on_batch, DecoderOptions options)
      : DecoderBase(Signal::kLogs, std::move(promoted), std::move(on_batch), options), attributes_(&promoted_) {}

 protected:
  Status AppendItem(Cursor record) override {
    if (skip_rejected() && CheckLogRecord(record.rest()) != ItemFault::kNone) return Status::Ok();
    std::string_view trace_id, span_id, severity_text, event_name, log_body;
    std::string joined_body;  // bodies given more than once merge by concatenation
    uint64_t time = 0, observed = 0, severity = 0, dropped = 0;
    uint32_t flags = 0;
    bool has_body = false;
    uint32_t tag;
    Cursor body(nullptr, nullptr);
    bool ok = true;
    while (ok && !record.done() && wire::ReadTag(&record, &tag)) {
      switch (tag) {
        case Tag(6, wire::kLen):
          if ((ok = wire::ReadLen(&record, &body))) attributes_.Append(body);
          break;
        case Tag(1, wire::kFixed64): ok = wire::ReadFixed64(&record, &time); break;
        case Tag(2, wire::kVarint): ok = wire::ReadVarint(&record, &severity); break;
        case Tag(3, wire::kLen):
          if ((ok = wire::ReadLen(&record, &body))) severity_text = body.rest();
          break;
        case Tag(5, wire::kLen):
          if ((ok = wire::ReadLen(&record, &body))) {
            if (has_body) {
              joined_body = std::string(log_body).append(body.rest());
              log_body = joined_body;
            } else {
              log_body = body.rest();
            }
            has_body = true;
          }
          break;
        case Tag(7, wire::kVarint):
          if ((ok = wire::ReadVarint(&record, &dropped))) dropped_attributes_.Set(row(), static_cast<uint32_t>(dropped));
          break;
        case Tag(8, wire::kFixed32): ok = wire::ReadFixed32(&record, &flags); break;
        case Tag(9, wire::kLen):
          if ((ok = wire::ReadLen(&record, &body))) trace_id = body.rest();
          break;
        case Tag(10, wire::kLen):
          if ((ok = wire::ReadLen(&record, &body))) span_id = body.rest();
          break;
        case Tag(11, wire::kFixed64): ok = wire::ReadFixed64(&record, &observed); break;
        case Tag(12, wire::kLen):
          if ((ok = wire::ReadLen(&record, &body))) event_name = body.rest();
          break;
        default: ok = wire::SkipValue(&record, tag);
      }
    }
    time_.AppendNullIfZero(static_cast<int64_t>(time));
    observed_time_.AppendNullIfZero(static_cast<int64_t>(observed));
    severity_number_.Append(static_cast<int32_t>(severity));
    severity_text_.AppendNullIfEmpty(severity_text);
    AppendBody(has_body, log_body);
    event_name_.AppendNullIfEmpty(event_name);
    trace_id_.Append(trace_id);
    span_id_.Append(span_id);
    flags_.Append(flags);
    attributes_.EndRow();
    return EndItem();
  }

  void FinishColumns(Arrays* arrays) override {
    const int64_t n = row();
    std::shared_ptr<arrow::ArrayData> map, types;
    attributes_.Finish(&map, &types);
    *arrays = {time_.Finish(TimeType()),
               observed_time_.Finish(TimeType()),
               severity_number_.Finish(arrow::int32()),
               severity_text_.Finish(),
               body_.Finish(),
               body_type_.Finish(),
               event_name_.Finish(),
               trace_id_.Finish(),
               span_id_.Finish(),
               flags_.Finish(arrow::uint32()),
               context_.FinishServiceName(),
               map,
               types,
               dropped_attributes_.Finish(arrow::uint32(), n)};
    context_.Finish(arrays);
  }

  void ClearColumns() override {
    time_.Clear();
    observed_time_.Clear();
    severity_number_.Clear();
    severity_text_.Clear();
    body_.Clear();
    body_type_.Clear();
    event_name_.Clear();
    trace_id_.Clear();
    span_id_.Clear();
    flags_.Clear();
    attributes_.Clear();
    dropped_attributes_.Clear();
  }

  void AddDictionaries(Dictionaries* d) override {
    d->insert(d->end(), {&severity_text_.dictionary(), &body_type_.dictionary(), &event_name_.dictionary()});
    attributes_.AddDictionaries(d);
  }

  void ForgetIndices() override { attributes_.ForgetKeys(); }

  int64_t TextBytes() const override { return body_.byte_size() + attributes_.byte_size(); }

 private:
  void AppendBody(bool has_body, std::string_view any_value) {
    if (!has_body) {
      body_.AppendNull();
      body_type_.AppendNull();
      return;
    }
    // Nearly every body is one plain string.
    Cursor c(any_value);
    Cursor text(nullptr, nullptr);
    uint32_t tag;
    if (wire::ReadTag(&c, &tag) && tag == Tag(1, wire::kLen) && wire::ReadLen(&c, &text) && c.done()) {
      body_.Append(text.rest());
      body_type_.Append(BodyTypeName(ValueType::kString));
      return;
    }
    text_.clear();
    ValueType type = ValueType::kEmpty;
    const bool exact = AppendValueText(any_value, &text_, &type);
    if (type == ValueType::kEmpty) {
      body_.AppendNull();
    } else {
      body_.Append(text_);
    }
    if (exact) {
      body_type_.Append(BodyTypeName(type));
    } else {
      text_.assign(1, kExactPrefix);
      AppendBase64(any_value, &text_);
      body_type_.Append(text_);
    }
  }

  FixedColumn<int64_t> time_, observed_time_;
  FixedColumn<int32_t> severity_number_;
  DictionaryColumn severity_text_;
  TextColumn body_;
  DictionaryColumn body_type_, event_name_;
  TraceIdColumn trace_id_;
  SpanIdColumn span_id_;
  FixedColumn<uint32_t> flags_;
  AttributesColumn attributes_;
  ZeroedColumn<uint32_t> dropped_attributes_;
  std::string text_;
};

}  // namespace

std::unique_ptr<TableDecoder> MakeLogsDecoder(std::vector<PromotedAttribute> promoted, TableDecoder::BatchHandler on_batch,
                                              DecoderOptions options) {
  return std::make_unique<LogsDecoder>(std::move(promoted), std::move(on_batch), options);
}

}  // namespace otlp_arrow
