"""The otlp-arrow program from outside: serve, inspect, recover, replay, their exit codes and messages.

Run with: OTLP_ARROW_BINARY=build/release/bin/otlp-arrow .venv/bin/python -m pytest tests/test_command_line.py
"""

import json
import os
import pathlib
import re
import signal
import subprocess

import pyarrow.dataset
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("OTLP_ARROW_BINARY", str(ROOT / "build/release/bin/otlp-arrow"))


def run(*arguments, **environment):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=60, env=os.environ | environment)


class Server:
    """`otlp-arrow serve` on free ports."""

    def __init__(self, directory, *arguments):
        command = [BINARY, "serve", "--output-dir", directory, "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--flight-address",
                   "127.0.0.1:0"]
        self.process = subprocess.Popen([*map(str, command), *arguments], stderr=subprocess.PIPE, text=True)
        self.grpc = self._address("OTLP/gRPC")
        self.http = self._address("OTLP/HTTP")

    def _address(self, name):
        for line in self.process.stderr:
            if found := re.match(rf"\s*{name}\s+(\S+)", line):
                return found[1]
        raise AssertionError(f"the server ended without serving {name}")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        errors = self.process.stderr.read()  # with what came along with the addresses, which communicate() would not see
        return self.process.wait(timeout=60), errors


@pytest.fixture
def serve():
    servers = []

    def start(*arguments):
        servers.append(Server(*arguments))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()


def send_spans(exporter, count, service="shop"):
    provider = TracerProvider(resource=Resource({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    for i in range(count):
        with tracer.start_as_current_span(f"span {i}", attributes={"i": i}):
            pass
    provider.shutdown()


def span_names(directory):
    table = pyarrow.dataset.dataset(str(directory / "otlp" / "traces"), format="arrow").to_table(columns=["name"])
    return sorted(table["name"].to_pylist())


def names(count):
    return sorted(f"span {i}" for i in range(count))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_writes_what_is_under_way_before_it_ends(serve, tmp_path, number):
    server = serve(tmp_path, "--write-interval-secs", "3600")
    send_spans(GrpcExporter(endpoint=f"http://{server.grpc}", insecure=True), 30)
    send_spans(HttpExporter(endpoint=f"http://{server.http}/v1/traces"), 20)
    code, errors = server.end(number)
    assert code == 0
    assert "traces: 50 received, 50 stored" in errors
    assert span_names(tmp_path) == sorted(names(30) + names(20))
    assert not any((tmp_path / "journal").iterdir())


def test_start_tells_how_long_data_is_kept(serve, tmp_path):
    server = serve(tmp_path, "--log-cleanup-interval-secs", "0")
    assert "traces 10 min (trace_cleanup_interval_secs)" in (errors := server.end()[1])
    assert "logs for ever" in errors


def test_recover_writes_what_a_killed_writer_left_once(serve, tmp_path):
    server = serve(tmp_path, "--write-interval-secs", "3600")
    send_spans(GrpcExporter(endpoint=f"http://{server.grpc}", insecure=True), 40)
    busy = run("recover", tmp_path)
    assert busy.returncode == 0 and "its writer is at work" in busy.stdout
    server.end(signal.SIGKILL)
    found = json.loads(run("inspect", "--json", tmp_path).stdout)
    assert found["signals"]["traces"]["rows"] == 0 and found["journals"]["left_items"] == 40
    for recovered in ("40 items written", "0 items written"):
        result = run("recover", tmp_path)
        assert result.returncode == 0 and recovered in result.stdout
        assert span_names(tmp_path) == names(40)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_replay_delivers_everything(serve, tmp_path, protocol):
    source, target = tmp_path / "source", tmp_path / "target"
    server = serve(source)
    send_spans(GrpcExporter(endpoint=f"http://{server.grpc}", insecure=True), 100)
    server.end()
    server = serve(target)
    address = server.grpc if protocol == "grpc" else server.http
    result = run("replay", source, "--endpoint", f"http://{address}", "--protocol", protocol, "--batch", 7, "--gzip")
    assert result.returncode == 0, result.stderr
    assert "sent 100 items" in result.stdout
    server.end()
    assert span_names(target) == names(100)


def test_replay_fails_where_nobody_listens(serve, tmp_path):
    server = serve(tmp_path)
    send_spans(GrpcExporter(endpoint=f"http://{server.grpc}", insecure=True), 3)
    server.end()
    result = run("replay", tmp_path, "--endpoint", f"http://{server.grpc}", "--retry-for", 0)
    assert result.returncode == 1 and "gave up" in result.stderr and "3 failed" in result.stdout
    dry = run("replay", tmp_path, "--endpoint", f"http://{server.grpc}", "--dry-run")
    assert dry.returncode == 0 and "would send 3 items" in dry.stdout


def test_inspect_names_damage_and_goes_on(serve, tmp_path):
    server = serve(tmp_path)
    send_spans(GrpcExporter(endpoint=f"http://{server.grpc}", insecure=True), 5)
    server.end()
    (tmp_path / "otlp" / "traces" / "29990101T000000Z-x-1_1.arrow").write_bytes(b"ARROW1\0\0nothing")
    result = run("inspect", tmp_path)
    assert result.returncode == 0
    assert re.search(r"traces +1 +5 ", result.stdout) and re.search(r"damaged: .*29990101", result.stdout)


def test_configuration_errors_end_with_2(tmp_path):
    file = tmp_path / "otlp.yaml"
    file.write_text("output_dir: x\nwrite_interval_secs: 0\n")
    result = run("serve", "--config", file)
    assert result.returncode == 2
    assert f"{file}:2: write_interval_secs: 0 is out of range; allowed are 1 to 86400 seconds" in result.stderr
    result = run("serve", OTLP_COMPRESSION="gzip")
    assert result.returncode == 2 and "OTLP_COMPRESSION" in result.stderr
    assert run("serve", "--no-such-flag").returncode == 2
    assert run("serve", "--no-grpc", "--no-http", "--no-flight").returncode == 2


def test_check_config_prints_what_it_reads_back(tmp_path):
    first = run("serve", "--check-config", "--output-dir", "d", OTLP_WORKERS="3")
    assert first.returncode == 0 and "workers: 3  # environment variable OTLP_WORKERS" in first.stdout
    file = tmp_path / "otlp.yaml"
    file.write_text(first.stdout)
    second = run("serve", "--check-config", "--config", file)
    without_comments = lambda text: re.sub(r"  #.*", "", text)
    assert without_comments(second.stdout) == without_comments(first.stdout)


def test_a_port_in_use_ends_with_1(serve, tmp_path):
    server = serve(tmp_path / "a")
    result = run("serve", "--output-dir", tmp_path / "b", "--no-http", "--grpc-address", server.grpc)
    assert result.returncode == 1 and server.grpc in result.stderr
