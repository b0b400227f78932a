"""opentelemetry-cpp sends (otel_cpp_client.cc); what is stored is what that program says it sent."""

import os
import pathlib
import subprocess

import pytest

import otlp
import sdk_rows
import store
from harness import BINARY, assert_balanced, environment, inspect

CLIENT = pathlib.Path(os.environ.get("OTLP_ARROW_CPP_CLIENT", BINARY.parent.parent / "tests" / "otel_cpp_client"))
NOW = otlp.NOW
INT64_MAX = 2**63 - 1


@pytest.fixture(params=["grpc", "http"])
def sent(request, serve, directory):
    """Runs the client against a server; returns the ids that it printed, by name."""
    if not CLIENT.exists():
        pytest.skip(f"there is no {CLIENT}: it is built where opentelemetry-cpp's OTLP exporters are installed")
    server = serve(directory)
    endpoint = f"http://{server.grpc if request.param == 'grpc' else server.http}"
    result = subprocess.run([CLIENT, request.param, endpoint], capture_output=True, text=True, timeout=50, env=environment())
    assert result.returncode == 0, result.stderr
    assert "rror" not in result.stderr, result.stderr
    server.stop()
    assert_balanced(inspect(directory)["ledger"])
    ids = {}
    for line in result.stdout.splitlines():
        name, trace_id, span_id = line.split()
        ids.setdefault(name, []).append((trace_id, span_id))
    return ids


def rows(directory, signal):
    found = [sdk_rows.stored_row(row) for row in store.read_duckdb(directory, signal)]
    for row in found:
        assert row["service_name"] == "cpp-shop" and row["resource_schema_url"] == "https://opentelemetry.io/schemas/1.30.0"
        resource = row["resource_attributes"]
        assert resource["service.name"] == "cpp-shop" and resource["host.load"] == 0.25 and resource["cloud"] is True
        assert resource["process.pid"] == 4711 and resource["telemetry.sdk.language"] == "cpp"
    return found


def test_spans(sent, directory):
    found = rows(directory, "traces")
    assert len(found) == 1004
    by_name = {}
    for row in found:
        assert (row["scope_name"], row["scope_version"], row["scope_schema_url"]) == ("cpp scope", "1.2.3", "https://example.com/scope")
        assert row["duration_ns"] == row["end_time"] - row["start_time"]
        by_name.setdefault(row["name"], []).append(row)
    for name, ids in sent.items():
        assert sorted((r["trace_id"], r["span_id"]) for r in by_name[name]) == sorted(ids)

    (root,), (child,) = by_name["root"], by_name["child"]
    assert root["kind"] == "SERVER" and root["status_code"] == "OK" and root["parent_span_id"] is None and root["start_time"] == NOW + 1
    assert root["attributes"] == {
        "text": 'päper "quoted"\n', "yes": True, "int": -(2**63), "double": 1 / 3, "integers": [1, -2, INT64_MAX], "doubles": [0.5, -1e300],
        "texts": ["a", "", "ü"], "flags": [True, False],
    }
    (event,) = root["events"]
    assert (event["name"], event["time"], event["attributes"]) == ("event", NOW + 2, {"n": 7, "why": "because"})
    assert (child["kind"], child["status_code"], child["status_message"]) == ("CLIENT", "ERROR", "it fell over")
    assert (child["trace_id"], child["parent_span_id"]) == (root["trace_id"], root["span_id"])
    assert child["attributes"] == {"k": "v"}
    (link,) = child["links"]
    assert (link["trace_id"], link["span_id"], link["attributes"]) == (root["trace_id"], root["span_id"], {"link": 1})
    assert by_name["producer"][0]["kind"] == "PRODUCER" and by_name["consumer"][0]["kind"] == "CONSUMER"
    assert sorted(r["attributes"]["i"] for r in by_name["many"]) == list(range(1000))
    # This SDK leaves out a status that was never set; the column is null then (docs/formats/tables.md).
    assert all(r["kind"] == "INTERNAL" and r["status_code"] is None for r in by_name["many"])


def test_metrics(sent, directory):
    found = {}
    for row in rows(directory, "metrics"):
        assert (row["scope_name"], row["scope_version"]) == ("cpp meter", "0.1")
        assert row["start_time"] is None or row["start_time"] < row["time"]
        # The program exports twice, at its flush and at its end; the counts are cumulative, and the same.
        found.setdefault(row["metric_name"], {})[str(row["attributes"])] = row
    assert found.keys() == {"requests", "bytes", "queue", "latency", "temperature"}
    for route in ("/odd", "/even"):
        point = found["requests"][str({"http.route": route})]
        assert (point["metric_type"], point["value_int"], point["is_monotonic"], point["aggregation_temporality"]) == ("SUM", 50, True, "CUMULATIVE")
        assert (point["unit"], point["description"]) == ("{request}", "requests served")
    (point,) = found["bytes"].values()
    assert (point["value_double"], point["value_int"]) == (50.0, None)
    (point,) = found["queue"].values()
    assert (point["value_int"], point["is_monotonic"]) == (-100, False)
    (point,) = found["temperature"].values()
    assert (point["metric_type"], point["value_int"], point["unit"], point["attributes"]) == ("GAUGE", 21, "Cel", {"cpu": 0})
    (point,) = found["latency"].values()
    values = [i / 8 for i in range(100)]
    assert (point["metric_type"], point["count"], point["sum"], point["min"], point["max"]) == ("HISTOGRAM", 100, sum(values), 0.0, max(values))
    assert point["explicit_bounds"] == [1, 5, 10.5]
    bounds = [float("-inf"), 1, 5, 10.5, float("inf")]
    assert point["bucket_counts"] == [sum(low < v <= high for v in values) for low, high in zip(bounds, bounds[1:])]


def test_logs(sent, directory):
    found = sorted(rows(directory, "logs"), key=lambda row: row["time"])
    assert len(found) == 5
    for i, (row, severity) in enumerate(zip(found, [("TRACE", 1), ("INFO", 9), ("WARN", 13), ("FATAL4", 24)]), 1):
        assert (row["severity_text"], row["severity_number"]) == severity
        assert (row["time"], row["observed_time"]) == (NOW + i, NOW + 1000 + i)
        assert row["body"] == i and row["attributes"] == {"i": i, "text": "ä"}
        assert row["trace_id"] == "0102030405060708090a0b0c0d0e0f" + format(i, "02x") and row["span_id"] == "01020304050607" + format(i, "02x")
        assert row["flags"] == 1
        assert (row["scope_name"], row["scope_version"], row["scope_schema_url"]) == ("cpp logs", "2", "https://example.com/logs")
    assert (found[4]["body"], found[4]["severity_text"], found[4]["trace_id"]) == ("a plain text, ü", "ERROR", None)
