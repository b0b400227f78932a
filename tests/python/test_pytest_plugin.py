"""The pytest plugin, in test runs of its own, which find it by its entry point."""

from __future__ import annotations

import importlib
import pathlib
import subprocess
import sys
import tomllib

import pytest

pytest_plugins = "pytester"

RECORDS = """
    import polars
    import pyarrow as pa
    from opentelemetry._logs import LogRecord
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    def record(span_exporter, metric_exporter, log_exporter):
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(span_exporter))
        with tracers.get_tracer("app").start_as_current_span("GET /", attributes={"http.response.status_code": 200}):
            pass
        meters = MeterProvider([PeriodicExportingMetricReader(metric_exporter, 3_600_000)])
        meters.get_meter("app").create_counter("requests").add(2)
        loggers = LoggerProvider()
        loggers.add_log_record_processor(SimpleLogRecordProcessor(log_exporter))
        loggers.get_logger("app").emit(LogRecord(body="hello"))
        for provider in (tracers, meters, loggers):
            provider.shutdown()

    def check(spans, metrics, logs):
        assert spans.one("GET /").attributes == {"http.response.status_code": 200}
        assert metrics.one("requests").value == 2
        assert logs.one().body == "hello"
        assert pa.table(spans)["http.response.status_code"].to_pylist() == [200]
        assert pa.table(metrics)["value_int"].to_pylist() == [2]
        assert polars.DataFrame(logs)["body"].to_list() == ["hello"]
"""


@pytest.fixture
def run(pytester: pytest.Pytester):
    def run_tests(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(records=RECORDS)
        pytester.makepyfile(source)
        return pytester.runpytest_subprocess("--strict-markers", *arguments, timeout=50)

    return run_tests


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_fixtures_hand_over_what_the_sdk_sends(run, protocol):
    exporters = f"opentelemetry.exporter.otlp.proto.{protocol}"
    result = run(f"""
        import os
        import pytest
        from {exporters}._log_exporter import OTLPLogExporter
        from {exporters}.metric_exporter import OTLPMetricExporter
        from {exporters}.trace_exporter import OTLPSpanExporter
        from records import check, record

        @pytest.mark.otlp("{protocol}")
        def test_from_the_environment(otlp_environment, otlp_spans, otlp_metrics, otlp_logs):
            assert os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] == otlp_environment["OTEL_EXPORTER_OTLP_ENDPOINT"]
            record(OTLPSpanExporter(), OTLPMetricExporter(), OTLPLogExporter())
            check(otlp_spans, otlp_metrics, otlp_logs)

        def test_each_test_starts_with_nothing(otlp_service, otlp_spans):
            assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in os.environ
            otlp_service.assert_traces_received(0)
            assert len(otlp_spans) == 0
    """)
    result.assert_outcomes(passed=2)


def test_what_is_missing_fails_the_test_with_what_came(run):
    result = run("""
        def test_missing(otlp_service, otlp_spans):
            otlp_service.receive_trace({"name": "other", "trace_id": "0" * 31 + "1", "span_id": "0" * 15 + "1"})
            otlp_spans.one("GET /")
    """)
    result.assert_outcomes(failed=1)
    assert "expected one span called 'GET /', received 0; all that came: ['other']" in result.stdout.str()


def test_an_unknown_protocol_is_told(run):
    result = run("""
        import pytest

        @pytest.mark.otlp(protocol="flight")
        def test_flight(otlp_environment):
            pass
    """)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the protocol 'flight' is unknown; allowed are \"grpc\" and \"http\"*"])


def test_fixtures_and_the_marker_say_what_they_are(run):
    fixtures = run("", "--fixtures").stdout.str()
    for name in ("otlp_service", "otlp_environment", "otlp_spans", "otlp_metrics", "otlp_logs"):
        assert f"{name} --" in fixtures or f"\n{name}" in fixtures
    assert "@pytest.mark.otlp(protocol)" in run("", "--markers").stdout.str()


def test_loading_the_plugin_imports_nothing_heavy():
    program = "import sys, otlp_arrow_library.pytest_plugin; print([m for m in sys.modules if m.startswith(('opentelemetry', 'pyarrow', 'grpc')) or m.endswith('_service')])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


def test_the_package_declares_plugin_and_script():
    project = tomllib.loads((pathlib.Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    module = importlib.import_module(project["entry-points"]["pytest11"]["otlp_arrow"])
    assert callable(module.otlp_service)
    name, _, function = project["scripts"]["otlp-arrow"].partition(":")
    assert callable(getattr(importlib.import_module(name), function))
