// Rows of the traces table into Span messages.
#include <arrow/type.h>

#include "schema/attribute_writer.h"
#include "schema/field_reader.h"
#include "schema/row_writer.h"
#include "schema/schemas.h"

namespace otlp_arrow {
namespace {

using CountReader = NumberReader<arrow::UInt32Type>;

class EventWriter {
 public:
  Status Bind(const Columns& columns) {
    OTLP_RETURN_NOT_OK(columns.Bind("events", &events_));
    OTLP_ASSIGN_OR_RETURN(const Columns fields, Columns::OfElements(events_));
    OTLP_RETURN_NOT_OK(attributes_.Bind(fields, "attributes"));
    return BindAll(fields, Column("time", &time_), Column("name", &name_), Column("dropped_attributes_count", &dropped_attributes_count_));
  }

  Status Write(int64_t row, uint32_t field, wire::Writer* out) const {
    enum Field : uint32_t { kTime = 1, kName = 2, kAttributes = 3, kDroppedAttributesCount = 4 };
    const RowRange range = events_[row];
    for (int64_t i = range.begin; i < range.end; ++i) {
      const auto event = out->Begin(field);
      out->NonZeroFixed64(kTime, time_[i]);
      out->NonEmpty(kName, name_[i]);
      OTLP_RETURN_NOT_OK(attributes_.Write(i, kAttributes, out));
      out->NonZeroVarint(kDroppedAttributesCount, dropped_attributes_count_[i]);
      out->End(event);
    }
    return {};
  }

 private:
  ListReader events_;
  TimeReader time_;
  TextReader name_;
  AttributeWriter attributes_;
  CountReader dropped_attributes_count_;
};

class LinkWriter {
 public:
  Status Bind(const Columns& columns) {
    OTLP_RETURN_NOT_OK(columns.Bind("links", &links_));
    OTLP_ASSIGN_OR_RETURN(const Columns fields, Columns::OfElements(links_));
    OTLP_RETURN_NOT_OK(attributes_.Bind(fields, "attributes"));
    return BindAll(fields, Column("trace_id", &trace_id_), Column("span_id", &span_id_), Column("trace_state", &trace_state_),
                   Column("flags", &flags_), Column("dropped_attributes_count", &dropped_attributes_count_));
  }

  Status Write(int64_t row, uint32_t field, wire::Writer* out) const {
    enum Field : uint32_t { kTraceId = 1, kSpanId = 2, kTraceState = 3, kAttributes = 4, kDroppedAttributesCount = 5, kFlags = 6 };
    const RowRange range = links_[row];
    for (int64_t i = range.begin; i < range.end; ++i) {
      const auto link = out->Begin(field);
      OTLP_RETURN_NOT_OK(trace_id_.Write(i, kTraceId, out));
      OTLP_RETURN_NOT_OK(span_id_.Write(i, kSpanId, out));
      out->NonEmpty(kTraceState, trace_state_[i]);
      OTLP_RETURN_NOT_OK(attributes_.Write(i, kAttributes, out));
      out->NonZeroVarint(kDroppedAttributesCount, dropped_attributes_count_[i]);
      out->NonZeroFixed32(kFlags, flags_[i]);
      out->End(link);
    }
    return {};
  }

 private:
  ListReader links_;
  TraceIdReader trace_id_;
  SpanIdReader span_id_;
  TextReader trace_state_;
  CountReader flags_;
  AttributeWriter attributes_;
  CountReader dropped_attributes_count_;
};

class SpanWriter : public RowWriter {
 public:
  Status Bind(const Columns& columns) override {
    OTLP_RETURN_NOT_OK(attributes_.Bind(columns, "attributes"));
    OTLP_RETURN_NOT_OK(events_.Bind(columns));
    OTLP_RETURN_NOT_OK(links_.Bind(columns));
    return BindAll(columns, Column("trace_id", &trace_id_), Column("span_id", &span_id_), Column("parent_span_id", &parent_span_id_),
                   Column("trace_state", &trace_state_), Column("flags", &flags_), Column("name", &name_), Column("kind", &kind_),
                   Column("start_time", &start_time_), Column("end_time", &end_time_), Column("status_code", &status_code_),
                   Column("status_message", &status_message_), Column("dropped_attributes_count", &dropped_attributes_count_),
                   Column("dropped_events_count", &dropped_events_count_), Column("dropped_links_count", &dropped_links_count_));
  }

  Status Write(int64_t row, wire::Writer* out) override {
    enum Field : uint32_t {
      kTraceId = 1, kSpanId = 2, kTraceState = 3, kParentSpanId = 4, kName = 5, kKind = 6, kStartTime = 7, kEndTime = 8,
      kAttributes = 9, kDroppedAttributesCount = 10, kEvents = 11, kDroppedEventsCount = 12, kLinks = 13, kDroppedLinksCount = 14,
      kStatus = 15, kFlags = 16,
    };
    const auto span = out->Begin(kSpans, 2);
    OTLP_RETURN_NOT_OK(trace_id_.Write(row, kTraceId, out));
    OTLP_RETURN_NOT_OK(span_id_.Write(row, kSpanId, out));
    out->NonEmpty(kTraceState, trace_state_[row]);
    OTLP_RETURN_NOT_OK(parent_span_id_.Write(row, kParentSpanId, out));
    out->NonEmpty(kName, name_[row]);
    int32_t kind = 0;
    OTLP_RETURN_NOT_OK(kind_.Read(row, &kind));
    out->NonZeroInt32(kKind, kind);
    out->NonZeroFixed64(kStartTime, start_time_[row]);
    out->NonZeroFixed64(kEndTime, end_time_[row]);
    OTLP_RETURN_NOT_OK(attributes_.Write(row, kAttributes, out));
    out->NonZeroVarint(kDroppedAttributesCount, dropped_attributes_count_[row]);
    OTLP_RETURN_NOT_OK(events_.Write(row, kEvents, out));
    out->NonZeroVarint(kDroppedEventsCount, dropped_events_count_[row]);
    OTLP_RETURN_NOT_OK(links_.Write(row, kLinks, out));
    out->NonZeroVarint(kDroppedLinksCount, dropped_links_count_[row]);
    OTLP_RETURN_NOT_OK(WriteStatus(row, kStatus, out));
    out->NonZeroFixed32(kFlags, flags_[row]);
    out->End(span);
    return {};
  }

 private:
  static constexpr uint32_t kSpans = 2;  // of ScopeSpans

  Status WriteStatus(int64_t row, uint32_t field, wire::Writer* out) {
    enum Field : uint32_t { kMessage = 2, kCode = 3 };
    if (status_code_.IsNull(row)) return {};
    int32_t code = 0;
    OTLP_RETURN_NOT_OK(status_code_.Read(row, &code));
    const auto status = out->Begin(field);
    out->NonEmpty(kMessage, status_message_[row]);
    out->NonZeroInt32(kCode, code);
    out->End(status);
    return {};
  }

  TraceIdReader trace_id_;
  SpanIdReader span_id_;
  SpanIdReader parent_span_id_;
  TextReader trace_state_;
  CountReader flags_;
  TextReader name_;
  EnumReader kind_{SpanKindFromName};
  TimeReader start_time_;
  TimeReader end_time_;
  EnumReader status_code_{StatusCodeFromName};
  TextReader status_message_;
  AttributeWriter attributes_;
  CountReader dropped_attributes_count_;
  EventWriter events_;
  CountReader dropped_events_count_;
  LinkWriter links_;
  CountReader dropped_links_count_;
};

}  // namespace

std::unique_ptr<RowWriter> MakeSpanWriter() { return std::make_unique<SpanWriter>(); }

}  // namespace otlp_arrow
