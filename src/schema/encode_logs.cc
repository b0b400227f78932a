// Rows of the logs table into LogRecord messages.
#include <optional>
#include <utility>

#include <arrow/type.h>

#include "base/base64.h"
#include "schema/any_value_text.h"
#include "schema/attribute_writer.h"
#include "schema/field_reader.h"
#include "schema/row_writer.h"
#include "schema/schemas.h"

namespace otlp_arrow {
namespace {

// The names that body_type has for the types of a body.
std::optional<ValueType> BodyTypeFromName(std::string_view name) {
  constexpr std::pair<std::string_view, ValueType> kNames[] = {
      {"STRING", ValueType::kString}, {"BOOL", ValueType::kBool},   {"INT", ValueType::kInt},    {"DOUBLE", ValueType::kDouble},
      {"BYTES", ValueType::kBytes},   {"ARRAY", ValueType::kArray}, {"KVLIST", ValueType::kMap}, {"EMPTY", ValueType::kEmpty}};
  for (const auto& [known, type] : kNames) {
    if (known == name) return type;
  }
  return std::nullopt;
}

// Body and body_type into LogRecord.body.
class BodyWriter {
 public:
  Status Bind(const Columns& columns) { return BindAll(columns, Column("body", &body_), Column("body_type", &type_)); }

  Status Write(int64_t row, uint32_t field, wire::Writer* out) const {
    const std::string_view name = type_[row];
    if (name.empty()) {
      if (!body_.IsNull(row)) WriteText(body_[row], field, out);
      return {};
    }
    const auto body = out->Begin(field);
    if (name.front() == kExactPrefix) {
      OTLP_RETURN_NOT_OK(WriteExact(name.substr(1), out));
    } else {
      const auto type = BodyTypeFromName(name);
      if (!type) return UnreadableText("body_type", name, "one of STRING, BOOL, INT, DOUBLE, BYTES, ARRAY, KVLIST, EMPTY");
      if (!AppendAnyValue(*type, body_[row], out)) {
        return UnreadableText("body", body_[row], "of the type " + std::string(name) + " that body_type says");
      }
    }
    out->End(body);
    return {};
  }

 private:
  static void WriteText(std::string_view text, uint32_t field, wire::Writer* out) {
    const auto body = out->Begin(field);
    (void)AppendAnyValue(ValueType::kString, text, out);
    out->End(body);
  }

  static Status WriteExact(std::string_view base64, wire::Writer* out) {
    static thread_local std::string value;
    value.clear();
    if (!AppendFromBase64(base64, &value)) return UnreadableText("body_type", base64, "the base64 of an AnyValue message");
    out->Raw(value);
    return {};
  }

  TextReader body_;
  TextReader type_;
};

class LogRecordWriter : public RowWriter {
 public:
  Status Bind(const Columns& columns) override {
    OTLP_RETURN_NOT_OK(body_.Bind(columns));
    OTLP_RETURN_NOT_OK(attributes_.Bind(columns, "attributes"));
    return BindAll(columns, Column("time", &time_), Column("observed_time", &observed_time_),
                   Column("severity_number", &severity_number_), Column("severity_text", &severity_text_),
                   Column("event_name", &event_name_), Column("trace_id", &trace_id_), Column("span_id", &span_id_),
                   Column("flags", &flags_), Column("dropped_attributes_count", &dropped_attributes_count_));
  }

  Status Write(int64_t row, wire::Writer* out) override {
    enum Field : uint32_t {
      kTime = 1, kSeverityNumber = 2, kSeverityText = 3, kBody = 5, kAttributes = 6, kDroppedAttributesCount = 7, kFlags = 8,
      kTraceId = 9, kSpanId = 10, kObservedTime = 11, kEventName = 12,
    };
    const auto record = out->Begin(kLogRecords, 2);
    out->NonZeroFixed64(kTime, time_[row]);
    out->NonZeroInt32(kSeverityNumber, severity_number_[row]);
    out->NonEmpty(kSeverityText, severity_text_[row]);
    OTLP_RETURN_NOT_OK(body_.Write(row, kBody, out));
    OTLP_RETURN_NOT_OK(attributes_.Write(row, kAttributes, out));
    out->NonZeroVarint(kDroppedAttributesCount, dropped_attributes_count_[row]);
    out->NonZeroFixed32(kFlags, flags_[row]);
    OTLP_RETURN_NOT_OK(trace_id_.Write(row, kTraceId, out));
    OTLP_RETURN_NOT_OK(span_id_.Write(row, kSpanId, out));
    out->NonZeroFixed64(kObservedTime, observed_time_[row]);
    out->NonEmpty(kEventName, event_name_[row]);
    out->End(record);
    return {};
  }

 private:
  static constexpr uint32_t kLogRecords = 2;  // of ScopeLogs

  TimeReader time_;
  TimeReader observed_time_;
  NumberReader<arrow::Int32Type> severity_number_;
  TextReader severity_text_;
  BodyWriter body_;
  AttributeWriter attributes_;
  NumberReader<arrow::UInt32Type> dropped_attributes_count_;
  NumberReader<arrow::UInt32Type> flags_;
  TraceIdReader trace_id_;
  SpanIdReader span_id_;
  TextReader event_name_;
};

}  // namespace

std::unique_ptr<RowWriter> MakeLogRecordWriter() { return std::make_unique<LogRecordWriter>(); }

}  // namespace otlp_arrow
