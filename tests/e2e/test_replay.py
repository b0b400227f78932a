"""`otlp-arrow replay` to Arrow Flight servers, in several parts, and with credentials."""

import threading

import pyarrow as pa
import pyarrow.flight as flight
import pytest

import otlp
import store
from harness import SIGNALS, run


class KeepingServer(flight.FlightServerBase):
    """A plain Flight server: keeps the tables that it is given, by the last part of their path."""

    def __init__(self, **options):
        super().__init__("grpc://127.0.0.1:0", **options)
        self.tables = {}
        self.lock = threading.Lock()

    def do_put(self, context, descriptor, reader, writer):
        table = reader.read_all()
        with self.lock:
            self.tables.setdefault(descriptor.path[-1].decode(), []).append(table)

    def table(self, signal):
        return pa.concat_tables(table.unify_dictionaries() for table in self.tables.get(signal, []))


@pytest.fixture
def source(serve, tmp_path):
    server = serve(tmp_path / "source")
    with otlp.GrpcSender(server.grpc) as sender:
        sender.export("traces", otlp.traces([otlp.span(n, attributes={"n": n}) for n in range(1, 301)], "shop"))
        sender.export("logs", otlp.logs([otlp.log(n) for n in range(1, 201)], "shop"))
        sender.export("metrics", otlp.metrics([otlp.gauge(n) for n in range(1, 101)], "shop"))
    server.stop()
    return tmp_path / "source"


@pytest.mark.parametrize("compression", ["none", "zstd", "lz4"])
def test_a_plain_flight_server_gets_the_same_tables(source, compression):
    with KeepingServer() as server:
        result = run("replay", source, "--endpoint", f"grpc://127.0.0.1:{server.port}", "--protocol", "flight", "--batch", 64, "--compression", compression)
        assert result.returncode == 0, result.stderr
        assert "sent 600 items" in result.stdout
        for signal in SIGNALS:
            sent, stored = server.table(signal), store.table(source, signal)
            assert sent.num_rows == stored.num_rows > 0
            stored = stored.select(sent.schema.names)  # which also has promoted columns
            assert sorted(map(repr, sent.to_pylist())) == sorted(map(repr, stored.to_pylist()))


def test_several_in_flight_and_a_resume_file(serve, source, tmp_path):
    server = serve(tmp_path / "target")
    state = tmp_path / "sent.txt"
    endpoint = f"http://{server.grpc}"
    first = run("replay", source, "--endpoint", endpoint, "--batch", 10, "--max-in-flight", 4, "--resume-file", state)
    assert first.returncode == 0 and "sent 600 items" in first.stdout, first.stderr
    again = run("replay", source, "--endpoint", endpoint, "--batch", 10, "--resume-file", state)
    assert again.returncode == 0 and "sent 0 items" in again.stdout and "600 sent earlier" in again.stdout, again.stdout
    other = run("replay", source, "--endpoint", endpoint, "--signal", "logs", "--resume-file", state)
    assert other.returncode == 2 and "other options" in other.stderr, other.stderr
    server.stop()
    assert [store.count_rows(tmp_path / "target", signal) for signal in SIGNALS] == [store.count_rows(source, signal) for signal in SIGNALS]
