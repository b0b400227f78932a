"""OTLP/HTTP as people use it: with curl, over TLS, from web pages, and with whatever encoding they like."""

import gzip
import json
import subprocess
import zlib

import pytest
import store
from harness import assert_balanced, wait_for
from peers.certificates import Authority

SPAN = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "checkout", "kind": 2,
        "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000",
        "attributes": [{"key": "cart.items", "value": {"intValue": "3"}}]}
TRACES = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}, "scopeSpans": [{"spans": [SPAN]}]}]}
JSON = ("-H", "Content-Type: application/json")


def curl(url, *arguments, body=None):
    """Status, headers by lower-case name, and text of one request; status 0 where the connection failed."""
    command = ["curl", "-sS", "-i", "--max-time", "20", *map(str, arguments), *(["--data-binary", "@-"] if body is not None else []), url]
    result = subprocess.run(command, input=body, capture_output=True, timeout=30)
    if result.returncode:
        return 0, {}, result.stderr.decode()
    head, _, text = result.stdout.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head, _, text = text.partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    return int(first.split()[1]), {n.lower(): v.strip() for n, _, v in (f.partition(":") for f in fields)}, text.decode(errors="replace")


def test_what_people_type(serve, directory):
    server = serve(directory)
    url = f"http://{server.http}/v1/traces"
    text = json.dumps(TRACES).encode()
    status, headers, answer = curl(url, *JSON, body=text)
    assert (status, headers["content-type"], answer) == (200, "application/json", "{}")
    for encoding, body in {"gzip": gzip.compress(text), "deflate": zlib.compress(text)}.items():
        assert curl(url, *JSON, "-H", f"Content-Encoding: {encoding}", body=body)[0] == 200
    assert curl(url, *JSON, "-H", "Transfer-Encoding: chunked", body=text)[0] == 200
    assert curl(url, *JSON, "--http1.0", body=text)[0] == 200
    # curl's own Content-Type, forgotten bodies, and mistakes.
    status, headers, answer = curl(url, body=text)
    assert status == 415 and "application/json" in json.loads(answer)["message"]
    assert curl(url, *JSON, "-X", "POST")[0] == 411
    status, headers, answer = curl(url, *JSON, body=text.replace(b"5b8efff7", b"not hex!"))
    assert status == 400 and "traceId" in json.loads(answer)["message"] and json.loads(answer)["code"] == 3
    status, headers, answer = curl(f"http://{server.http}/v1/trace", *JSON, body=text)
    assert status == 404 and "/v1/traces" in json.loads(answer)["message"]
    status, headers, answer = curl(url)
    assert status == 405 and headers["allow"] == "POST" and json.loads(answer)["code"] == 12
    ledger = server.ledger()
    assert_balanced(ledger)
    assert ledger["traces"]["received"] == 5 and ledger["unreadable_requests"] == {"bad_request": 2, "malformed": 1}
    server.stop()
    assert store.count_rows(directory, "traces") == 5


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("http-authority"))


def tls_flags(identity, client_ca=None):
    flags = ["--tls-cert-file", identity.certificate, "--tls-key-file", identity.key]
    return flags + (["--tls-client-ca-file", client_ca] if client_ca else [])


def start_with_tls(serve, directory, *flags):
    """A server whose pages are behind TLS: it is up when it says where it listens."""
    server = serve(directory, *flags, ready=False)
    wait_for(server._find_addresses, what="the address")
    return server


def test_tls_and_its_certificates(serve, directory, authority, tmp_path):
    first, second = authority.issue("first"), authority.issue("second")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_bytes(first.certificate.read_bytes())
    key.write_bytes(first.key.read_bytes())
    server = start_with_tls(serve, directory, "--tls-cert-file", certificate, "--tls-key-file", key)
    url, trust = f"https://{server.http}/v1/traces", ("--cacert", authority.certificate)
    body = json.dumps(TRACES).encode()
    assert curl(url, *trust, *JSON, body=body)[0] == 200
    assert "certificate" in curl(url, *JSON, body=body)[2], "nobody vouches for the authority"
    status, _, text = curl(f"http://{server.http}/healthz")
    assert status == 400 and "https://" in text
    assert curl(url, *trust, "--tls-max", "1.1", *JSON, body=body)[0] == 0
    # Renewed while it runs: the name in the subject tells which one is shown.
    certificate.write_bytes(second.certificate.read_bytes())
    key.write_bytes(second.key.read_bytes())
    host, port = server.http.rsplit(":", 1)

    def shown():
        return subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}"], input=b"", capture_output=True, timeout=20).stdout

    wait_for(lambda: b"CN = second" in shown() or b"CN=second" in shown(), what="the new certificate", every=0.3)
    assert curl(url, *trust, *JSON, body=body)[0] == 200
    server.stop()
    assert store.count_rows(directory, "traces") == 2


def test_mutual_tls(serve, directory, authority, tmp_path):
    stranger = Authority(tmp_path / "stranger").issue("client")
    good, expired = authority.issue("client"), authority.issue("expired-client", expired=True)
    server = start_with_tls(serve, directory, *tls_flags(authority.issue("server"), authority.certificate))
    url, body = f"https://{server.http}/v1/traces", json.dumps(TRACES).encode()

    def send(*identity):
        return curl(url, "--cacert", authority.certificate, *identity, *JSON, body=body)[0]

    assert send("--cert", good.certificate, "--key", good.key) == 200
    for identity in (expired, stranger):
        assert send("--cert", identity.certificate, "--key", identity.key) == 0
    assert send() == 0
    server.stop()
    assert store.count_rows(directory, "traces") == 1


def test_tokens_from_a_file(serve, directory, tmp_path):
    token = tmp_path / "token"
    token.write_text("sesame-123\n")
    config = tmp_path / "config.yaml"
    config.write_text("auth: {bearer_tokens: ['${file:%s}']}\nhttp: {cors_allowed_origins: ['https://app.example'], metrics_without_auth: true}\n" % token)
    server = serve(directory, "--config", config)
    url, body = f"http://{server.http}/v1/traces", json.dumps(TRACES).encode()
    status, headers, answer = curl(url, *JSON, body=body)
    assert status == 401 and headers["www-authenticate"].startswith("Bearer") and "sesame" not in answer
    assert curl(url, *JSON, "-H", "Authorization: Bearer sesame-12", body=body)[0] == 401
    assert curl(url, *JSON, "-H", "Authorization: Bearer sesame-123", body=body)[0] == 200
    preflight = ("-X", "OPTIONS", "-H", "Access-Control-Request-Method: POST", "-H", "Access-Control-Request-Headers: content-type,authorization")
    status, headers, _ = curl(url, *preflight, "-H", "Origin: https://app.example")
    assert status == 204 and headers["access-control-allow-origin"] == "https://app.example" and "Authorization" in headers["access-control-allow-headers"]
    assert curl(url, *preflight, "-H", "Origin: https://evil.example")[0] == 403
    assert server.ledger()["unreadable_requests"] == {"unauthorized": 2}
    assert "sesame" not in server.log()
    server.stop()
    assert store.count_rows(directory, "traces") == 1
