"""What a service on the network meets: people with curl, web pages, SDKs with certificates and tokens, clients at their limits beside good
ones, certificates that are renewed, a clock that is set, a directory that goes away."""

import contextlib
import gzip
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import time

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from peers.certificates import Authority

import otlp
import store
from harness import assert_balanced, inspect, wait_for
from load import Load, assert_nothing_lost

TOKEN = "a-token-of-the-tests"


def config_flags(tmp_path, **keys):
    """--config with a file of these keys; JSON is YAML."""
    path = tmp_path / "otlp-arrow.yaml"
    path.write_text(json.dumps({"write_interval_secs": 1, "trace_cleanup_interval_secs": 0, "flight": {"enabled": False}} | keys))
    return "--config", path


# --- curl ------------------------------------------------------------------------------------------------------------


def json_request(*span_ids):
    """OTLP/JSON as the specification writes it."""
    spans = [{"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": i, "parentSpanId": "EEE19B7EC3C1B173", "name": "checkout", "kind": 2,
              "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000",
              "attributes": [{"key": "cart.items", "value": {"intValue": "3"}}], "status": {}} for i in span_ids]
    return json.dumps({"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                                          "scopeSpans": [{"scope": {"name": "by.hand", "version": "1.0.0"}, "spans": spans}]}]})


class Curl:
    """curl with what people type behind it; the answer is a status and a body, and its headers by lower-case name."""

    def __init__(self, server, directory):
        self.server, self.directory = server, directory

    def __call__(self, *arguments, path="/v1/traces", stdin=None):
        headers = self.directory / "headers"
        told = subprocess.run(["curl", "-sS", "-m", "20", "-D", headers, "-w", "\n%{http_code}", *map(str, arguments), f"http://{self.server.http}{path}"],
                              input=stdin, capture_output=True)
        assert told.returncode == 0, told.stderr
        self.headers = {}
        for line in headers.read_text().splitlines():
            name, colon, value = line.partition(":")
            if colon:
                self.headers[name.lower()] = value.strip()
        body, _, status = told.stdout.rpartition(b"\n")
        return int(status), body


@pytest.fixture
def curl(serve, directory, tmp_path):
    return Curl(serve(directory, *config_flags(tmp_path)), tmp_path)


JSON = ("-H", "Content-Type: application/json")


def test_what_people_type(curl, directory, tmp_path):
    """Each way carries one span; all of them are stored."""
    plain, packed, binary = tmp_path / "spans.json", tmp_path / "spans.json.gz", tmp_path / "spans.bin"
    binary.write_bytes(otlp.request("traces", 1, first=6).SerializeToString())
    long = [f"{n:016x}" for n in range(100, 9100)]
    ways = [
        lambda: curl("-X", "POST", *JSON, "-d", json_request("0000000000000001")),
        lambda: (plain.write_text(json_request("0000000000000002")), curl(*JSON, "--data", f"@{plain}"))[1],
        lambda: curl("--json", json_request("0000000000000003")),
        lambda: curl("-0", *JSON, "-d", json_request("0000000000000004")),
        lambda: (packed.write_bytes(gzip.compress(json_request("0000000000000005").encode())),
                 curl(*JSON, "-H", "Content-Encoding: gzip", "--data-binary", f"@{packed}"))[1],
        lambda: curl("-H", "Content-Type: application/x-protobuf", "--data-binary", f"@{binary}"),
        lambda: curl(*JSON, "-H", "Transfer-Encoding: chunked", "--data-binary", "@-", stdin=json_request("0000000000000007").encode()),
        lambda: curl("-H", "content-type: application/json; charset=utf-8", "-d", json_request("0000000000000008")),
        lambda: curl("--http2", *JSON, "-d", json_request("0000000000000009")),  # it would like an upgrade
        lambda: curl("--compressed", *JSON, "-d", json_request("000000000000000a")),
        lambda: curl(*JSON, "--data-binary", "@-", stdin=json_request(*long).encode()),  # curl asks first: Expect: 100-continue
    ]
    for number, way in enumerate(ways):
        status, body = way()
        assert status == 200, (number, status, body)
        if number == 5:
            assert body == b"" and curl.headers["content-type"] == "application/x-protobuf"
        else:
            assert json.loads(body) in ({}, {"partialSuccess": {}}) and curl.headers["content-type"].startswith("application/json"), (number, body)
    curl.server.stop()
    assert sorted(store.column(directory, "traces", "span_id")) == sorted([f"{n:016x}" for n in range(1, 11)] + long)
    assert_balanced(inspect(directory)["ledger"])


def test_what_people_get_wrong(curl):
    """Each answer names what is wrong, as google.rpc.Status in the request's encoding, and nothing is counted as received."""
    cases = [
        (("-d", json_request("01")), 415, "content-type"),  # curl's own type
        ((*JSON, "-d", "{'resourceSpans': []}"), 400, ""),
        ((*JSON, "-d", json_request("eee19b7ec3c1b17x")), 400, "spanId"),
        ((*JSON, "-d", ""), 400, ""),
        ((*JSON, "-d", "[]"), 400, ""),
        ((*JSON, "-d", '{"resourceSpans": {}}'), 400, "resourceSpans"),
        ((*JSON, "-d", '{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "soon"}]}]}]}'), 400, "startTimeUnixNano"),
        ((*JSON, "-H", "Content-Encoding: gzip", "-d", json_request("0000000000000001")), 400, "gzip"),
        ((*JSON, "-H", "Content-Encoding: br", "-d", "x"), 415, "gzip"),
        ((), 405, ""),
        (("-X", "PUT", *JSON, "-d", "{}"), 405, ""),
    ]
    for arguments, wanted, word in cases:
        status, body = curl(*arguments)
        assert status == wanted, (arguments, status, body)
        assert word.lower() in body.decode().lower(), (arguments, body)
        if "application/json" in str(arguments) and wanted == 400:
            told = json.loads(body)
            assert told["code"] == 3 and told["message"], told
    assert curl(path="/v1/trace")[0] == 404 and curl(*JSON, "-d", "{}", path="/v1/profiles")[0] == 404
    assert curl(*JSON, "-d", "{}") == (200, b"{}")
    # Half an id makes a span that is left out, and named.
    status, body = curl(*JSON, "-d", json_request("01", "0000000000000001"))
    assert status == 200 and json.loads(body)["partialSuccess"]["rejectedSpans"] == "1" and b"span_id" in body
    ledger = curl.server.ledger()
    assert_balanced(ledger)
    assert (ledger["traces"]["received"], sum(ledger["traces"]["invalid"].values())) == (2, 1)


# --- a web page ------------------------------------------------------------------------------------------------------


def ask(address, method, path, body=None, headers=None, source=None):
    """Status, headers and body of one request."""
    connection = http.client.HTTPConnection(address, timeout=20, source_address=source)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()


def test_a_page_in_a_browser(serve, directory, tmp_path):
    """The preflight, which has no credentials, then the request with them; a page from elsewhere is not let in."""
    page = "https://shop.example"
    server = serve(directory, *config_flags(tmp_path, auth={"bearer_tokens": [TOKEN]}, http={"cors_allowed_origins": [page], "cors_max_age_secs": 600}), token=TOKEN)
    preflight = {"Origin": page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    status, headers, _ = ask(server.http, "OPTIONS", "/v1/traces", None, preflight)
    assert status in (200, 204)
    assert headers["Access-Control-Allow-Origin"] == page and "POST" in headers["Access-Control-Allow-Methods"]
    assert {"authorization", "content-type"} <= {h.strip().lower() for h in headers["Access-Control-Allow-Headers"].split(",")}
    assert headers["Access-Control-Max-Age"] == "600" and "origin" in headers["Vary"].lower()
    sent = {"Origin": page, "Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    status, headers, body = ask(server.http, "POST", "/v1/traces", json_request("0000000000000001"), sent)
    assert (status, headers["Access-Control-Allow-Origin"], json.loads(body)) == (200, page, {})
    # Its script can read a refusal, too.
    status, headers, body = ask(server.http, "POST", "/v1/traces", "{", sent)
    assert status == 400 and headers["Access-Control-Allow-Origin"] == page
    status, headers, _ = ask(server.http, "POST", "/v1/traces", json_request("0000000000000002"), sent | {"Authorization": "Bearer wrong"})
    assert status == 401 and headers["WWW-Authenticate"].startswith("Bearer")
    for origin in ("https://elsewhere.example", "http://shop.example", "https://shop.example.evil.example", "null"):
        _, headers, _ = ask(server.http, "OPTIONS", "/v1/traces", None, preflight | {"Origin": origin})
        assert "Access-Control-Allow-Origin" not in headers, origin
    assert server.ledger()["traces"]["received"] == 1
    log = server.stop()
    assert TOKEN not in log
    assert store.column(directory, "traces", "span_id") == ["0000000000000001"]


# --- SDKs with certificates and tokens -------------------------------------------------------------------------------


def three_spans():
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    for number in range(3):
        provider.get_tracer("fleet").start_span(f"span {number}").end()
    return kept.get_finished_spans()


def export(server, protocol, ca, client=None, token=None):
    """What OpenTelemetry's own exporter says of three spans, over TLS."""
    header = {"authorization": f"Bearer {token}"} if token else {}
    if protocol == "http":
        exporter = HttpExporter(f"https://{server.http}/v1/traces", certificate_file=str(ca), headers=header, timeout=2,
                                client_certificate_file=client and str(client.certificate), client_key_file=client and str(client.key))
    else:
        read = lambda path: path.read_bytes()  # noqa: E731
        credentials = grpc.ssl_channel_credentials(read(ca), *((read(client.key), read(client.certificate)) if client else ()))
        exporter = GrpcExporter(f"https://{server.grpc}", credentials=credentials, headers=header, timeout=2)
    try:
        return exporter.export(three_spans())
    finally:
        exporter.shutdown()


def client_context(ca, client=None):
    context = ssl.create_default_context(cafile=str(ca))
    if client:
        context.load_cert_chain(client.certificate, client.key)
    return context


def tls_keys(identity, client_ca=None):
    return {"cert_file": str(identity.certificate), "key_file": str(identity.key)} | ({"client_ca_file": str(client_ca)} if client_ca else {})


def test_sdk_with_certificates_and_a_token(serve, directory, tmp_path, authority, protocol):
    """Mutual TLS and a token from a file: whoever lacks one of them, or has a wrong one, gets nothing in."""
    secret = tmp_path / "token"
    secret.write_text(TOKEN + "\n")
    client, stranger = authority.issue("client"), Authority(tmp_path / "stranger", "stranger").issue("client")
    expired = authority.issue("expired-client", expired=True)
    flags = config_flags(tmp_path, tls=tls_keys(authority.issue("server"), authority.certificate), auth={"bearer_tokens": ["${file:%s}" % secret]})
    server = serve(directory, *flags, tls=client_context(authority.certificate, client), token=TOKEN)
    send = lambda **who: export(server, protocol, authority.certificate, **who)  # noqa: E731
    assert send(client=client, token=TOKEN) is SpanExportResult.SUCCESS
    for who in ({"client": client}, {"client": client, "token": "wrong"}, {"token": TOKEN}, {"client": stranger, "token": TOKEN}, {"client": expired, "token": TOKEN}):
        assert send(**who) is SpanExportResult.FAILURE, who
    # Replaced in its file, the token is a new one, and the old one is none.
    secret.write_text("another-token\n")
    assert wait_for(lambda: send(client=client, token="another-token") is SpanExportResult.SUCCESS, timeout=20, what="the new token")
    server.token = "another-token"
    ledger = server.ledger()
    assert_balanced(ledger)
    assert ledger["traces"]["received"] == 6
    log = server.stop()
    assert TOKEN not in log and "another-token" not in log
    assert store.count_rows(directory, "traces") == 6


def test_certificates_are_renewed_while_clients_send(serve, directory, tmp_path, authority):
    """Both servers show the new certificate by themselves; a broken pair in between changes nothing, and no request fails."""
    renewed = Authority(tmp_path / "renewed", "renewed")
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    both = tmp_path / "both.pem"
    both.write_bytes(authority.certificate.read_bytes() + renewed.certificate.read_bytes())

    def install(identity):
        for path, source in ((certificate, identity.certificate), (key, identity.key)):
            fresh = path.with_suffix(".new")
            fresh.write_bytes(source.read_bytes())
            fresh.rename(path)

    install(authority.issue("server"))
    server = serve(directory, *config_flags(tmp_path, tls={"cert_file": str(certificate), "key_file": str(key)}), tls=client_context(both))
    sent = 0

    def send_both():
        nonlocal sent
        for protocol in ("grpc", "http"):
            assert export(server, protocol, both) is SpanExportResult.SUCCESS, protocol
            sent += 3

    def shown(address, ca):
        """Whether the server at this address has a certificate that this authority signed."""
        host, port = address.rsplit(":", 1)
        try:
            with socket.create_connection((host, int(port)), timeout=5) as plain, client_context(ca).wrap_socket(plain, server_hostname=host):
                return True
        except ssl.SSLError:
            return False

    def both_show(ca):
        send_both()
        return shown(server.grpc, ca) and shown(server.http, ca)

    assert both_show(authority.certificate)
    certificate.write_text("no certificate")
    wait_for(lambda: send_both() or str(certificate) in server.log().split("is ready", 1)[1], timeout=20, what="a word on the broken file")
    assert both_show(authority.certificate)
    install(renewed.issue("server"))
    wait_for(lambda: both_show(renewed.certificate), timeout=30, what="the new certificate")
    assert not shown(server.http, authority.certificate) and not shown(server.grpc, authority.certificate)
    server.stop()
    assert store.count_rows(directory, "traces") == sent


# --- one client at its limit beside good ones ------------------------------------------------------------------------


def test_a_client_at_its_limit_beside_good_ones(serve, directory, tmp_path):
    """One address opens connections beyond its limit and stalls in the middle of each request; those of another address are all taken."""
    server = serve(directory, *config_flags(tmp_path, http={"max_connections_per_client": 8, "header_timeout_secs": 2, "request_timeout_secs": 3}))
    host, port = server.http.rsplit(":", 1)
    stalled = [b"POST /v1/tra", b"POST /v1/traces HTTP/1.1\r\nHost: x\r\n", b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"]
    greedy = []

    def open_more():
        for number in range(40):
            connection = socket.create_connection((host, int(port)), timeout=5, source_address=("127.0.0.2", 0))
            with contextlib.suppress(OSError):
                connection.sendall(stalled[number % 3])
            greedy.append(connection)

    load = Load(server, threads=4, items=10, pause=0.002)
    for _ in range(3):
        open_more()
        load.wait_for(load.count() + 400)
    # Beyond the limit there is an answer, or a closed connection, at once.
    late = socket.create_connection((host, int(port)), timeout=10, source_address=("127.0.0.2", 0))
    with contextlib.suppress(ConnectionResetError):
        late.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = late.recv(4096)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 503"), answer
    # Those that stall are closed when their time is over, and the address has its connections again.
    wait_for(lambda: works(server, "127.0.0.2"), timeout=20, every=0.2, what="room for the greedy client")
    load.stop()
    assert not load.refusals and not load.undecided["traces"]
    for connection in [*greedy, late]:
        connection.close()
    server.stop()
    assert_nothing_lost(directory, [load])


def works(server, source):
    try:
        return ask(server.http, "GET", "/healthz", source=(source, 0))[0] == 200
    except (OSError, http.client.HTTPException):
        return False


# --- the machine -----------------------------------------------------------------------------------------------------


def test_the_directory_is_removed(serve, directory):
    """Senders are told to try again and why, /readyz names the directory, what is counted balances, and the end comes in time."""
    server = serve(directory, "--write-interval-secs", "1", "--shutdown-timeout-secs", "1")
    load = Load(server, threads=2, items=20, pause=0.002)
    load.wait_for(200)
    shutil.rmtree(directory, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)  # what was written meanwhile
    status, text = wait_for(lambda: (answer := server.get("/readyz"))[0] == 503 and answer, what="/readyz to say no")
    assert str(directory) in text, text
    wait_for(lambda: load.refusals.keys() >= {503, "UNAVAILABLE"} or load.count() > 20_000, what="refusals")
    load.stop()
    assert_balanced(server.ledger())
    assert server.alive() and server.get("/healthz")[0] == 200
    server.process.terminate()
    assert server.process.wait(20) in (0, 1), server.log()


def test_a_clock_that_is_set_back_and_forth(serve, directory, tmp_path, clock):
    """Files get their names and ages by the wall clock; nothing is lost or stored twice when it jumps, and retention deletes nothing young."""
    clock.set(0)
    server = serve(directory, "--write-interval-secs", "1", "--trace-cleanup-interval-secs", "86400", env=clock.environment)
    load = Load(server, items=10, pause=0.002)
    for seconds in (-3600, -40, -7200, 0, -1):
        load.wait_for(load.count() + 50)
        clock.set(seconds)
        files = set(store.files(directory, "traces"))
        wait_for(lambda files=files: set(store.files(directory, "traces")) - files, what="a file after the jump")
    load.stop()
    assert_balanced(server.ledger())
    assert server.ledger()["traces"]["expired"] == 0
    server.stop()
    assert_nothing_lost(directory, [load])
    assert_balanced(inspect(directory)["ledger"])
