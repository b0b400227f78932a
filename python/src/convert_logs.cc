#include "convert.h"
#include "convert_dicts.h"
#include "convert_groups.h"
#include "convert_items.h"
#include "convert_values.h"

namespace otlp_arrow::python {
namespace {

// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto
struct LogField {
  enum : uint32_t {
    kTime = 1, kSeverityNumber = 2, kSeverityText = 3, kBody = 5, kAttributes = 6, kDroppedAttributes = 7, kFlags = 8,
    kTraceId = 9, kSpanId = 10, kObservedTime = 11, kEventName = 12
  };
};

constexpr size_t kTraceIdSize = 16;
constexpr size_t kSpanIdSize = 8;
constexpr int32_t kHighestSeverity = 24;

inline const Name kLogRecord{"log_record"}, kResource{"resource"}, kScope{"scope"}, kInstrumentationScope{"instrumentation_scope"};
inline const Name kTimestamp{"timestamp"}, kTimeNano{"time_unix_nano"}, kObserved{"observed_timestamp"}, kObservedNano{"observed_time_unix_nano"};
inline const Name kTraceId{"trace_id"}, kSpanId{"span_id"}, kTraceFlags{"trace_flags"}, kFlags{"flags"}, kBody{"body"};
inline const Name kSeverityNumber{"severity_number"}, kSeverityText{"severity_text"}, kAttributes{"attributes"}, kEventName{"event_name"};
inline const Name kDropped{"dropped_attributes"}, kDroppedCount{"dropped_attributes_count"}, kValue{"value"};

inline const Key kTimeKey{kTimeNano, &kTimestamp}, kObservedKey{kObservedNano, &kObserved}, kTraceIdKey{kTraceId}, kSpanIdKey{kSpanId};
inline const Key kFlagsKey{kFlags, &kTraceFlags}, kBodyKey{kBody}, kSeverityNumberKey{kSeverityNumber}, kSeverityTextKey{kSeverityText};
inline const Key kAttributesKey{kAttributes}, kEventNameKey{kEventName}, kResourceKey{kResource}, kScopeKey{kScope, &kInstrumentationScope};
inline const Key kDroppedKey{kDroppedCount, &kDropped};

constexpr const char* kTaken = "an iterable of log records of the OpenTelemetry SDK or dictionaries (a single record goes to export_log)";

int32_t SeverityOf(PyObject* severity) {
  if (severity == Py_None) return 0;
  const nb::object value = IsInt(severity) ? nb::borrow(severity) : OptionalAttr(severity, kValue);
  if (value.is_valid()) {
    const int32_t number = ToInt32(value.ptr(), "severity_number");
    if (number >= 0 && number <= kHighestSeverity) return number;
  }
  throw Fault("severity_number is " + ShortRepr(severity) + " (" + TypeName(severity) + "), and must be a SeverityNumber, an int of 0 to 24 or None");
}

// The SDK's 0 means that there is no span.
void WriteSdkId(wire::Writer* out, uint32_t field, PyObject* id, size_t size, const char* name) {
  if (id == Py_None || (PyLong_Check(id) && PyObject_Not(id) == 1)) return;
  ToBigEndian(id, reinterpret_cast<uint8_t*>(out->BytesRoom(field, size)), size, name);
}

// What a record has in either form.
struct Parts {
  uint64_t time = 0, observed_time = 0;
  PyObject *severity_number, *severity_text, *body, *attributes, *event_name;
  uint32_t dropped_attributes = 0, flags = 0;
};

void WriteParts(wire::Writer* out, const Parts& parts) {
  out->NonZeroFixed64(LogField::kTime, parts.time);
  out->NonZeroFixed64(LogField::kObservedTime, parts.observed_time);
  out->NonZeroInt32(LogField::kSeverityNumber, SeverityOf(parts.severity_number));
  out->NonEmpty(LogField::kSeverityText, TextOf(parts.severity_text).view());
  WriteAnyValue(out, LogField::kBody, parts.body);
  WriteAttributes(out, LogField::kAttributes, parts.attributes);
  out->NonZeroVarint(LogField::kDroppedAttributes, parts.dropped_attributes);
  out->NonZeroFixed32(LogField::kFlags, parts.flags);
  out->NonEmpty(LogField::kEventName, TextOf(parts.event_name).view());
}

// ReadableLogRecord and ReadWriteLogRecord, which hold a LogRecord; older SDKs' LogData; a LogRecord alone.
void WriteSdkRecord(GroupedRequest* request, PyObject* readable) {
  nb::object record = OptionalAttr(readable, kLogRecord);
  if (!record.is_valid()) record = nb::borrow(readable);
  const nb::object body = OptionalAttr(record.ptr(), kBody);
  if (!body.is_valid()) {
    throw Fault("got " + ShortRepr(readable) + " (" + TypeName(readable) + "); a log record is a ReadableLogRecord of the OpenTelemetry SDK or a dictionary");
  }
  nb::object resource = AttrOrNone(readable, kResource);
  if (resource.is_none()) resource = AttrOrNone(record.ptr(), kResource);
  const nb::object scope = AttrOrNone(readable, kInstrumentationScope);
  const nb::object severity_number = AttrOrNone(record.ptr(), kSeverityNumber);
  const nb::object severity_text = AttrOrNone(record.ptr(), kSeverityText);
  const nb::object attributes = AttrOrNone(record.ptr(), kAttributes);
  const nb::object event_name = AttrOrNone(record.ptr(), kEventName);

  wire::Writer* out = request->For(resource.ptr(), scope.ptr());
  const auto message = out->Begin(GroupedRequest::kItemsField, 2);
  WriteSdkId(out, LogField::kTraceId, AttrOrNone(record.ptr(), kTraceId).ptr(), kTraceIdSize, "trace_id");
  WriteSdkId(out, LogField::kSpanId, AttrOrNone(record.ptr(), kSpanId).ptr(), kSpanIdSize, "span_id");
  WriteParts(out, {ToUint64(AttrOrNone(record.ptr(), kTimestamp).ptr(), "timestamp"),
                   ToUint64(AttrOrNone(record.ptr(), kObserved).ptr(), "observed_timestamp"), severity_number.ptr(), severity_text.ptr(),
                   body.ptr(), attributes.ptr(), event_name.ptr(), DroppedAttributes(attributes.ptr()),
                   ToUint32(AttrOrNone(record.ptr(), kTraceFlags).ptr(), "trace_flags")});
  out->End(message);
}

void WriteRecordDict(GroupedRequest* request, PyObject* record) {
  // Of our own: values run Python code when they are written, and that may change the dictionary.
  const nb::object copy = nb::steal(PyDict_Copy(record));
  if (!copy.is_valid()) throw nb::python_error();
  const DictView dict(copy.ptr(), "the dictionary",
                      {&kTimeKey, &kObservedKey, &kSeverityNumberKey, &kSeverityTextKey, &kBodyKey, &kAttributesKey, &kTraceIdKey, &kSpanIdKey,
                       &kFlagsKey, &kEventNameKey, &kResourceKey, &kScopeKey, &kDroppedKey});
  wire::Writer* out = request->For(dict.Get(kResourceKey), dict.Get(kScopeKey));
  const auto message = out->Begin(GroupedRequest::kItemsField, 2);
  WriteAnyId(out, LogField::kTraceId, dict.Get(kTraceIdKey), kTraceIdSize, "trace_id");
  WriteAnyId(out, LogField::kSpanId, dict.Get(kSpanIdKey), kSpanIdSize, "span_id");
  WriteParts(out, {TimeOf(dict.Get(kTimeKey), "time_unix_nano"), TimeOf(dict.Get(kObservedKey), "observed_time_unix_nano"),
                   dict.Get(kSeverityNumberKey), dict.Get(kSeverityTextKey), dict.Get(kBodyKey), dict.Get(kAttributesKey),
                   dict.Get(kEventNameKey), dict.Uint32(kDroppedKey), dict.Uint32(kFlagsKey)});
  out->End(message);
}

}  // namespace

std::string ConvertLogs(nb::handle records) {
  static SizeGuess guess;
  const size_t expected = ExpectedItems(records.ptr());
  GroupedRequest request(guess.For(expected));
  ForEachItem(records.ptr(), "log record", kTaken, [&](PyObject* record) {
    PyDict_Check(record) ? WriteRecordDict(&request, record) : WriteSdkRecord(&request, record);
  });
  std::string bytes = request.Finish();
  guess.Learn(expected, bytes.size());
  return bytes;
}

}  // namespace otlp_arrow::python
