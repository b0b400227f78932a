"""What our exporters for opentelemetry-cpp store equals, field by field, what the SDK's own OTLP exporters send to the
service for the same program (otel_cpp_twice.cc)."""

import os
import pathlib
import subprocess

import pytest

import store
from harness import BINARY, Server, assert_balanced, environment, inspect

PROGRAM = pathlib.Path(os.environ.get("OTLP_ARROW_CPP_TWICE", BINARY.parent.parent / "tests" / "otel_cpp_twice"))


@pytest.fixture(scope="module", params=[("grpc", 1), ("http", 2)], ids=["grpc", "http"])
def stored(request, tmp_path_factory):
    """The directories of our exporters and of the service."""
    if not PROGRAM.exists():
        pytest.skip(f"there is no {PROGRAM}: it is built where opentelemetry-cpp is installed")
    protocol, seed = request.param
    ours, theirs = (tmp_path_factory.mktemp(name) for name in ("ours", "theirs"))
    server = Server(theirs)
    try:
        endpoint = f"http://{server.grpc if protocol == 'grpc' else server.http}"
        seed = os.environ.get("OTLP_ARROW_SEED", str(seed))
        result = subprocess.run([PROGRAM, protocol, endpoint, ours, seed], capture_output=True, text=True, timeout=50, env=environment())
        assert result.returncode == 0, result.stderr
        assert "rror" not in result.stderr, result.stderr
        server.stop()
    finally:
        server.close()
    for directory in (ours, theirs):
        assert_balanced(inspect(directory)["ledger"])
    return ours, theirs


@pytest.mark.parametrize("signal, least", [("traces", 300), ("logs", 400), ("metrics", 500)])
def test_the_same_rows_are_stored(stored, signal, least):
    ours, theirs = (sorted(store.read_pyarrow(directory, signal), key=repr) for directory in stored)
    assert len(ours) == len(theirs) >= least
    for mine, other in zip(ours, theirs):
        assert mine == other


def test_metrics_are_of_all_kinds_and_both_temporalities(stored):
    ours, _ = stored
    rows = store.read_pyarrow(ours, "metrics")
    kinds = {(row["metric_type"], row["aggregation_temporality"], row["is_monotonic"]) for row in rows}
    assert kinds >= {
        ("SUM", "CUMULATIVE", True), ("SUM", "DELTA", True), ("SUM", "CUMULATIVE", False),
        ("HISTOGRAM", "CUMULATIVE", None), ("HISTOGRAM", "DELTA", None), ("GAUGE", None, None),
    }
    assert {row["metric_name"] for row in rows} == {
        "requests", "bytes", "queue", "level", "latency", "sizes", "observed", "observed_level", "temperature", "ratio",
    }


def test_spans_have_all_that_spans_can_have(stored):
    ours, _ = stored
    rows = store.read_pyarrow(ours, "traces")
    assert {row["kind"] for row in rows} == {"INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"}
    assert {row["status_code"] for row in rows} >= {"UNSET", "OK", "ERROR"}
    for name in ("events", "links", "attributes", "trace_state", "parent_span_id", "scope_schema_url", "resource_schema_url"):
        assert any(row[name] for row in rows), name
