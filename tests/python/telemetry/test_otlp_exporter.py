"""OTLPExporter: what arrives at a backend, and what happens where none takes it."""

from __future__ import annotations

import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

import backends
import grpc
import programs
import pytest
import stored
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor as StockBatchSpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor as StockSimpleSpanProcessor
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from otlp_arrow_library import MockOtlpService, OtlpConfigError, OtlpShutdownError
from otlp_arrow_library.telemetry import ExportResult, OTLPExporter, Span, SpanEvent, SpanLink, SpanStatus, StatusCode

SECRET = "tell-nobody"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for variable in [name for name in os.environ if name.startswith("OTEL_EXPORTER_OTLP_")]:
        monkeypatch.delenv(variable)
    return monkeypatch


@pytest.fixture
def service():
    with MockOtlpService() as started:
        yield started


def a_span(name="order", **more):
    return Span(trace_id="0af7651916cd43dd8448eb211c80319c", span_id="b7ad6b7169203331", name=name, **more)


def sdk_spans(*names):
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    provider.add_span_processor(StockSimpleSpanProcessor(kept))
    for name in names:
        provider.get_tracer("t").start_span(name, attributes={"a": 1}).end()
    return list(kept.get_finished_spans())


def closed_port():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return closed.getsockname()[1]


def endpoint_of(service, protocol):
    return service.grpc_endpoint if protocol == "grpc" else service.http_endpoint


both = pytest.mark.parametrize("protocol", ["grpc", "http"])


@both
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_every_field_arrives(service, protocol, compression):
    exporter = OTLPExporter(endpoint_of(service, protocol), protocol=protocol, compression=compression)
    span = a_span(
        parent_span_id="00f067aa0ba902b7",
        start_time=1_700_000_000.25,
        end_time=1_700_000_001.5,
        attributes={"id": 4711, "list": [1, 2]},
        events=[SpanEvent("cart checked", 1_700_000_000.5, {"items": 3}), {"name": "packed", "timestamp": 1_700_000_001.0}],
        status=SpanStatus(StatusCode.ERROR, "out of pears"),
        links=[SpanLink("1" * 32, "2" * 16, {"reason": "batch"})],
        resource={"service.name": "shop"},
        scope="checkout",
    )
    assert exporter.export([span]) is ExportResult.SUCCESS
    exporter.shutdown()
    got = service.spans.one("order")
    assert (got.trace_id, got.span_id, got.parent_span_id) == (span.trace_id, span.span_id, span.parent_span_id)
    assert (got.start_time, got.end_time, got.kind) == (1_700_000_000_250_000_000, 1_700_000_001_500_000_000, "INTERNAL")
    assert got.attributes == {"id": 4711, "list": [1, 2]}
    assert [(event.name, event.time, event.attributes) for event in got.events] == [
        ("cart checked", 1_700_000_000_500_000_000, {"items": 3}),
        ("packed", 1_700_000_001_000_000_000, {}),
    ]
    assert (got.status_code, got.status_message) == ("ERROR", "out of pears")
    assert [(link.trace_id, link.span_id, link.attributes) for link in got.links] == [("1" * 32, "2" * 16, {"reason": "batch"})]
    assert got.resource.service_name == "shop" and got.scope.name == "checkout"


@both
def test_all_forms_of_spans_in_one_request(service, protocol):
    exporter = OTLPExporter(endpoint_of(service, protocol), protocol=protocol)
    stock = sdk_spans("stock")
    dictionary = {"trace_id": "1" * 32, "span_id": "2" * 16, "name": "dictionary"}
    assert exporter.export([a_span("own"), *stock, dictionary, Span.of(sdk_spans("copy")[0])]) is ExportResult.SUCCESS
    assert sorted(service.spans.names) == ["copy", "dictionary", "own", "stock"] and len(service.spans.requests) == 1
    assert service.spans.one("stock").resource.service_name == service.spans.one("copy").resource.service_name == "shop"


def test_a_copy_of_an_sdk_span_arrives_as_the_span_itself(service):
    exporter = OTLPExporter(service.http_endpoint, protocol="http")
    spans = sdk_spans("same")
    exporter.export(spans)
    exporter.export([Span.of(spans[0])])
    first, second = service.spans
    assert (first.start_time, first.end_time, first.attributes, first.scope, first.resource, first.kind) == (
        second.start_time,
        second.end_time,
        second.attributes,
        second.scope,
        second.resource,
        second.kind,
    )


def test_nothing_to_send(service):
    exporter = OTLPExporter(service.http_endpoint)
    assert exporter.export([]) is ExportResult.SUCCESS and exporter.force_flush() and not service.spans.requests


def test_headers_and_path_over_http(environment):
    with backends.http_backend() as (url, seen):
        OTLPExporter(url + "/prefix", headers={"Authorization": f"Bearer {SECRET}", "X-Tenant": "7"}).export([a_span()])
        OTLPExporter(url + "/v1/traces").export([a_span()])
        environment.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=general,broken")
        environment.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "X-Tenant=a%20b , y=2=3")
        environment.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url + "/own")
        OTLPExporter(protocol="http/protobuf").export([a_span()])
        environment.delenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url + "/")
        OTLPExporter(protocol="http", compression="gzip").export([a_span()])
    assert [request.path for request in seen] == ["/prefix/v1/traces", "/v1/traces", "/own", "/v1/traces"]
    assert seen[0].headers["authorization"] == f"Bearer {SECRET}" and seen[0].headers["x-tenant"] == "7"
    assert seen[2].headers["x-tenant"] == "a b" and seen[2].headers["y"] == "2=3"
    assert seen[3].headers["content-encoding"] == "gzip" and all(request.names == ["order"] for request in seen)


def test_headers_over_grpc():
    with backends.grpc_backend() as (url, seen):
        exporter = OTLPExporter(url, headers={"Authorization": f"Bearer {SECRET}"}, protocol="grpc")
        assert exporter.export([a_span()]) is ExportResult.SUCCESS
        exporter.shutdown()
    assert seen[0].headers["authorization"] == f"Bearer {SECRET}" and seen[0].names == ["order"]


@both
def test_no_secret_is_told(protocol, caplog):
    headers = {"authorization": SECRET}
    exporter = OTLPExporter(f"http://127.0.0.1:{closed_port()}", headers=headers, timeout=50, protocol=protocol)
    assert exporter.export([a_span()]) is ExportResult.FAILURE
    assert SECRET not in repr(exporter) + repr(vars(exporter)) + caplog.text + str(exporter.last_error)
    for arguments in ({"endpoint": f"http://user:{SECRET}@host"}, {"endpoint": f"http://host/?key={SECRET}"}):
        with pytest.raises(OtlpConfigError) as raised:
            OTLPExporter(**arguments)
        assert SECRET not in str(raised.value)
    with pytest.raises(OtlpConfigError, match="'x-key'") as raised:
        OTLPExporter("http://host", headers={"x-key": SECRET + "\n"})
    assert SECRET not in str(raised.value)


@both
@pytest.mark.parametrize("answer", ["unavailable", "overloaded"])
def test_tries_again(service, protocol, answer):
    exporter = OTLPExporter(endpoint_of(service, protocol), protocol=protocol, retry_delay=1)
    times = 3 if (protocol, answer) == ("grpc", "unavailable") else 1  # the others ask for a second's patience
    service.answer_next(times, answer)
    assert exporter.export([a_span()]) is ExportResult.SUCCESS and exporter.last_error is None
    assert service.spans.names == ["order"] and service.refused_requests == times


def test_waits_as_long_as_it_is_asked_to():
    with backends.http_backend([(429, {"Retry-After": "1"}, b"")]) as (url, seen):
        assert OTLPExporter(url, protocol="http", retry_delay=1).export([a_span()]) is ExportResult.SUCCESS
    assert len(seen) == 2 and seen[1].time - seen[0].time >= 1
    with backends.grpc_backend([(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", 0.3)]) as (url, seen):
        assert OTLPExporter(url, protocol="grpc", retry_delay=1).export([a_span()]) is ExportResult.SUCCESS
    assert len(seen) == 2 and seen[1].time - seen[0].time >= 0.3


def test_does_not_wait_longer_than_the_timeout():
    with backends.http_backend([(503, {"Retry-After": "3600"}, b"")]) as (url, seen):
        exporter = OTLPExporter(url, protocol="http", timeout=60_000)
        assert exporter.export([a_span()]) is ExportResult.FAILURE
    assert len(seen) == 1 and exporter.last_error.retryable and "HTTP 503" in str(exporter.last_error)


@both
def test_a_refused_request_is_not_sent_again(service, protocol, caplog):
    exporter = OTLPExporter(endpoint_of(service, protocol), protocol=protocol)
    service.answer_next(1, "refused", "not such spans")
    assert exporter.export([a_span("bad")]) is ExportResult.FAILURE
    assert service.refused_requests == 1 and not exporter.last_error.retryable
    assert "not such spans" in str(exporter.last_error) and "not such spans" in caplog.text
    assert exporter.export([a_span("good")]) is ExportResult.SUCCESS and exporter.last_error is None
    assert service.spans.names == ["good"]


def test_failing_authentication():
    with backends.http_backend([(401, {"Content-Type": "text/plain"}, b"who are you?")]) as (url, seen):
        exporter = OTLPExporter(url, protocol="http")
        assert exporter.export([a_span()]) is ExportResult.FAILURE
    assert len(seen) == 1 and "HTTP 401: who are you?" in str(exporter.last_error)
    with backends.grpc_backend([(grpc.StatusCode.UNAUTHENTICATED, "who are you?", None)]) as (url, seen):
        exporter = OTLPExporter(url, protocol="grpc")
        assert exporter.export([a_span()]) is ExportResult.FAILURE
    assert len(seen) == 1 and "UNAUTHENTICATED: who are you?" in str(exporter.last_error)


def test_partial_success_is_counted_and_told(caplog):
    answers = [(200, {}, backends.partial(1, "too old")), (200, {}, backends.partial(0, "soon too old"))]
    with backends.http_backend(answers) as (url, _):
        exporter = OTLPExporter(url, protocol="http")
        assert exporter.export([a_span("one"), a_span("two")]) is ExportResult.SUCCESS
        assert exporter.rejected_spans == 1 and "left out 1 spans: too old" in caplog.text
        assert exporter.export([a_span("three")]) is ExportResult.SUCCESS
    assert exporter.rejected_spans == 1 and "soon too old" in caplog.text


@both
def test_nobody_listens(protocol):
    exporter = OTLPExporter(f"http://127.0.0.1:{closed_port()}", timeout=200, protocol=protocol, retry_delay=1)
    assert exporter.export([a_span()]) is ExportResult.FAILURE
    assert exporter.last_error.retryable and "200 ms" in str(exporter.last_error)


@both
def test_a_peer_that_never_answers(protocol):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        exporter = OTLPExporter(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=200, protocol=protocol)
        assert exporter.export([a_span()]) is ExportResult.FAILURE and exporter.last_error.retryable


@both
def test_the_wrong_protocol_is_told(service, protocol):
    exporter = OTLPExporter(endpoint_of(service, "http" if protocol == "grpc" else "grpc"), protocol=protocol, timeout=2000)
    assert exporter.export([a_span()]) is ExportResult.FAILURE and str(exporter.last_error) != ""


@both
def test_an_endpoint_that_does_not_tell_its_protocol(service, protocol):
    """A port of one's own: HTTP is tried, and gRPC where that is what the peer speaks."""
    exporter = OTLPExporter(endpoint_of(service, protocol), headers={"x-tenant": "7"})
    for name in ("one", "two"):
        assert exporter.export([a_span(name)]) is ExportResult.SUCCESS
    assert service.spans.names == ["one", "two"] and f"({protocol})" in repr(exporter)


def test_shutdown_ends_an_export_that_waits():
    with backends.http_backend([(503, {}, b"")] * 1000) as (url, seen):
        exporter = OTLPExporter(url, protocol="http", timeout=3_600_000, retry_delay=30_000)
        results = []
        thread = threading.Thread(target=lambda: results.append(exporter.export([a_span()])))
        thread.start()
        while not seen:
            time.sleep(0.001)
        exporter.shutdown()
        thread.join(30)
        assert results == [ExportResult.FAILURE] and isinstance(exporter.last_error, OtlpShutdownError)
        exporter.shutdown()
        assert exporter.export([a_span()]) is ExportResult.FAILURE and len(seen) == 1
    assert repr(exporter).endswith("shut down>")


def test_a_span_that_cannot_be_encoded_takes_no_other_one_with_it(service):
    exporter = OTLPExporter(service.http_endpoint, protocol="http")
    bad = Span(trace_id="not hexadecimal", span_id="2" * 16, name="bad")
    assert exporter.export([a_span("one"), bad, 7, a_span("two", events=[{"name": "no time", "timestamp": float("nan")}]), a_span("three")]) is ExportResult.FAILURE
    assert service.spans.names == ["one", "three"] and exporter.last_error is not None
    assert exporter.export(7) is ExportResult.FAILURE


def test_many_threads(service):
    exporter = OTLPExporter(service.http_endpoint, protocol="http")
    failures = []

    def work(number):
        if exporter.export([a_span(f"{number}")]) is not ExportResult.SUCCESS:
            failures.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and sorted(map(int, service.spans.names)) == list(range(32))


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        ({}, {}, "http://localhost:4318 (http)"),
        ({"endpoint": "http://host:4317"}, {}, "http://host:4317 (grpc)"),
        ({"endpoint": "host:4317"}, {}, "http://host:4317 (grpc)"),
        ({"endpoint": "host:4317"}, {"PROTOCOL": "http/protobuf"}, "http://host:4317 (grpc)"),
        ({"endpoint": "http://host:4318"}, {"PROTOCOL": "grpc"}, "http://host:4318 (http)"),
        ({"endpoint": "http://host:9999"}, {"PROTOCOL": "grpc"}, "http://host:9999 (grpc)"),
        ({"endpoint": "http://host:9999/path"}, {}, "http://host:9999 (http)"),
        ({"endpoint": "host:9999"}, {}, "http://host:9999 (http)"),
        ({"endpoint": "https://host"}, {}, "https://host:443 (http)"),
        ({"endpoint": "https://host", "protocol": "grpc"}, {}, "https://host:443 (grpc)"),
        ({}, {"PROTOCOL": "grpc"}, "http://localhost:4317 (grpc)"),
        ({}, {"PROTOCOL": "http/protobuf", "ENDPOINT": "http://host:4317"}, "http://host:4317 (http)"),
        ({}, {"ENDPOINT": "http://host:4317"}, "http://host:4317 (grpc)"),
        ({}, {"ENDPOINT": "http://general:4317", "TRACES_ENDPOINT": "http://own:4318/v1/traces"}, "http://own:4318 (http)"),
        ({}, {"PROTOCOL": "grpc", "TRACES_PROTOCOL": "http/protobuf"}, "http://localhost:4318 (http)"),
    ],
)
def test_where_it_sends_and_how(environment, arguments, variables, expected):
    for name, value in variables.items():
        environment.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
    assert expected in repr(OTLPExporter(**arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"endpoint": "ftp://host"}, "known are http and https"),
        ({"endpoint": 7}, "endpoint is of type int"),
        ({"endpoint": "http://host:x"}, "http://host:x"),
        ({"headers": ["a"]}, "headers is of type list"),
        ({"headers": {"a": 1}}, "headers: 'a'"),
        ({"headers": {"a b": "1"}}, "header 'a b'"),
        ({"timeout": 0}, "timeout: 0 is out of range"),
        ({"timeout": "10"}, "timeout: '10'"),
        ({"protocol": "soap"}, "'soap' is unknown; allowed are grpc"),
        ({"compression": "zip"}, "'zip' is unknown; allowed are none and gzip"),
        ({"retry_delay": 0}, "retry_delay: 0"),
        ({"endpoint": "https://host", "certificate_file": "/nowhere.pem"}, "/nowhere.pem"),
    ],
)
def test_settings_that_cannot_be(arguments, message):
    with pytest.raises(OtlpConfigError, match=message):
        OTLPExporter(**arguments)


@pytest.mark.parametrize(("name", "value"), [("TIMEOUT", "soon"), ("PROTOCOL", "soap"), ("COMPRESSION", "zip"), ("TIMEOUT", "-1")])
def test_variables_that_cannot_be(environment, name, value):
    environment.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
    with pytest.raises(OtlpConfigError, match=f"OTEL_EXPORTER_OTLP_{name}: .*{value}"):
        OTLPExporter()


def test_the_timeout_of_the_environment(environment):
    environment.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "150")
    exporter = OTLPExporter(f"http://127.0.0.1:{closed_port()}", protocol="http", retry_delay=1)
    assert exporter.export([a_span()]) is ExportResult.FAILURE and "150 ms" in str(exporter.last_error)


def test_in_a_processor_of_the_stock_sdk(service):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(StockBatchSpanProcessor(OTLPExporter(service.grpc_endpoint, protocol="grpc")))
    provider.get_tracer("t").start_span("stock").end()
    provider.shutdown()
    assert service.spans.names == ["stock"] and SpanExportResult.SUCCESS.value == ExportResult.SUCCESS.value


@both
def test_in_a_forked_child(protocol):
    """Over HTTP each process has its own connection. Over gRPC a child that is forked after the first export says what is wrong."""
    with MockOtlpService() as service:
        program = """
            import os, sys
            from otlp_arrow_library.telemetry import OTLPExporter, Span
            endpoint, protocol = sys.argv[1:]
            def export(exporter, name):
                return exporter.export([Span(trace_id="1" * 32, span_id="2" * 16, name=name)]).name
            def child(exporter, name):
                pid = os.fork()
                if pid == 0:
                    print(name, export(exporter, name), exporter.last_error, flush=True)
                    os._exit(0)
                os.waitpid(pid, 0)
            exporter = OTLPExporter(endpoint, protocol=protocol)
            child(exporter, "early")
            print("parent", export(exporter, "parent"), flush=True)
            child(exporter, "late")
            print("again", export(exporter, "again"))
        """
        lines = programs.run(program, endpoint_of(service, protocol), protocol).stdout.splitlines()
        assert lines[0] == "early SUCCESS None" and lines[1] == "parent SUCCESS" and lines[3] == "again SUCCESS"
        if protocol == "http":
            assert lines[2] == "late SUCCESS None" and service.spans.names == ["early", "parent", "late", "again"]
        else:
            assert "late FAILURE" in lines[2] and "forked" in lines[2] and service.spans.names == ["early", "parent", "again"]


def test_ctrl_c_ends_the_waiting():
    """A program that exports on its main thread to a backend that does not answer can be interrupted."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        program = """
            import os, signal, sys, threading
            from otlp_arrow_library.telemetry import OTLPExporter, Span
            exporter = OTLPExporter(sys.argv[1], protocol="http", timeout=3_600_000)
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                exporter.export([Span(trace_id="1" * 32, span_id="2" * 16)])
            except KeyboardInterrupt:
                print("interrupted", flush=True)
        """
        done = programs.run(program, f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert done.stdout == "interrupted\n"


def certificate(directory: pathlib.Path):
    """(certificate, key) of 127.0.0.1, made by openssl."""
    paths = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-out", paths[0], "-keyout", paths[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return paths


def test_tls(tmp_path, monkeypatch):
    chain, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    with backends.http_backend(tls=context) as (url, seen):
        trusting = OTLPExporter(url, protocol="http", certificate_file=chain)
        assert trusting.export([a_span()]) is ExportResult.SUCCESS and seen[0].names == ["order"]
        doubtful = OTLPExporter(url, protocol="http")
        assert doubtful.export([a_span()]) is ExportResult.FAILURE and "TLS" in str(doubtful.last_error)
    with backends.grpc_backend(tls=(key.read_bytes(), chain.read_bytes())) as (url, seen):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(chain))
        assert OTLPExporter(url, protocol="grpc").export([a_span()]) is ExportResult.SUCCESS and seen[0].names == ["order"]


def test_to_otlp_arrow_serve(tmp_path):
    """The service takes what both protocols bring, and stores it."""
    command = [sys.executable, "-m", "otlp_arrow_library._cli", "serve", "--output-dir", str(tmp_path)]
    command += ["--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--flight-address", "127.0.0.1:0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        addresses = {}
        for line in server.stderr:
            if found := re.match(r"\s*OTLP/(gRPC|HTTP)\s+(\S+)", line):
                addresses[found[1].lower()] = found[2]
            if len(addresses) == 2:
                break
        for protocol, address in addresses.items():
            exporter = OTLPExporter(f"http://{address}", protocol=protocol)
            assert exporter.export([a_span(protocol)]) is ExportResult.SUCCESS, exporter.last_error
    finally:
        server.terminate()
        server.communicate(timeout=30)
    assert server.returncode == 0 and stored.names(tmp_path) == ["grpc", "http"]
