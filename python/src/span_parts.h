// Parts of a span as they are written, whatever form they came in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "otlp_arrow/wire_writer.h"
#include "python_object.h"

namespace otlp_arrow::python {

// Field numbers of Span and what is in it.
// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
struct SpanField {
  enum : uint32_t {
    kTraceId = 1, kSpanId = 2, kTraceState = 3, kParentSpanId = 4, kName = 5, kKind = 6, kStart = 7, kEnd = 8,
    kAttributes = 9, kDroppedAttributes = 10, kEvents = 11, kDroppedEvents = 12, kLinks = 13, kDroppedLinks = 14,
    kStatus = 15, kFlags = 16
  };
};
struct EventField {
  enum : uint32_t { kTime = 1, kName = 2, kAttributes = 3, kDroppedAttributes = 4 };
};
struct LinkField {
  enum : uint32_t { kTraceId = 1, kSpanId = 2, kTraceState = 3, kAttributes = 4, kDroppedAttributes = 5, kFlags = 6 };
};

// Bits of a span's and a link's flags: whether the other context came from another process is known, and is so.
inline constexpr uint32_t kHasIsRemote = 0x100;
inline constexpr uint32_t kIsRemote = 0x200;

inline constexpr size_t kTraceIdSize = 16;
inline constexpr size_t kSpanIdSize = 8;

// The SDK's SpanContext, or anything with its attributes.
struct ContextParts {
  nb::object trace_id;
  nb::object span_id;
  nb::object trace_state;
  bool is_remote = false;
};
ContextParts ReadContext(PyObject* context);

// An int as the bytes of a trace or span id.
void WriteId(wire::Writer* out, uint32_t field, PyObject* id, size_t size, const char* name);

inline uint32_t RemoteFlags(bool is_remote) { return is_remote ? kHasIsRemote | kIsRemote : kHasIsRemote; }

// "k=v,k=v" of a TraceState, another mapping or a text; nothing for None.
std::string TraceStateText(PyObject* trace_state);
// OTLP's number of a SpanKind; None is 0, unspecified.
int32_t KindNumber(PyObject* kind);
// The field Status with its tag, out of a Status; nothing for None.
std::string StatusMessage(PyObject* status);
// The same out of a code (0, 1, 2) and a message.
std::string StatusMessage(int32_t code, std::string_view message);

// Event and Link objects of the SDK, or what has their attributes.
void WriteSdkEvent(wire::Writer* out, PyObject* event);
void WriteSdkLink(wire::Writer* out, PyObject* link);

}  // namespace otlp_arrow::python
