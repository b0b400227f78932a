"""Programs that know nothing of the library, recorded by environment variables alone."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys

import pytest
import stored

APP = pathlib.Path(__file__).with_name("zero_code_app.py")
INSTRUMENT = pathlib.Path(sys.executable).with_name("opentelemetry-instrument")
EXPORTERS = {f"OTEL_{signal_}_EXPORTER": "otlp_arrow" for signal_ in ("TRACES", "METRICS", "LOGS")}


def run(program: list[object], directory: pathlib.Path, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, **EXPORTERS, "OTLP_OUTPUT_DIR": str(directory), "OTEL_SERVICE_NAME": "shop", **environment}
    command = [str(part) for part in (INSTRUMENT, sys.executable, *program)]
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """What the Flask program left behind, as {signal: table}."""
    directory = tmp_path_factory.mktemp("zero_code")
    done = run([APP], directory)
    assert done.returncode == 0, done.stderr
    return {signal_: stored.table(directory, signal_) for signal_ in ("traces", "metrics", "logs")}


def test_requests_and_flask_are_one_trace(shop):
    spans = shop["traces"].to_pylist()
    by_name = {(span["kind"], span["name"]): span for span in spans}
    served = by_name["SERVER", "GET /price/<item>"]
    asked = next(span for span in spans if span["span_id"] == served["parent_span_id"])
    assert asked["kind"] == "CLIENT" and asked["trace_id"] == served["trace_id"]
    assert ("SERVER", "GET /broken") in by_name and len(spans) == 4
    assert {span["service_name"] for span in spans} == {"shop"}
    failed = by_name["SERVER", "GET /broken"]
    assert failed["status_code"] == "ERROR" and served["status_code"] != "ERROR"


def test_metrics_of_both_instrumentations(shop):
    assert {"http.server.duration", "http.client.duration"} <= set(shop["metrics"]["metric_name"].to_pylist())
    assert set(shop["metrics"]["service_name"].to_pylist()) == {"shop"}


def test_log_records_stand_in_their_spans(shop):
    logs = shop["logs"].to_pylist()
    price = next(log for log in logs if log["body"] == "price of apple")
    served = next(span for span in shop["traces"].to_pylist() if span["name"] == "GET /price/<item>")
    assert (price["trace_id"], price["span_id"]) == (served["trace_id"], served["span_id"])
    assert any(log["body"] == "closing" and log["severity_text"] == "WARN" for log in logs)
    error = next(log for log in logs if log["severity_text"] == "ERROR")
    assert "the shelf fell down" in str(error["attributes"])


def test_temporality_follows_the_environment(tmp_path):
    program = "from opentelemetry import metrics; metrics.get_meter('m').create_counter('c').add(1)"
    done = run(["-c", program], tmp_path, OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="delta")
    assert done.returncode == 0, done.stderr
    rows = {row["metric_name"]: row for row in stored.table(tmp_path, "metrics").to_pylist()}
    assert rows["c"]["aggregation_temporality"] == "DELTA"


def test_histograms_follow_the_environment(tmp_path):
    program = "from opentelemetry import metrics; metrics.get_meter('m').create_histogram('h').record(1)"
    variable = {"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "base2_exponential_bucket_histogram"}
    done = run(["-c", program], tmp_path, **variable)
    assert done.returncode == 0, done.stderr
    assert stored.table(tmp_path, "metrics")["metric_type"].to_pylist() == ["EXPONENTIAL_HISTOGRAM"]


def test_a_program_runs_though_nothing_can_be_recorded(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    done = run(["-c", "print('I run')"], blocked)
    assert done.returncode == 0 and done.stdout == "I run\n"
    assert str(blocked) in done.stderr  # and it is said why


def test_a_program_that_fails_is_recorded_until_then(tmp_path):
    program = "from opentelemetry import trace\nwith trace.get_tracer('t').start_as_current_span('last'): pass\nraise SystemExit(3)"
    assert run(["-c", program], tmp_path).returncode == 3
    assert stored.names(tmp_path) == ["last"]


def test_ctrl_c_loses_nothing(tmp_path):
    program = (
        "import os, signal\nfrom opentelemetry import trace\n"
        "with trace.get_tracer('t').start_as_current_span('before'): pass\n"
        "os.kill(os.getpid(), signal.SIGINT)\nimport time; time.sleep(30)"
    )
    done = run(["-c", program], tmp_path)
    assert done.returncode in (-signal.SIGINT, 130)
    assert stored.names(tmp_path) == ["before"]


def test_one_library_for_all_three_signals(tmp_path):
    program = (
        "from opentelemetry import metrics, trace\nimport logging\n"
        "trace.get_tracer('t').start_span('s').end(); metrics.get_meter('m').create_counter('c').add(1)\n"
        "from otlp_arrow_library._shared import shared_library\n"
        "from otlp_arrow_library._exporters import OtlpSpanExporter, OtlpMetricReader\n"
        "assert OtlpSpanExporter().library is OtlpMetricReader().library is shared_library()"
    )
    done = run(["-c", program], tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "ledger").glob("*.json"))) == 1
