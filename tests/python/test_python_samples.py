"""The samples of the documents that use the library run, and print what they must."""

import pathlib
import subprocess
import sys

import stored

SAMPLES = pathlib.Path(__file__).parents[2] / "docs/samples"


def run(name: str, folder) -> str:
    done = subprocess.run([sys.executable, SAMPLES / name], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_record_and_read(tmp_path):
    assert run("python_record.py", tmp_path) == ""
    assert stored.names(tmp_path / "telemetry") == ["POST /orders"]
    assert "POST /orders" in run("python_read.py", tmp_path)


def test_configure(tmp_path):
    assert run("python_configure.py", tmp_path) == ""
    [span] = stored.table(tmp_path / "telemetry").to_pylist()
    assert (span["name"], span["service_name"], span["http.route"]) == ("POST /orders", "shop", "/orders")


def test_asyncio(tmp_path):
    out = run("python_asyncio.py", tmp_path)
    assert out == "SignalStats(received=1, stored=1, relayed=0, in_flight=0, expired=0, refused={}, invalid={})\n"
    assert stored.names(tmp_path / "telemetry") == ["job"]


def test_exporters(tmp_path):
    assert run("python_exporters.py", tmp_path) == ""
    for signal, name in (("traces", "POST /orders"), ("metrics", "orders"), ("logs", "order 4711 taken")):
        assert stored.names(tmp_path / "telemetry", signal) == [name]


def test_forwarding(tmp_path):
    assert run("python_forwarding.py", tmp_path) == "{'order.id': 4711}\nmain 1 sent, 0 left\n"
    assert stored.names(tmp_path / "telemetry") == ["POST /orders"]


def test_metric_reader(tmp_path):
    assert run("python_metric_reader.py", tmp_path) == ""
    assert set(stored.names(tmp_path / "telemetry", "metrics")) == {"orders"}


def test_dictionaries(tmp_path):
    assert run("python_dictionaries.py", tmp_path) == ""
    [span] = stored.table(tmp_path / "telemetry").to_pylist()
    assert (span["name"], span["kind"], span["status_message"], span["service_name"]) == ("POST /orders", "SERVER", "out of pears", "shop")
    assert len(stored.names(tmp_path / "telemetry", "logs")) == 1


def test_traces_of_the_native_sdk(tmp_path):
    assert run("python_sdk_traces.py", tmp_path) == ""
    assert stored.names(tmp_path / "telemetry") == ["charge", "order"]


def test_metrics_and_logs_of_the_native_sdk(tmp_path):
    run("python_sdk_metrics_logs.py", tmp_path)
    assert set(stored.names(tmp_path / "telemetry", "metrics")) == {"http.requests"}
    assert stored.names(tmp_path / "telemetry", "logs") == ["no pears left"]


def test_telemetry(tmp_path):
    out = run("python_telemetry.py", tmp_path)
    spans = {span["name"]: span for span in stored.table(tmp_path / "telemetry").to_pylist()}
    order = spans["POST /orders"]
    assert out.splitlines() == [f"a span has started in trace {order['trace_id']}"] * 4
    assert dict(spans["check_stock"]["attributes"])["item"] in ("apple", "pear")
    assert order["links"][0]["span_id"] == spans["choose warehouse"]["span_id"] and order["service_name"] == "shop"
    assert all(spans[name]["parent_span_id"] == order["span_id"] for name in ("choose warehouse", "check_stock"))


def test_otlp_exporter(tmp_path):
    from otlp_arrow_library import MockOtlpService

    with MockOtlpService().start(http_address="127.0.0.1:0", grpc_address=None) as service:
        code = (SAMPLES / "python_otlp_exporter.py").read_text().replace("http://127.0.0.1:4318", service.http_endpoint)
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        assert service.spans.names == stored.names(tmp_path / "telemetry") == ["POST /orders"]
