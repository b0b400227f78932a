"""The service, which knows the OpenTelemetry API alone.

SDK_MMAP_EXPORTER_FILE        an OTLP-MMAP file, which `otlp-arrow collect` drains; or
OTEL_EXPORTER_OTLP_ENDPOINT   an OTLP/gRPC endpoint
HTTP_ENDPOINT_PORT            where to listen; 5000 unless set
"""

from __future__ import annotations

import logging
import os
import random

import flask
from opentelemetry import metrics, trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor

from . import telemetry

PORT = "HTTP_ENDPOINT_PORT"

logger = logging.getLogger(__name__)


def port() -> int:
    text = os.environ.get(PORT, "5000")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SystemExit(f"{PORT} is {text!r}, and must be a port from 1 to 65535")
    return int(text)


def create_app() -> flask.Flask:
    """The instrumented service, for `gunicorn 'otlp_mmap_example_server.app:create_app()'` as well."""
    telemetry.configure()
    tracer = trace.get_tracer("otlp_mmap_example_server", "0.1.0")
    rolls = metrics.get_meter("otlp_mmap_example_server", "0.1.0").create_counter("dice.rolls", "{roll}", "dice that were rolled")
    app = flask.Flask("otlp_mmap_example_server")
    FlaskInstrumentor().instrument_app(app)  # type: ignore[no-untyped-call]

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
            rolls.add(1, {"dice.value": value})
            logger.info("%s rolled %d", player, value)
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
