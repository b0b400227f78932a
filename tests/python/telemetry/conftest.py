"""Every test of the tracing API runs over our TracerProvider and over the OpenTelemetry SDK's."""

from __future__ import annotations

import pytest
from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


class Provided:
    """A global TracerProvider, and what was recorded with it."""

    def __init__(self, provider):
        from otlp_arrow_library.telemetry import SimpleSpanProcessor

        self.provider = provider
        self._exporter = InMemorySpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def spans(self):
        """By name; as `Span` of the tracing API."""
        from otlp_arrow_library.telemetry import Span

        return {span.name: Span.of(span) for span in self._exporter.get_finished_spans()}

    @property
    def names(self):
        """In the order in which the spans ended."""
        return [span.name for span in self._exporter.get_finished_spans()]


def make_provider(kind, tmp_path):
    if kind == "stock":
        from opentelemetry.sdk.trace import TracerProvider

        return TracerProvider(shutdown_on_exit=False)
    from otlp_arrow_library.sdk import TracerProvider as OurTracerProvider

    return OurTracerProvider(mmap_file=tmp_path / "spans.mmap", shutdown_on_exit=False)


@pytest.fixture(params=["ours", "stock"])
def provided(request, tmp_path, monkeypatch):
    provided = Provided(make_provider(request.param, tmp_path))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provided.provider)
    token = context_api.attach(context_api.Context())
    yield provided
    context_api.detach(token)
    provided.provider.shutdown()


@pytest.fixture(autouse=True)
def no_complaints(caplog):
    """Nothing may be said of contexts that could not be detached."""
    yield
    assert "Failed to detach context" not in caplog.text
