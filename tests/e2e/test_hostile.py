"""Clients that mean harm, or were written badly, against both servers: each gets a clear answer or a closed connection, the ledger balances, the
next client is served, and the memory that it takes has a bound."""

import contextlib
import gzip
import json
import pathlib
import re
import socket
import struct
import zlib

import grpc
import pytest

import otlp
import store
from harness import Server, assert_balanced, inspect, wait_for

LIMIT = 4 << 20
MIB = 1 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all of these tests: what one does must not hurt the next."""
    directory = tmp_path_factory.mktemp("hostile")
    path = directory / "otlp-arrow.yaml"
    path.write_text(json.dumps({
        "write_interval_secs": 1, "trace_cleanup_interval_secs": 0, "flight": {"enabled": False},
        "http": {"max_body_bytes": LIMIT, "header_timeout_secs": 2, "request_timeout_secs": 3}, "grpc": {"max_message_bytes": LIMIT},
        "limits": {"max_attributes": 128, "max_value_depth": 16}}))
    running = Server(directory / "telemetry", "--config", path)
    yield running
    running.stop()
    assert_balanced(inspect(running.directory)["ledger"])
    assert otlp.span_hex(666) not in store.column(running.directory, "traces", "span_id")
    running.close()


def connect(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=20)


def answers(server, data):
    """The statuses that come back for these bytes, sent to the HTTP port, until the server closes or all is answered."""
    got = b""
    with connect(server.http) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(1 << 16):
                got += part
    return [int(s) for s in re.findall(rb"HTTP/1\.[01] (\d{3})", got)]


def post(body, *headers, content_type="application/json", path="/v1/traces", length=None):
    head = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {content_type}", *headers]
    if length is not False:
        head.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def peak_mib(server):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1]) / 1024


class Change:
    """What happens to the counts of traces, and of requests that could not be read, until it is asked."""

    def __init__(self, server):
        self.server, self.before = server, server.ledger()

    @staticmethod
    def counts(ledger):
        entry = ledger["traces"]
        return {"received": entry["received"], "unreadable": sum(ledger["unreadable_requests"].values())} | entry["invalid"] | entry["refused"]

    def __call__(self):
        after, before = self.counts(self.server.ledger()), self.counts(self.before)
        return {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}


def assert_serves(server):
    """The next client is served, and the books are right."""
    with otlp.GrpcSender(server.grpc) as by_grpc, otlp.HttpSender(server.http) as by_http:
        by_grpc.export("traces", otlp.request("traces", 1, first=next(otlp.unique_numbers)))
        by_http.export("traces", otlp.request("traces", 1, first=next(otlp.unique_numbers)))
    assert_balanced(server.ledger())


PROTOBUF = "application/x-protobuf"
GOOD = otlp.request("traces", 1, first=7).SerializeToString()
SPANS = '{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}'
DEEP_VALUE = '{"arrayValue":{"values":[' * 100_000
WITH_ATTRIBUTES = SPANS % ('{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"x","startTimeUnixNano":"1","endTimeUnixNano":"2",'
                           '"attributes":[%s]}')
MANY = ",".join('{"key":"k%d","value":{"intValue":"1"}}' % n for n in range(50_000))
NESTED = '{"key":"k","value":' + '{"arrayValue":{"values":[' * 100 + '{"intValue":"1"}' + "]}}" * 100 + "}"


def deep_protobuf(levels):
    """A span whose attribute is an array in an array in an array …, as bytes."""
    value = b"\x18\x01"
    for _ in range(levels):
        for tag in (b"\x0a", b"\x2a"):  # ArrayValue.values, AnyValue.array_value
            value = tag + varint(len(value)) + value
    span = b"\x4a" + varint(len(attribute := b"\x0a\x01k\x12" + varint(len(value)) + value)) + attribute
    for tag in (b"\x12", b"\x12", b"\x0a"):  # spans, scope_spans, resource_spans
        span = tag + varint(len(span)) + span
    return span


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


BODIES = {  # name: request, the status it gets; 200 where the items over a limit are left out
    "JSON that nests": (post(DEEP_VALUE.encode()), {400}),
    "JSON arrays without end": (post(b"[" * MIB), {400}),
    "JSON value over the depth": (post((WITH_ATTRIBUTES % NESTED).encode()), {200}),
    "JSON attributes over the limit": (post((WITH_ATTRIBUTES % MANY).encode()), {200}),
    "JSON that is not UTF-8": (post(SPANS.replace("%s", '{"name":"\xff\xfe"}').encode("latin-1")), {400}),
    "JSON with a lone surrogate": (post((SPANS % r'{"name":"\ud800"}').encode()), {200, 400}),
    "JSON with a long number": (post((SPANS % ('{"startTimeUnixNano":' + "9" * 100_000 + "}")).encode()), {400}),
    "JSON cut off": (post(SPANS.encode()[:30]), {400}),
    "protobuf that nests": (post(deep_protobuf(10_000), content_type=PROTOBUF), {200, 400}),
    "protobuf with a huge length": (post(b"\x0a\xff\xff\xff\xff\x0f" + GOOD, content_type=PROTOBUF), {400}),
    "protobuf with a length beyond 64 bits": (post(b"\x0a" + b"\xff" * 11, content_type=PROTOBUF), {400}),
    "protobuf with a wrong wire type": (post(b"\x0d" + GOOD, content_type=PROTOBUF), {400, 200}),
    "text that is no protobuf": (post(b"hello, world", content_type=PROTOBUF), {400}),
    "protobuf said to be JSON": (post(GOOD), {400}),
    "JSON said to be protobuf": (post((SPANS % "").encode(), content_type=PROTOBUF), {400}),
    "gzip bomb": (post(gzip.compress(b"\0" * (256 * MIB)), "Content-Encoding: gzip", content_type=PROTOBUF), {413}),
    "gzip bomb of JSON": (post(gzip.compress(b" " * (256 * MIB)), "Content-Encoding: gzip"), {413}),
    "deflate bomb": (post(zlib.compress(b"\0" * (256 * MIB)), "Content-Encoding: deflate", content_type=PROTOBUF), {413}),
    "gzip of garbage": (post(b"\x1f\x8b\x08" + bytes(range(256)), "Content-Encoding: gzip", content_type=PROTOBUF), {400}),
    "zstd of garbage": (post(b"\x28\xb5\x2f\xfd" + bytes(range(256)), "Content-Encoding: zstd", content_type=PROTOBUF), {400}),
    "zstd that claims a terabyte": (post(b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 1 << 40) + b"\x01\0\0", "Content-Encoding: zstd", content_type=PROTOBUF), {400, 413}),
    "twice compressed": (post(gzip.compress(gzip.compress(GOOD)), "Content-Encoding: gzip, gzip", content_type=PROTOBUF), {400, 415}),
    "a body over the limit": (post(b"x" * (LIMIT + 1), content_type=PROTOBUF), {413}),
    "a length that is a lie": (post(b"", content_type=PROTOBUF, length=1 << 62), {413}),
}


@pytest.mark.parametrize("what", BODIES)
def test_bodies(server, what):
    request, allowed = BODIES[what]
    change = Change(server)
    statuses = answers(server, request)
    assert len(statuses) <= 1 and set(statuses) <= allowed, statuses
    assert statuses or "limit" in what or "lie" in what, "closed without a word"
    assert_serves(server)
    if statuses == [200] and "over the" in what:
        assert change() == {"received": 3, "limit": 1}
    elif statuses != [200]:
        assert change() == {"received": 2, "unreadable": 1}  # two of assert_serves


SMUGGLED = post(otlp.request("traces", 1, first=666).SerializeToString(), content_type=PROTOBUF)
SMUGGLING = {
    "two lengths": post(SMUGGLED, "Content-Length: 0", content_type=PROTOBUF),
    "a length and chunks": post(b"0\r\n\r\n" + SMUGGLED, "Transfer-Encoding: chunked", content_type=PROTOBUF),
    "chunks and a length": post(b"0\r\n\r\n" + SMUGGLED, "Transfer-Encoding: chunked", content_type=PROTOBUF, length=5),
    "chunks by another name": post(b"0\r\n\r\n" + SMUGGLED, "Transfer-Encoding: xchunked", content_type=PROTOBUF, length=False),
    "two codings": post(b"0\r\n\r\n" + SMUGGLED, "Transfer-Encoding: identity", "Transfer-Encoding: chunked", content_type=PROTOBUF, length=5),
    "a space before the colon": post(SMUGGLED, "Content-Length : 0", content_type=PROTOBUF, length=False),
    "a length with a sign": post(SMUGGLED, content_type=PROTOBUF, length="+0"),
    "a negative length": post(SMUGGLED, content_type=PROTOBUF, length="-1"),
    "a length in hex": post(SMUGGLED, content_type=PROTOBUF, length="0x0"),
    "a list of lengths": post(SMUGGLED, content_type=PROTOBUF, length="0, 0"),
    "a folded header": post(SMUGGLED, "X-A: b", " Content-Length: 0", content_type=PROTOBUF, length=False),
    "a chunk of no size": post(b"\r\n" + SMUGGLED, "Transfer-Encoding: chunked", content_type=PROTOBUF, length=False),
    "a chunk of a huge size": post(b"ffffffffffffffffff\r\n" + SMUGGLED, "Transfer-Encoding: chunked", content_type=PROTOBUF, length=False),
    "a chunk of a negative size": post(b"-1\r\n" + SMUGGLED, "Transfer-Encoding: chunked", content_type=PROTOBUF, length=False),
    "a carriage return in a header": post(SMUGGLED, "X-A: b\rContent-Length: 0", content_type=PROTOBUF, length=False),
    "a null in a header": post(SMUGGLED, "X-A: b\0c", content_type=PROTOBUF, length=0),
}


@pytest.mark.parametrize("what", SMUGGLING)
def test_no_request_hides_in_another(server, what):
    """What two readers could take for requests of different lengths is refused, and the connection closed: the second one is never read."""
    change = Change(server)
    statuses = answers(server, SMUGGLING[what])
    assert len(statuses) <= 1 and set(statuses) <= {400, 411, 413, 415, 501}, statuses
    assert_serves(server)
    assert change()["received"] == 2


HEADS = {
    "headers without end": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(20_000)) + b"\r\n", {431}),
    "a header of a megabyte": (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * MIB + b"\r\n\r\n", {431}),
    "a path of a megabyte": (b"GET /" + b"y" * MIB + b" HTTP/1.1\r\nHost: x\r\n\r\n", {414, 431}),
    "another protocol": (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(500), {400}),
    "HTTP/2 without asking": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), {400, 505}),
    "a method that is none": (b"BREW /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n", {400, 405, 501}),
    "noise": (bytes(range(256)) * 100, {400}),
    "a version from the future": (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", {400, 505}),
}


@pytest.mark.parametrize("what", HEADS)
def test_heads(server, what):
    request, allowed = HEADS[what]
    change = Change(server)
    assert set(answers(server, request)) <= allowed
    assert_serves(server)
    assert change()["received"] == 2


def code_of(call):
    with pytest.raises(grpc.RpcError) as error:
        call()
    return error.value.code().name


def test_calls(server):
    """The same over gRPC."""
    change = Change(server)
    with otlp.GrpcSender(server.grpc) as sender:
        export = lambda body, **options: code_of(lambda: sender.export("traces", body, **options))  # noqa: E731
        for body in (b"hello, world", b"\x0a\xff\xff\xff\xff\x0f", b"\x0a" + b"\xff" * 11):
            assert export(body) == "INVALID_ARGUMENT"
        assert export(b"x" * (LIMIT + 1)) == "RESOURCE_EXHAUSTED"
        assert export(b"\0" * (64 * MIB), compression=grpc.Compression.Gzip) == "RESOURCE_EXHAUSTED"
        unknown = sender.channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Import")
        assert code_of(lambda: unknown(GOOD, timeout=10)) == "UNIMPLEMENTED"
    with otlp.GrpcSender(server.grpc) as sender:  # the library closes this connection
        flood = [("x-flood", "y" * MIB)]
        assert code_of(lambda: sender.export("traces", GOOD, metadata=flood)) in ("RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL")
    assert_serves(server)
    assert change() == {"received": 2, "unreadable": 5}


def test_connections_that_stall_and_vanish_at_every_byte(server, protocol):
    """A connection for each prefix of a request: half of them are reset at once, the others stall until the server closes them."""
    change = Change(server)
    if protocol == "http":
        whole, step = post(GOOD, content_type=PROTOBUF), 3
        address = server.http
    else:
        settings, headers = b"\0\0\0\x04\0\0\0\0\0", b"\0\0\x05\x01\x04\0\0\0\x01" + b"\x83\x87\x84\x41\x01"
        whole, step = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + headers + b"\0\0\x04\0\x01\0\0\0\x01abcd", 1
        address = server.grpc
    stalled = []
    for end in range(0, len(whole), step):
        connection = connect(address)
        connection.sendall(whole[:end])
        if end % 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close resets
            connection.close()
        else:
            stalled.append(connection)
    assert_serves(server)
    if protocol == "http":
        for connection in stalled[1:]:  # one that never began is idle, which is allowed for longer
            with contextlib.suppress(ConnectionError):
                answer = connection.recv(4096)
                assert answer == b"" or answer.startswith(b"HTTP/1.1 408"), answer
    for connection in stalled:
        connection.close()
    assert_serves(server)
    assert change()["received"] == 4


def test_bombs_together_stay_within_bounds(server):
    """Sixteen at a time; what each of them unpacks to counts against the limit as it grows."""
    before = peak_mib(server)
    bombs = [post(gzip.compress(b"\0" * (64 * MIB)), "Content-Encoding: gzip", content_type=PROTOBUF), post(DEEP_VALUE.encode()[:LIMIT]),
             post(b'{"resourceSpans":[' + b"{}," * (LIMIT // 4) + b"{}]}")]
    connections = []
    for number in range(48):
        connections.append(connect(server.http))
        with contextlib.suppress(ConnectionError):
            connections[-1].sendall(bombs[number % len(bombs)])
    for connection in connections:
        with contextlib.suppress(ConnectionError):
            assert re.match(rb"HTTP/1\.1 (200|400|413|429|503)", connection.recv(4096))
        connection.close()
    assert_serves(server)
    wait_for(lambda: server.get("/readyz")[0] == 200, what="readiness")
    assert peak_mib(server) - before < 300, f"{before} MiB before, {peak_mib(server)} after"
