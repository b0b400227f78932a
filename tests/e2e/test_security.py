"""Who may call the servers, what they give away, and gRPC clients that nobody wants."""

import json
import random
import socket
import struct
import threading

import grpc
import harness
import otlp
import pyarrow.flight
import pytest
from harness import assert_balanced, wait_for
from peers import raw_http2
from peers.certificates import Authority
from peers.raw_http2 import END_HEADERS, END_STREAM, RawHttp2, call_headers, frame

EXPORT = otlp.METHODS["traces"]
SECRETS = ("t0ken-from-flag", "t0ken-from-file", "k3y-of-header", "fl1ght-token")
MIB = 1 << 20


def rss_mib(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


def configuration(path, **settings):
    path.write_text(json.dumps(settings))  # JSON is YAML
    return "--config", path


def export(address, token=None, credentials=None, body=b"", timeout=10):
    """The status code of one call on a connection of its own."""
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with grpc.secure_channel(address, credentials) if credentials else grpc.insecure_channel(address) as channel:
        try:
            channel.unary_unary(EXPORT)(body, timeout=timeout, metadata=metadata)
            return grpc.StatusCode.OK
        except grpc.RpcError as error:
            return error.code()


# --- secrets and warnings ---------------------------------------------------------------------------------------------


@pytest.fixture
def secret_settings(tmp_path):
    secret = tmp_path / "token"
    secret.write_text(SECRETS[1] + "\n")
    return configuration(tmp_path / "secrets.yaml", auth={"bearer_tokens": [SECRETS[0], "${file:%s}" % secret], "headers": {"X-Api-Key": SECRETS[2]}},
                         flight={"bearer_token": SECRETS[3]}, log_level="trace")


def test_secrets_are_shown_nowhere(serve, directory, secret_settings):
    server = serve(directory, *secret_settings, token=SECRETS[0])
    assert export(server.grpc, SECRETS[1]) is grpc.StatusCode.OK
    assert export(server.grpc, "guess") is grpc.StatusCode.UNAUTHENTICATED
    assert export(server.grpc) is grpc.StatusCode.UNAUTHENTICATED
    pages = [server.get(path)[1] for path in ("/metrics", "/healthz", "/readyz", "/")]
    ledger = server.ledger()
    assert_balanced(ledger)
    assert ledger["unreadable_requests"] == {"unauthorized": 2}
    checked = harness.run("serve", "--output-dir", directory, "--check-config", *secret_settings)
    assert checked.returncode == 0, checked.stderr
    refused = harness.run("serve", "--output-dir", directory, "--grpc-address", "nowhere", *secret_settings)
    assert refused.returncode != 0
    helped = harness.run("serve", "--help", OTLP_AUTH_BEARER_TOKENS=SECRETS[0])
    said = "\n".join([*pages, checked.stdout, checked.stderr, refused.stdout, refused.stderr, helped.stdout, server.stop()])
    for secret in (*SECRETS, "guess"):
        assert secret not in said, secret


def test_warns_of_servers_that_others_reach(serve, directory):
    quiet = serve(directory).stop()
    assert "can be reached from other machines" not in quiet
    log = serve(directory, grpc="0.0.0.0:0", flight="0.0.0.0:0").stop()
    for key in ("grpc.address", "flight.address"):
        assert log.count(f"{key}: '0.0.0.0:0' can be reached from other machines") == 2, log  # credentials, and TLS
    assert "http.address: " not in log


# --- Flight -----------------------------------------------------------------------------------------------------------


def test_flight_shows_renewed_certificates(serve, directory, tmp_path, authority):
    renewed = Authority(tmp_path / "renewed", "renewed")
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"

    def install(identity):
        certificate.write_bytes(identity.certificate.read_bytes())
        key.write_bytes(identity.key.read_bytes())

    def rows(ca):
        with pyarrow.flight.connect(f"grpc+tls://{server.flight}", tls_root_certs=ca.certificate.read_bytes()) as client:
            return client.do_get(pyarrow.flight.Ticket(b"traces")).read_all().num_rows

    def shows(ca):
        try:
            return rows(ca) == 3
        except pyarrow.lib.ArrowException:
            return False

    install(authority.issue("server"))
    server = serve(directory, *configuration(tmp_path / "tls.yaml", flight={"tls": {"cert_file": str(certificate), "key_file": str(key)}}))
    with otlp.GrpcSender(server.grpc) as sender:
        sender.export("traces", otlp.request("traces", 3))
    assert rows(authority) == 3
    install(renewed.issue("server"))
    wait_for(lambda: shows(renewed), timeout=30, what="the new certificate")
    assert not shows(authority)
    server.stop()


# --- gRPC: reflection and settings of connections ---------------------------------------------------------------------


def test_reflection_lists_the_services(serve, directory):
    server = serve(directory)
    with grpc.insecure_channel(server.grpc) as channel:
        for version in ("v1", "v1alpha"):
            ask = channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo")
            symbol = b"opentelemetry.proto.trace.v1.Span"
            listed, file = ask(iter([b"\x3a\x00", bytes((0x22, len(symbol))) + symbol]), timeout=10)
            assert b"opentelemetry.proto.collector.logs.v1.LogsService" in listed and b"grpc.health.v1.Health" in listed
            assert b"start_time_unix_nano" in file and b"opentelemetry/proto/common/v1/common.proto" in file
    server.stop()
    hidden = serve(directory, "--no-grpc-reflection")
    with grpc.insecure_channel(hidden.grpc) as channel, pytest.raises(grpc.RpcError) as refused:
        list(channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")(iter([b"\x3a\x00"]), timeout=10))
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_connections_end_when_they_are_old_idle_or_noisy(serve, directory):
    server = serve(directory, "--grpc-max-connection-age-secs", "1", "--grpc-max-connection-age-grace-secs", "1")
    old = RawHttp2(server.grpc)
    assert old.wait_closed()
    server.stop()
    server = serve(directory, "--grpc-max-connection-idle-secs", "1")
    idle = RawHttp2(server.grpc)
    assert idle.wait_closed()
    server.stop()
    server = serve(directory)
    noisy = RawHttp2(server.grpc)
    for number in range(1000):
        if not noisy.send(frame(raw_http2.PING, 0, 0, struct.pack(">Q", number))):
            break
    assert noisy.wait_closed()
    assert export(server.grpc) is grpc.StatusCode.OK


# --- gRPC: hostile clients --------------------------------------------------------------------------------------------


@pytest.fixture
def server(serve, directory):
    """One that must be as it was after whatever the test did to it."""
    server = serve(directory, "--grpc-max-receive-bytes", "32MiB", "--grpc-max-message-bytes", "16MiB")
    yield server
    assert export(server.grpc, timeout=20) is grpc.StatusCode.OK
    assert_balanced(server.ledger())
    log = server.stop()
    assert "assertion" not in log, log


def test_no_http2(server):
    """Random bytes, broken frames, and frames that are cut off anywhere."""
    generator = random.Random(7)
    headers = frame(raw_http2.HEADERS, END_HEADERS, 1, call_headers(EXPORT))
    good = raw_http2.PREFACE + frame(raw_http2.SETTINGS) + headers + frame(raw_http2.DATA, END_STREAM, 1, b"\0\0\0\0\0")
    attempts = [generator.randbytes(generator.randrange(1, 5000)) for _ in range(20)]
    attempts += [raw_http2.PREFACE + generator.randbytes(500) for _ in range(20)]
    attempts += [good[:cut] for cut in range(0, len(good), 5)]
    for _ in range(40):
        damaged = bytearray(good)
        for _ in range(3):
            damaged[generator.randrange(len(raw_http2.PREFACE), len(damaged))] = generator.randrange(256)
        attempts.append(bytes(damaged))
    attempts.append(raw_http2.PREFACE + b"\xff\xff\xff" + frame(raw_http2.HEADERS, END_HEADERS, 1, b"")[3:])  # a frame of 16 MiB
    attempts.append(raw_http2.PREFACE + frame(raw_http2.SETTINGS) + frame(raw_http2.HEADERS, END_HEADERS, 1, b"\xff" * 16))  # broken HPACK
    attempts.append(raw_http2.PREFACE + frame(raw_http2.SETTINGS) + frame(raw_http2.WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff") * 3)
    host, port = server.grpc.rsplit(":", 1)
    connections = []
    for attempt in attempts:
        connections.append(socket.create_connection((host, int(port)), timeout=10))
        connections[-1].sendall(attempt)
    for connection in connections[::2]:
        connection.close()
    assert export(server.grpc) is grpc.StatusCode.OK  # beside those that stall
    for connection in connections:
        connection.close()


def test_a_flood_of_streams(server):
    """Opened and reset at once; opened and left; more than there may be."""
    resets = RawHttp2(server.grpc)
    for stream in range(1, 4001, 2):
        opened = frame(raw_http2.HEADERS, END_HEADERS, stream, call_headers(EXPORT))
        if not resets.send(opened + frame(raw_http2.RST_STREAM, 0, stream, b"\0\0\0\x08")):
            break
    assert export(server.grpc) is grpc.StatusCode.OK
    left = RawHttp2(server.grpc)
    for stream in range(1, 2 * 1500, 2):
        if not left.send(frame(raw_http2.HEADERS, END_HEADERS, stream, call_headers(EXPORT))):
            break
    assert export(server.grpc) is grpc.StatusCode.OK
    for client in (resets, left):
        client.close()


def begin_message(client, size):
    """An Export call whose message is said to have `size` bytes."""
    client.send(frame(raw_http2.HEADERS, END_HEADERS, 1, call_headers(EXPORT)) + frame(raw_http2.DATA, 0, 1, b"\0" + struct.pack(">I", size)))
    with client.changed:
        client.windows[0] -= 5
        client.windows[1] = client.windows.get(1, client.initial_window) - 5


@pytest.mark.parametrize("size", [20 * MIB, 4096 * MIB - 1])
def test_messages_that_never_end_stay_within_their_bounds(server, size):
    """Eight clients, each with most of a message, or of one that is far too large: together five times what may be coming in."""
    before = rss_mib(server)
    clients = [RawHttp2(server.grpc) for _ in range(8)]

    def send(client):
        begin_message(client, size)
        client.send_data(1, 20 * MIB - 1000, timeout=1)

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rss_mib(server) < before + 100
    assert export(server.grpc, body=otlp.request("traces", 3).SerializeToString(), timeout=20) is grpc.StatusCode.OK
    for client in clients:
        client.close()


def test_declared_lengths_and_headers_that_are_too_large(server):
    before = rss_mib(server)
    many = [RawHttp2(server.grpc) for _ in range(16)]
    for one in many:
        begin_message(one, 32 * MIB - 1)
    assert export(server.grpc) is grpc.StatusCode.OK
    assert rss_mib(server) < before + 50  # a length that is only told takes nothing
    block = call_headers(EXPORT) + raw_http2.literal("x-flood", "y" * 4000) * 4
    flood = RawHttp2(server.grpc)
    flood.send(frame(raw_http2.HEADERS, END_HEADERS | END_STREAM, 1, block[:16384]))
    with grpc.insecure_channel(server.grpc) as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(EXPORT)(b"", timeout=10, metadata=[(f"x-{i}", "y" * 4000) for i in range(8)])
    assert refused.value.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)
    for one in (flood, *many):
        one.close()


def test_calls_of_the_wrong_kind(server):
    with grpc.insecure_channel(server.grpc) as channel:
        for method in ("/", "/x", "/opentelemetry.proto.collector.trace.v1.TraceService/Import", "/grpc.reflection.v1.ServerReflection/Nothing"):
            with pytest.raises(grpc.RpcError) as refused:
                channel.unary_unary(method)(b"", timeout=10)
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED, method
        with pytest.raises(grpc.RpcError):  # no message at all
            list(channel.stream_stream(EXPORT)(iter([]), timeout=10))
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary("/grpc.health.v1.Health/Check")(b"\xff" * 100, timeout=10)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
