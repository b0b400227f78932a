"""A library that forwards: to real gRPC and HTTP servers, through outages, in forked processes, at the end of the interpreter."""

import pathlib
import time

import pytest

import programs
import stored
from otlp_arrow_library import ForwardingConfig, MockOtlpService, OtlpConfigError, OtlpExportError, OtlpLibrary

FAST = {"batch_delay_ms": 0, "retry_initial_ms": 10, "retry_max_ms": 100, "breaker_failures": 0}


@pytest.fixture
def service():
    with MockOtlpService() as started:
        yield started


def to(service: MockOtlpService, protocol: str = "http", **fields) -> ForwardingConfig:
    endpoint = service.grpc_endpoint if protocol == "grpc" else service.http_endpoint
    return ForwardingConfig(endpoint=endpoint, protocol=protocol, **{**FAST, **fields})


def wait_for(condition, what: str, timeout: float = 20) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def arrived(service: MockOtlpService) -> list[str]:
    return sorted(str(name) for name in service.spans.names)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_what_is_recorded_arrives_and_is_stored(directory, service, protocol):
    with OtlpLibrary(output_dir=directory, forwarding=to(service, protocol, name="main")) as library:
        library.export_otlp("traces", stored.trace_request("one", "two"))
        service.wait_for_spans(2)
        wait_for(lambda: library.stats().destinations[0].traces.sent == 2, "the answer to be counted")
        stats = library.stats().destinations[0]
    assert arrived(service) == ["one", "two"]
    assert stored.names(directory) == ["one", "two"]
    assert (stats.name, stats.protocol, stats.breaker) == ("main", protocol, "closed")
    assert (stats.traces.accepted, stats.traces.rejected, stats.traces.given_up, stats.traces.backlog) == (2, 0, {}, 0)
    assert stats.logs.accepted == 0
    assert (stats.requests, stats.failures, stats.last_error) == (1, 0, "")
    assert sum(stats.send_latency) == 1 and len(stats.send_latency) == len(stats.LATENCY_BOUNDS) + 1
    assert stats.bytes_sent > 0 and stats.send_latency_sum_secs > 0


def test_each_destination_gets_its_signals(directory, service):
    with MockOtlpService() as other:
        forwarding = [to(service), to(other, signals=["logs"])]
        with OtlpLibrary(output_dir=directory, forwarding=forwarding) as library:
            library.export_otlp("traces", stored.trace_request("one"))
            library.export_logs([{"body": "hello"}])
            service.wait_for_spans(1)
            service.wait_for_logs(1)
            other.wait_for_logs(1)
        assert len(other.spans) == 0


def test_a_busy_destination_gets_it_later(directory, service):
    service.answer_next(3, "unavailable", "not yet")
    with OtlpLibrary(output_dir=directory, forwarding=to(service)) as library:
        library.export_otlp("traces", stored.trace_request("one"))
        service.wait_for_spans(1)
        wait_for(lambda: library.stats().destinations[0].traces.sent == 1, "the answer to be counted")
        stats = library.stats().destinations[0]
    assert (stats.failures, stats.retries) == (3, 3)
    assert arrived(service) == ["one"]


def test_the_next_library_sends_what_a_dead_destination_did_not_take(directory):
    with MockOtlpService() as gone:
        away = to(gone, name="main")
    with OtlpLibrary(output_dir=directory, forwarding=away, shutdown_timeout_secs=1) as library:
        library.export_otlp("traces", stored.trace_request("one"))
        wait_for(lambda: library.stats().destinations[0].failures > 0, "an attempt")
        assert library.stats().destinations[0].last_error != ""
    assert stored.names(directory) == ["one"]
    with MockOtlpService() as service, OtlpLibrary(output_dir=directory, forwarding=to(service, name="main")) as library:
        service.wait_for_spans(1)
        assert arrived(service) == ["one"]
    assert stored.names(directory) == ["one"]


def test_a_relay_stores_nothing(directory, service):
    with OtlpLibrary(output_dir=directory, forwarding=to(service, signals=["traces"]), store=False) as library:
        library.export_otlp("traces", stored.trace_request("one"))
        service.wait_for_spans(1)
        wait_for(lambda: library.stats().traces.relayed == 1, "it to be relayed")
        with pytest.raises(OtlpExportError):
            library.export_logs([{"body": "nobody takes it"}])
        stats = library.stats()
    assert (stats.traces.received, stats.traces.stored, stats.traces.in_flight) == (1, 0, 0)
    assert stats.logs.refused == {"no_destination": 1}
    assert not list(pathlib.Path(directory).rglob("*.arrow"))


def test_secrets_are_looked_up(directory, service, monkeypatch):
    monkeypatch.setenv("THE_TOKEN", "hush")
    with OtlpLibrary(output_dir=directory, forwarding=to(service, bearer_token="${env:THE_TOKEN}")) as library:
        library.export_otlp("traces", stored.trace_request("one"))
        service.wait_for_spans(1)
        assert "hush" not in repr(library.config) and "hush" not in repr(library.stats())
    with pytest.raises(OtlpConfigError, match="THE_OTHER_TOKEN"):
        OtlpLibrary(output_dir=directory, forwarding=to(service, bearer_token="${env:THE_OTHER_TOKEN}"))


def test_only_a_library_that_forwards_loads_the_senders(directory):
    programs.run(
        """
        import sys
        from otlp_arrow_library import ForwardingConfig, OtlpLibrary
        forwarding = ForwardingConfig(endpoint="http://127.0.0.1:1", enabled=False)
        with OtlpLibrary(output_dir=sys.argv[1], forwarding=forwarding) as library:
            assert library.stats().destinations == ()
            assert "otlp_arrow_library._service" not in sys.modules
        """,
        directory,
    )


def test_the_end_of_the_interpreter_sends_what_is_left(directory, service):
    programs.run(
        """
        import sys, stored
        from otlp_arrow_library import ForwardingConfig, OtlpLibrary
        library = OtlpLibrary(output_dir=sys.argv[1], forwarding=ForwardingConfig(endpoint=sys.argv[2], protocol="http", batch_delay_ms=60000))
        library.export_otlp("traces", stored.trace_request("last"))
        """,
        directory,
        service.http_endpoint,
    )
    assert arrived(service) == ["last"]


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_forked_children_forward_too(directory, service, protocol):
    programs.run(
        """
        import os, sys, stored
        from otlp_arrow_library import ForwardingConfig, OtlpLibrary
        forwarding = ForwardingConfig(endpoint=sys.argv[2], protocol=sys.argv[3], batch_delay_ms=0)
        library = OtlpLibrary(output_dir=sys.argv[1], forwarding=forwarding)
        library.export_otlp("traces", stored.trace_request("before"))
        children = []
        for number in range(3):
            child = os.fork()
            if child == 0:
                library.export_otlp("traces", stored.trace_request(f"child {number}"))
                library.shutdown()
                os._exit(0)
            children.append(child)
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
        library.export_otlp("traces", stored.trace_request("after"))
        """,
        directory,
        service.grpc_endpoint if protocol == "grpc" else service.http_endpoint,
        protocol,
    )
    assert arrived(service) == ["after", "before", "child 0", "child 1", "child 2"]
    assert sorted(stored.names(directory)) == arrived(service)


def test_children_of_multiprocessing_forward_too(directory, service):
    programs.run(
        """
        import multiprocessing, sys, stored
        from otlp_arrow_library import ForwardingConfig, OtlpLibrary
        forwarding = ForwardingConfig(name="main", endpoint=sys.argv[2], protocol="http", batch_delay_ms=0)
        library = OtlpLibrary(output_dir=sys.argv[1], forwarding=forwarding)
        def work(number):
            library.export_otlp("traces", stored.trace_request(f"child {number}"))
        library.export_otlp("traces", stored.trace_request("parent"))
        with multiprocessing.get_context("fork").Pool(2) as pool:
            pool.map(work, range(4))
            pool.close()
            pool.join()
        """,
        directory,
        service.http_endpoint,
    )
    # What a child had not sent when it ended is sent by the next one that forwards from the directory.
    with OtlpLibrary(output_dir=directory, forwarding=to(service, name="main")):
        service.wait_for_spans(5)
    assert arrived(service) == ["child 0", "child 1", "child 2", "child 3", "parent"]
