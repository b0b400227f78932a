"""configure(), and programs that are recorded by environment variables alone."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import drained
import programs
import pytest

APP = pathlib.Path(__file__).parents[1] / "zero_code_app.py"
INSTRUMENT = pathlib.Path(sys.executable).with_name("opentelemetry-instrument")
SIGNALS = ("traces", "metrics", "logs")

# Records one thing of each signal with the API alone.
RECORD = """
import logging, sys
from opentelemetry import _logs, metrics, trace
from otlp_arrow_library import sdk
def record(name):
    with trace.get_tracer("t").start_as_current_span(name):
        _logs.get_logger("t").emit(_logs.LogRecord(body=name))
    metrics.get_meter("t").create_counter(name).add(1)
"""


def environment(**variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SDK_MMAP"))}
    return {**kept, **{name: str(value) for name, value in variables.items()}}


def run(code, *arguments, **variables):
    return programs.run(RECORD + code, *arguments, env=environment(**variables))


def names_of_all(directory):
    """Of spans, metrics (of which each flush makes a point) and log records."""
    traces, metrics, logs = (drained.names(directory, signal) for signal in SIGNALS)
    return [traces, sorted(set(metrics)), logs]


def test_a_directory_in_one_line(directory):
    done = run('sdk.configure(output_dir=sys.argv[1], service_name="shop"); record("one")', directory, OTEL_SERVICE_NAME="not this")
    assert done.stderr == "" and names_of_all(directory) == [["one"]] * 3
    for signal in SIGNALS:
        assert {row["service_name"] for row in drained.rows(directory, signal)} == {"shop"}
    (span,), (log,) = drained.rows(directory), drained.rows(directory, "logs")
    assert (log["trace_id"], log["span_id"]) == (span["trace_id"], span["span_id"])


def test_a_ring_file(tmp_path):
    done = run('sdk.configure(sys.argv[1], resource={"shelf": 7}); record("one")', tmp_path / "ring.mmap", OTEL_SERVICE_NAME="shop")
    assert done.stderr == ""
    directory = drained.drain(tmp_path / "ring.mmap")
    assert names_of_all(directory) == [["one"]] * 3
    (span,) = drained.rows(directory)
    resource = dict(span["resource_attributes"])
    assert resource["shelf"] == "7" and span["service_name"] == "shop" and resource["telemetry.sdk.name"] == "otlp_arrow_library"


@pytest.mark.parametrize("kind", ["library", "recorder"])
def test_what_the_caller_opened_stays_open(directory, tmp_path, kind):
    code = """
from otlp_arrow_library import OtlpLibrary
made = OtlpLibrary(output_dir=sys.argv[1]) if sys.argv[2] == "library" else sdk.Recorder.open_file(sys.argv[3])
configuration = sdk.configure(**{sys.argv[2]: made})
record("one")
assert configuration.force_flush()
configuration.shutdown()
assert not made.is_shut_down
made.shutdown()
"""
    run(code, directory, kind, tmp_path / "ring.mmap")
    where = directory if kind == "library" else drained.drain(tmp_path / "ring.mmap")
    assert names_of_all(where) == [["one"]] * 3


@pytest.mark.parametrize("variable", ["SDK_MMAP_EXPORTER_FILE", "OTLP_OUTPUT_DIR"])
def test_the_environment_names_the_place(tmp_path, variable):
    run('sdk.configure(); record("one")', **{variable: tmp_path / "place"})
    directory = drained.drain(tmp_path / "place") if "MMAP" in variable else tmp_path / "place"
    assert names_of_all(directory) == [["one"]] * 3


def test_signals_that_are_switched_off(tmp_path):
    code = """
configuration = sdk.configure(output_dir=sys.argv[1], metrics=False)
assert configuration.meter_provider is None and configuration.logger_provider is None
assert trace.get_tracer_provider() is configuration.tracer_provider
record("one")
"""
    run(code, tmp_path, OTEL_LOGS_EXPORTER="none")
    assert names_of_all(tmp_path) == [["one"], [], []]


def test_the_sdk_is_disabled(tmp_path):
    code = """
configuration = sdk.configure(output_dir=sys.argv[1])
assert configuration.tracer_provider is None and configuration.force_flush()
record("one")
configuration.shutdown()
"""
    assert run(code, tmp_path / "telemetry", OTEL_SDK_DISABLED="True").stderr == ""
    assert not (tmp_path / "telemetry").exists()


def test_a_second_call_changes_nothing(directory):
    code = """
first = sdk.configure(output_dir=sys.argv[1])
assert sdk.configure(output_dir=sys.argv[1] + ".other") is first
record("one")
"""
    done = run(code, directory)
    assert "a second time" in done.stderr and names_of_all(directory) == [["one"]] * 3
    assert not pathlib.Path(f"{directory}.other").exists()


def test_a_provider_that_was_set_before_stays(directory):
    code = """
from opentelemetry.sdk.trace import TracerProvider
before = TracerProvider()
trace.set_tracer_provider(before)
configuration = sdk.configure(output_dir=sys.argv[1])
assert configuration.tracer_provider is None and trace.get_tracer_provider() is before
record("one")
"""
    done = run(code, directory)
    assert "provider of traces already (TracerProvider)" in done.stderr and names_of_all(directory) == [[], ["one"], ["one"]]


def test_options_reach_their_providers(directory):
    code = """
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from otlp_arrow_library.telemetry import SimpleSpanProcessor, ExportResult
class Shows:
    def export(self, spans): print("exported", *(span.name for span in spans)); return ExportResult.SUCCESS
    def shutdown(self): print("shut down")
sdk.configure(
    output_dir=sys.argv[1], span_processors=[SimpleSpanProcessor(Shows())], span_limits=sdk.SpanLimits(max_span_attributes=1),
    views=[sdk.View(instrument_name="one", name="renamed")], temporality="delta", logging_level="WARNING",
)
record("one")
trace.get_tracer("t").start_span("limited", attributes={"a": 1, "b": 2}).end()
logging.getLogger("app").warning("careful")
logging.getLogger("app").info("no matter")
"""
    done = run(code, directory)
    assert done.stdout == "exported one\nexported limited\nshut down\n"
    assert names_of_all(directory) == [["limited", "one"], ["renamed"], ["careful", "one"]]
    assert drained.rows(directory, "metrics")[0]["aggregation_temporality"] == "DELTA"
    limited = next(row for row in drained.rows(directory) if row["name"] == "limited")
    assert len(limited["attributes"]) == 1 and limited["dropped_attributes_count"] == 1


def test_a_sampler_of_the_environment(directory):
    run('sdk.configure(output_dir=sys.argv[1]); record("one")', directory, OTEL_TRACES_SAMPLER="always_off")
    assert names_of_all(directory) == [[], ["one"], ["one"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("mmap_file='a', output_dir='b'", "mmap_file and output_dir are given"),
        ("service_name=''", "service_name: ''"),
        ("output_dir='x', logging_level='loud'", "logging_level: 'loud'"),
        ("output_dir='x', sampler=7", "sampler"),
        ("mmap_file='/nowhere/at/all'", "/nowhere/at/all"),
        ("output_dir='x', temporality='sometimes'", "sometimes"),
    ],
)
def test_arguments_that_cannot_be(tmp_path, arguments, message):
    """They are told, nothing is set, and the program may do better."""
    code = f"""
import os; os.chdir(sys.argv[1])
try:
    sdk.configure({arguments})
except (Exception,) as error:
    print(type(error).__name__, error)
sdk.configure(output_dir="better")
record("one")
"""
    done = run(code, tmp_path)
    assert message in done.stdout and names_of_all(tmp_path / "better") == [["one"]] * 3


def test_without_the_api(tmp_path):
    """The package itself needs no OpenTelemetry; what does says how to get it."""
    done = programs.run(
        """
        import sys
        sys.modules["opentelemetry"] = sys.modules["opentelemetry.trace"] = None
        import otlp_arrow_library
        for name in ("sdk", "telemetry"):
            try:
                __import__(f"otlp_arrow_library.{name}")
            except ImportError as error:
                print(error)
        """
    )
    assert done.stdout.count("pip install 'otlp-arrow-library[sdk]'") == 2


# --- programs that know nothing of it ---


def instrumented(*program, **variables):
    command = [str(part) for part in (INSTRUMENT, sys.executable, *program)]
    return subprocess.run(command, env=environment(**variables), capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("variable", ["OTEL_PYTHON_CONFIGURATOR", "OTEL_PYTHON_DISTRO"])
def test_flask_and_requests_without_a_line_of_code(tmp_path, variable):
    done = instrumented(APP, **{variable: "otlp_arrow", "OTLP_OUTPUT_DIR": tmp_path, "OTEL_SERVICE_NAME": "shop"})
    assert done.returncode == 0, done.stderr
    spans = drained.rows(tmp_path)
    by_name = {(span["kind"], span["name"]): span for span in spans}
    served = by_name["SERVER", "GET /price/<item>"]
    asked = next(span for span in spans if span["span_id"] == served["parent_span_id"])
    assert asked["kind"] == "CLIENT" and asked["trace_id"] == served["trace_id"] and len(spans) == 4
    assert by_name["SERVER", "GET /broken"]["status_code"] == "ERROR"
    resource = dict(served["resource_attributes"])
    assert served["service_name"] == "shop" and resource["telemetry.sdk.name"] == "otlp_arrow_library" and resource["telemetry.auto.version"]
    metrics, logs = drained.rows(tmp_path, "metrics"), drained.rows(tmp_path, "logs")
    assert {"http.server.duration", "http.client.duration"} <= {row["metric_name"] for row in metrics}
    price = next(log for log in logs if log["body"] == "price of apple")
    assert (price["trace_id"], price["span_id"]) == (served["trace_id"], served["span_id"])
    assert any("the shelf fell down" in str(log["attributes"]) for log in logs)


def test_a_program_runs_though_nothing_can_be_recorded(tmp_path):
    (tmp_path / "file").write_text("no directory")
    done = instrumented("-c", "print('I run')", OTEL_PYTHON_CONFIGURATOR="otlp_arrow", OTLP_OUTPUT_DIR=tmp_path / "file")
    assert done.returncode == 0 and done.stdout == "I run\n" and str(tmp_path / "file") in done.stderr


def test_installing_it_changes_nothing(tmp_path):
    """Without a variable that names ours, the configurator and the distro of another package do their work."""
    program = "from opentelemetry import trace; import os; print(type(trace.get_tracer_provider()).__module__, os.environ['OTEL_TRACES_EXPORTER'])"
    done = instrumented("-c", program, OTEL_TRACES_EXPORTER="console", OTEL_METRICS_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
    assert done.returncode == 0 and done.stdout == "opentelemetry.sdk.trace console\n"
    defaults = instrumented("-c", program.replace("['OTEL_TRACES_EXPORTER']", ".get('OTEL_EXPORTER_OTLP_PROTOCOL')"), OTEL_METRICS_EXPORTER="none",
                            OTEL_LOGS_EXPORTER="none")  # fmt: skip
    assert defaults.stdout == "opentelemetry.sdk.trace grpc\n"
