"""Carries the spans of the OpenTelemetry SDK into an OTLP-MMAP file as they begin and end, and so past the end of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from otlp_arrow_library.mmap import MmapExporter

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanContext


def _ids(context: SpanContext) -> tuple[bytes, bytes]:
    return context.trace_id.to_bytes(16, "big"), context.span_id.to_bytes(8, "big")


class MmapSpanProcessor(SpanProcessor):
    """Records a span when it starts, and what changed when it ends: name, attributes, events, links and status."""

    def __init__(self, exporter: MmapExporter) -> None:
        self._exporter = exporter
        self._scopes: dict[tuple[object, object], int] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        context = span.get_span_context()
        if context is None or not context.trace_flags.sampled:
            return
        parent = span.parent.span_id.to_bytes(8, "big") if span.parent else None
        self._exporter.record_span_start(
            self._scope(span), *_ids(context), parent, context.trace_flags, span.name, span.kind, span.start_time or 0, span.attributes,
            trace_state=context.trace_state.to_header(),
        )

    def on_end(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        if context is None or not context.trace_flags.sampled:
            return
        scope, (trace_id, span_id) = self._scope(span), _ids(context)
        record = self._exporter
        record.record_span_name(scope, trace_id, span_id, span.name)
        record.record_span_attributes(scope, trace_id, span_id, span.attributes)
        for link in span.links:
            record.record_span_link(scope, trace_id, span_id, *_ids(link.context), link.attributes, flags=link.context.trace_flags)
        for event in span.events:
            name = record.record_string(event.name)
            record.record_event(scope, {"trace_id": trace_id, "span_id": span_id}, name, event.timestamp, event.attributes)
        status = span.status
        record.record_span_end(
            scope, trace_id, span_id, span.end_time or 0, status_code=status.status_code, status_message=status.description
        )

    def shutdown(self) -> None:
        self._exporter.close()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return True  # what was recorded is in the file already

    def _scope(self, span: ReadableSpan) -> int:
        resource, scope = span.resource, span.instrumentation_scope
        key = (id(resource), scope)
        ref = self._scopes.get(key)
        if ref is None:
            resource_ref = self._exporter.create_resource(resource.attributes, resource.schema_url)
            name, version = (scope.name, scope.version) if scope else ("", None)
            ref = self._exporter.create_instrumentation_scope(resource_ref, name, version, schema_url=scope.schema_url if scope else None)
            self._scopes[key] = ref
        return ref
