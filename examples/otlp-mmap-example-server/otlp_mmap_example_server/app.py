"""The service, and where its telemetry goes.

SDK_MMAP_EXPORTER_FILE        an OTLP-MMAP file, which `otlp-arrow collect` drains; or
OTEL_EXPORTER_OTLP_ENDPOINT   an OTLP/gRPC endpoint
HTTP_ENDPOINT_PORT            where to listen; 5000 unless set
"""

from __future__ import annotations

import os
import random
import sys

import flask
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

FILE, ENDPOINT, PORT = "SDK_MMAP_EXPORTER_FILE", "OTEL_EXPORTER_OTLP_ENDPOINT", "HTTP_ENDPOINT_PORT"


def span_processor() -> SpanProcessor | None:
    """What the environment asks for; the file goes before the endpoint."""
    if path := os.environ.get(FILE):
        from otlp_arrow_library.mmap import MmapExporter

        from .mmap_processor import MmapSpanProcessor

        return MmapSpanProcessor(MmapExporter(path))
    if os.environ.get(ENDPOINT):
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return BatchSpanProcessor(OTLPSpanExporter())  # reads the endpoint itself
    return None


def port() -> int:
    text = os.environ.get(PORT, "5000")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SystemExit(f"{PORT} is {text!r}, and must be a port from 1 to 65535")
    return int(text)


def create_app() -> flask.Flask:
    """The instrumented service, for `gunicorn 'otlp_mmap_example_server.app:create_app()'` as well."""
    provider = TracerProvider(resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "otlp-mmap-example-server")}))
    processor = span_processor()
    if processor is None:
        print(f"telemetry goes nowhere: neither {FILE} nor {ENDPOINT} is set", file=sys.stderr)
    else:
        provider.add_span_processor(processor)
    tracer = provider.get_tracer("otlp_mmap_example_server", "0.1.0")
    app = flask.Flask("otlp_mmap_example_server")
    FlaskInstrumentor().instrument_app(app, tracer_provider=provider)  # type: ignore[no-untyped-call]

    @app.get("/")
    def hello() -> str:
        return "Hello. Try /rolldice or /rolldice/<player>.\n"

    @app.get("/rolldice")
    @app.get("/rolldice/<player>")
    def roll_dice(player: str = "somebody") -> dict[str, object]:
        with tracer.start_as_current_span("roll") as span:
            value = random.randint(1, 6)
            span.set_attributes({"dice.player": player, "dice.value": value})
            span.add_event("rolled", {"value": value})
        return {"player": player, "value": value}

    @app.get("/crash")
    def crash() -> str:
        trace.get_current_span().set_attribute("last.words", "goodbye")
        os._exit(70)

    return app


def main() -> None:
    create_app().run(host="0.0.0.0", port=port())


if __name__ == "__main__":
    main()
