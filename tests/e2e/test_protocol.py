"""What a peer that knows only the OTLP specification may expect, and what a hostile one may not achieve."""

import concurrent.futures
import gzip
import http.client
import os
import pathlib
import random
import resource
import socket
import time

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

import otlp
import store
from harness import SIGNALS, assert_balanced, inspect, wait_for

GOOD_TRACE, GOOD_SPAN = bytes(range(1, 17)), bytes(range(1, 9))


class BothSenders:
    """The same question over gRPC and HTTP, answered in the terms of gRPC: a code's name and the response."""

    def __init__(self, server):
        self.senders = {"grpc": otlp.GrpcSender(server.grpc), "http": otlp.HttpSender(server.http)}

    def ask(self, protocol, signal, request, gzipped=False):
        """Response message, or google.rpc.Status with its HTTP status where there is one."""
        if protocol == "grpc":
            options = {"compression": grpc.Compression.Gzip} if gzipped else {}
            try:
                return "OK", self.senders["grpc"].export(signal, request, **options)
            except grpc.RpcError as error:
                return error.code().name, error.details()
        body = otlp.data(request)
        headers = {"Content-Encoding": "gzip"} if gzipped else {}
        code, _, answer = self.senders["http"].post(f"/v1/{signal}", gzip.compress(body) if gzipped else body, headers)
        if code == 200:
            return "OK", otlp.RESPONSES[signal].FromString(answer)
        return code, status_pb2.Status.FromString(answer).message


@pytest.fixture
def server(serve, directory):
    return serve(directory)


@pytest.fixture
def ask(server):
    return BothSenders(server).ask


PROTOCOLS = pytest.mark.parametrize("protocol", ["grpc", "http"])

BAD_SPANS = {
    "bad_trace_id": [dict(trace_id=b"\1" * 15), dict(trace_id=b"\1" * 17), dict(trace_id=b"\1")],
    "bad_span_id": [dict(span_id=b"\1" * 7), dict(span_id=b"\1" * 16), dict(parent_span_id=b"\1" * 3)],
}


@PROTOCOLS
@pytest.mark.parametrize("reason", BAD_SPANS)
def test_bad_ids_are_rejected_and_the_rest_is_kept(server, ask, directory, protocol, reason):
    bad = [otlp.span(1000 + i, **fields) for i, fields in enumerate(BAD_SPANS[reason])]
    good = [otlp.span(n) for n in (1, 2, 3, 4)]
    code, response = ask(protocol, "traces", otlp.traces(good[:1] + bad[:1] + good[1:3] + bad[1:] + good[3:]))
    assert code == "OK"
    assert response.partial_success.rejected_spans == 3
    assert "3 of 7" in response.partial_success.error_message and "id" in response.partial_success.error_message
    assert server.ledger()["traces"]["invalid"] == {reason: 3}
    server.stop()
    assert sorted(store.column(directory, "traces", "span_id")) == [otlp.span_hex(n) for n in (1, 2, 3, 4)]
    assert_balanced(inspect(directory)["ledger"])


@PROTOCOLS
def test_bad_ids_of_logs_and_exemplars(server, ask, directory, protocol):
    code, response = ask(protocol, "logs", otlp.logs([otlp.log(1), otlp.log(2, trace_id=b"\1\2"), otlp.log(3, span_id=b"\1\2"), otlp.log(4, trace_id=GOOD_TRACE, span_id=GOOD_SPAN)]))
    assert code == "OK" and response.partial_success.rejected_log_records == 2
    point = otlp.gauge(2)
    point.exemplars.add(trace_id=b"\1\2\3", as_int=1)
    code, response = ask(protocol, "metrics", otlp.metrics([otlp.gauge(1), point]))
    assert code == "OK" and response.partial_success.rejected_data_points == 1
    server.stop()
    assert sorted(store.column(directory, "logs", "body")) == ["line 1", "line 4"]
    assert store.column(directory, "metrics", "value_int") == [1]
    assert_balanced(inspect(directory)["ledger"])


@PROTOCOLS
@pytest.mark.parametrize("signal", SIGNALS)
def test_whole_acceptance_says_nothing(ask, protocol, signal):
    """`partial_success` is left unset where everything was taken, as the specification asks."""
    code, response = ask(protocol, signal, otlp.request(signal, 3))
    assert code == "OK" and response.ByteSize() == 0
    code, response = ask(protocol, signal, b"")
    assert code == "OK" and response.ByteSize() == 0


TRUNCATED = otlp.request("traces", 3).SerializeToString()[:-5]
MALFORMED = {
    "truncated": TRUNCATED,
    "endless varint": b"\xff" * 40,
    "wire type 7": b"\x0f\x00",
    "field number 0": b"\x02\x00",
    "length beyond the end": b"\x0a\xff\xff\xff\xff\x7f",
    "wrong wire type": b"\x08\x01",
    "text": b"hello, this is no protobuf",
    "json": b'{"resourceSpans":[]}',
}


@PROTOCOLS
@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_bytes_are_the_senders_fault(server, ask, protocol, what):
    for signal in SIGNALS:
        if what == "wrong wire type":
            continue
        code, message = ask(protocol, signal, MALFORMED[what])
        assert code in ("INVALID_ARGUMENT", 400), (code, message)
        assert message, "the sender is not told what is wrong"
    # What is malformed is not to be sent again: no such hint, and the server goes on.
    assert ask(protocol, "traces", otlp.request("traces", 1))[0] == "OK"
    assert all(server.ledger()[s]["refused"] == {} for s in SIGNALS)


@pytest.mark.timeout(120)
def test_random_bytes_do_no_harm(server, directory):
    """Noise, and whole requests with a few bytes changed: any answer but the death of the server."""
    random_source = random.Random(20240506)
    originals = {s: otlp.request(s, 5).SerializeToString() for s in SIGNALS}
    accepted = 0
    with otlp.GrpcSender(server.grpc) as by_grpc, otlp.HttpSender(server.http) as by_http:
        for i in range(3000):
            signal = random_source.choice(SIGNALS)
            if i % 3 == 0:
                body = random_source.randbytes(random_source.randrange(400))
            else:
                body = bytearray(originals[signal])
                for _ in range(random_source.randrange(1, 6)):
                    body[random_source.randrange(len(body))] = random_source.randrange(256)
                body = bytes(body)
            if i % 2:
                status, _, answer = by_http.post(f"/v1/{signal}", body)
                assert status in (200, 400), (status, answer)
                accepted += status == 200
            else:
                try:
                    by_grpc.export(signal, body)
                    accepted += 1
                except grpc.RpcError as error:
                    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
    assert 0 < accepted < 3000
    server.stop()
    found = inspect(directory)
    assert_balanced(found["ledger"])
    assert found["damaged"] == []
    for signal in SIGNALS:
        rows = found["signals"][signal]["rows"]
        assert found["ledger"][signal]["stored"] == rows > 0
        for name, read in store.READERS.items():
            assert len(read(directory, signal)) == rows, name


def test_limits_name_the_way_out(serve, directory):
    server = serve(directory, "--grpc-max-message-bytes", "20KiB", "--http-max-body-bytes", "20KiB")
    ask = BothSenders(server).ask
    large = otlp.request("traces", 400)
    assert 20 << 10 < large.ByteSize() < 40 << 10
    for gzipped in (False, True):  # the compressed one is smaller than the limit: what counts is what it holds
        code, message = ask("grpc", "traces", large, gzipped)
        assert code == "RESOURCE_EXHAUSTED" and "grpc.max_message_bytes" in message and "20480" in message
        code, message = ask("http", "traces", large, gzipped)
        assert code == 413 and "http.max_body_bytes" in message and "20480" in message
    # Beyond twice the limit the gRPC library itself refuses, in its own words.
    code, message = ask("grpc", "traces", otlp.request("traces", 5000))
    assert code == "RESOURCE_EXHAUSTED" and "larger than max" in message
    assert ask("http", "traces", otlp.request("traces", 5000))[0] == 413
    for protocol in ("grpc", "http"):
        assert ask(protocol, "traces", otlp.request("traces", 5))[0] == "OK"
    assert server.ledger()["unreadable_requests"] == {"too_large": 5}
    server.stop()
    assert store.count_rows(directory, "traces") == 10
    assert_balanced(inspect(directory)["ledger"])


def test_a_gzip_bomb_is_stopped_at_the_limit(serve, directory):
    server = serve(directory, "--http-max-body-bytes", "1MiB")
    bomb = gzip.compress(b"\0" * (512 << 20), 9)
    with otlp.HttpSender(server.http) as sender:
        start = time.monotonic()
        status, _, _ = sender.post("/v1/traces", bomb, {"Content-Encoding": "gzip"})
        assert status == 413 and time.monotonic() - start < 2
    server.stop()


@PROTOCOLS
def test_gzip(server, ask, directory, protocol):
    for signal in SIGNALS:
        assert ask(protocol, signal, otlp.request(signal, 50), gzipped=True)[0] == "OK"
    server.stop()
    assert [store.count_rows(directory, s) for s in SIGNALS] == [50, 50, 50]


def test_broken_gzip_is_the_senders_fault(server):
    whole = gzip.compress(otlp.request("traces", 50).SerializeToString())
    with otlp.HttpSender(server.http) as sender:
        for body in (whole[:-12], b"no gzip", b"\x1f\x8b" + b"\0" * 20, whole[:40] + b"\xff" * 20 + whole[60:]):
            status, _, answer = sender.post("/v1/traces", body, {"Content-Encoding": "gzip"})
            assert status == 400 and b"gzip" in answer
        status, _, answer = sender.post("/v1/traces", whole, {"Content-Encoding": "br"})
        assert status == 415 and b"gzip" in answer
    assert server.ledger()["traces"]["received"] == 0


def test_health_service(server):
    with grpc.insecure_channel(server.grpc) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        services = ["", "opentelemetry.proto.collector.trace.v1.TraceService", "opentelemetry.proto.collector.metrics.v1.MetricsService",
                    "opentelemetry.proto.collector.logs.v1.LogsService"]
        for service in services:
            assert stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5).status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as error:
            stub.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=5)
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
        first = next(iter(stub.Watch(health_pb2.HealthCheckRequest(service=""), timeout=5)))
        assert first.status == health_pb2.HealthCheckResponse.SERVING


def test_pages(server):
    assert server.get("/healthz")[0] == 200
    assert server.get("/readyz") == (200, "ready\n")
    status, text = server.get("/")
    assert status == 200 and "/v1/traces" in text
    status, text = server.get("/metrics")
    assert status == 200 and "# TYPE otlp_arrow_items_total counter" in text


def test_wrong_paths_methods_and_types(server):
    body = otlp.request("traces", 1).SerializeToString()
    with otlp.HttpSender(server.http) as sender:
        for path in ("/v1/trace", "/v1/profiles", "/nothing", "/v1/", "/v2/traces"):
            assert sender.post(path, body)[0] == 404, path
        for path in ("/v1/traces", "/v1/metrics", "/v1/logs"):
            for method in ("GET", "PUT", "DELETE"):
                status, headers, _ = sender.post(path, b"", method=method)
                assert status == 405 and "POST" in headers["Allow"], (method, path)
        assert sender.post("/metrics", body)[0] == 405
        for content_type in ("text/plain", "application/grpc", "application/octet-stream", ""):
            status, _, answer = sender.post("/v1/traces", body, {"Content-Type": content_type})
            assert status == 415 and b"application/x-protobuf" in answer, content_type
        assert sender.post("/v1/traces", body, {"Content-Type": "application/x-protobuf; charset=x"})[0] == 200
    with otlp.GrpcSender(server.grpc) as sender:
        for method in ("/opentelemetry.proto.collector.trace.v1.TraceService/Import", "/nobody.Home/Export"):
            with pytest.raises(grpc.RpcError) as error:
                sender.channel.unary_unary(method)(body, timeout=5)
            assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert server.ledger()["traces"]["received"] == 1


def test_hostile_connections_do_no_harm(server):
    """Raw sockets with noise, half requests and nothing, on both ports."""
    random_source = random.Random(7)
    host_ports = [(a.rsplit(":", 1)[0], int(a.rsplit(":", 1)[1])) for a in (server.grpc, server.http)]
    noises = [b"", b"\0" * 100, b"GET / HTTP/1.1\r\n", b"POST /v1/traces HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
              b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000\r\n\r\nabc",
              b"POST /v1/traces HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", b"A" * 100_000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4"]
    noises += [random_source.randbytes(500) for _ in range(20)]
    left_open = []
    for noise in noises:
        for host_port in host_ports:
            connection = socket.create_connection(host_port, timeout=5)
            try:
                connection.sendall(noise)
            except OSError:
                pass  # closed on us: a fair answer
            left_open.append(connection)
    with otlp.GrpcSender(server.grpc) as by_grpc, otlp.HttpSender(server.http) as by_http:
        by_grpc.export("traces", otlp.request("traces", 1))
        by_http.export("traces", otlp.request("traces", 1))
    server.stop(timeout=20)  # with the connections still open
    for connection in left_open:
        connection.close()


DEAF = pytest.mark.xfail(strict=True, reason="the gRPC library (1.51) closes its ears for good when accept() finds no file descriptor")


@pytest.mark.parametrize("protocol", ["http", pytest.param("grpc", marks=DEAF)])
def test_more_connections_than_open_files_are_allowed(serve, directory, protocol):
    """The server runs out of file descriptors; when the connections go, it works as before."""
    server = serve(directory, "--write-interval-secs", "1", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    host, port = (server.grpc if protocol == "grpc" else server.http).rsplit(":", 1)
    connections = [socket.create_connection((host, int(port)), timeout=5) for _ in range(200)]
    cpu_before = cpu_seconds(server)
    time.sleep(1.5)
    assert server.alive()
    assert cpu_seconds(server) - cpu_before < 0.75, "the server spins"
    for connection in connections:
        connection.close()
    wait_for(lambda: works(server), timeout=5, what="an answer after the rush")
    server.stop()
    assert store.count_rows(directory, "traces") >= 2


def cpu_seconds(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def works(server):
    try:
        with otlp.GrpcSender(server.grpc) as by_grpc, otlp.HttpSender(server.http, timeout=2) as by_http:
            by_grpc.export("traces", otlp.request("traces", 1), timeout=2)
            by_http.export("traces", otlp.request("traces", 1))
        return True
    except (OSError, grpc.RpcError, http.client.HTTPException):
        return False


def test_64_requests_at_once(server, directory):
    def send(number):
        sender = (otlp.GrpcSender if number % 2 else lambda _: otlp.HttpSender(server.http))(server.grpc)
        with sender:
            for i in range(5):
                sender.export("traces", otlp.request("traces", 20, first=(number * 5 + i) * 20 + 1))

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        for outcome in [pool.submit(send, n) for n in range(64)]:
            outcome.result()
    assert server.ledger()["traces"]["received"] == 6400
    server.stop()
    assert sorted(store.column(directory, "traces", "span_id")) == [otlp.span_hex(n) for n in range(1, 6401)]


def test_unknown_fields_are_skipped(server, ask, directory):
    """Fields of a later version of the protocol, at every level."""
    unknown = b"\xf8\x7f\x01" + b"\xfa\x7f\x03abc" + b"\xf9\x7f12345678" + b"\xfd\x7f1234"  # number 2047: varint, text, fixed64, fixed32

    def nested(field, body):
        assert len(body) < 1 << 14
        return bytes([field << 3 | 2, len(body) & 0x7F | 0x80, len(body) >> 7]) + body

    span = otlp.span(5, attributes={"http.route": "/x"}).SerializeToString() + unknown
    scope_spans = nested(1, otlp.SCOPE.SerializeToString() + unknown) + nested(2, span) + unknown
    resource_spans = unknown + nested(1, otlp.resource().SerializeToString() + unknown) + nested(2, scope_spans)
    assert ask("grpc", "traces", nested(1, resource_spans) + unknown)[0] == "OK"
    assert ask("http", "traces", unknown + nested(1, resource_spans))[0] == "OK"
    server.stop()
    rows = store.read_pyarrow(directory, "traces")
    assert [(r["span_id"], r["name"], r["service_name"], r["scope_name"]) for r in rows] == [(otlp.span_hex(5), "span 5", "shop", "by hand")] * 2
    assert all(store.attributes(r["attributes"], r["attributes_types"]) == {"http.route": "/x"} for r in rows)


def test_keys_given_twice_do_not_break_readers(server, ask, directory):
    """A map in DuckDB has each key once; the stored one does too, and still everything is there."""
    span = otlp.span(1)
    span.attributes.extend(otlp.attributes([("a", 1), ("b", "x"), ("a", "second"), ("a", 2.5)]))
    request = otlp.traces([span])
    request.resource_spans[0].resource.attributes.extend(otlp.attributes([("r", "one"), ("r", "two")]))
    assert ask("grpc", "traces", request)[0] == "OK"
    server.stop()
    for name, read in store.READERS.items():
        (row,) = read(directory, "traces")
        keys = [e["key"] if isinstance(e, dict) else e[0] for e in row["attributes"]]
        assert sorted(keys) == ["a", "b"], name
        assert row["attributes_types"].startswith("=")
    duckdb_rows = store.query(directory, "SELECT attributes['a'], attributes['b'], resource_attributes['r'] FROM traces")
    assert duckdb_rows == [("1", "x", "one")]


def test_retryable_refusals_say_when(serve, directory):
    """A budget that a waiting file fills: gRPC says RESOURCE_EXHAUSTED with RetryInfo, HTTP 429 with Retry-After."""
    server = serve(directory, "--acknowledge", "memory", "--memory-budget", "64k", "--max-file-bytes", "1GiB", "--admission-timeout-ms", "50",
                   "--write-interval-secs", "3600", "--workers", "1")
    numbers = otlp.unique_numbers
    request = otlp.traces([otlp.span(next(numbers)) for _ in range(100)])
    accepted = refused_grpc = refused_http = 0
    with otlp.GrpcSender(server.grpc) as by_grpc, otlp.HttpSender(server.http) as by_http:
        for _ in range(60):
            try:
                by_grpc.export("traces", request)
                accepted += 100
            except grpc.RpcError as error:
                refused_grpc += 100
                assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and "memory_budget" in error.details()
                (detail,) = rpc_status.from_call(error).details
                retry = error_details_pb2.RetryInfo()
                assert detail.Unpack(retry) and retry.retry_delay.ToNanoseconds() > 0
            status, headers, answer = by_http.post("/v1/traces", request.SerializeToString())
            accepted += 100 if status == 200 else 0
            if status != 200:
                refused_http += 100
                assert status == 429 and int(headers["Retry-After"]) >= 1 and b"memory_budget" in answer
    ledger = server.ledger()
    assert ledger["traces"]["received"] == 12000
    assert ledger["traces"]["refused"] == ({"memory_budget": refused_grpc + refused_http} if refused_grpc + refused_http else {})
    assert_balanced(ledger)
    server.stop()
    assert store.count_rows(directory, "traces") == accepted
