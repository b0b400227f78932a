#!/usr/bin/env python3
"""How fast is a backlog sent after an outage, compared with what the destination takes at most, and what does that do to live requests?

    benchmarks/forward_backlog_benchmark.py [--quick] [--build build/release] [--spans 20000000] [--store] [--directory DIR]

A relay (with --store, a server that stores too) takes so many spans while its destination is away. Then live requests are sent at a steady
pace, first while the destination is still away, then while the backlog drains; their latencies are compared. The drain's rate is compared with
what the load generator brings to the same destination with requests of the same size, as many under way. All of it shares the machine.
The backlog takes about 450 bytes a span on the disk of DIR.
"""

import argparse
import pathlib
import statistics
import tempfile
import threading
import time

import grpc
from forwarding import forward_metrics, kill, run_load, start_destination, start_ours
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from servers import ROOT, build_directory, free_address

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
BATCH_BYTES = 1 << 20
IN_FLIGHT = 4
# About BATCH_BYTES a request.
DESTINATION_LOAD = f"--connections 1 --in-flight {IN_FLIGHT} --items 2500 --distinct 20"


def live_request(spans=100):
    text = lambda key, value: KeyValue(key=key, value=AnyValue(string_value=value))  # noqa: E731
    now = time.time_ns()
    made = [Span(trace_id=i.to_bytes(16, "big"), span_id=i.to_bytes(8, "big"), name="GET /live", start_time_unix_nano=now, end_time_unix_nano=now + 1000,
                 attributes=[text("http.route", f"/live/{i}"), text("padding", "x" * 200)]) for i in range(1, spans + 1)]
    resource = Resource(attributes=[text("service.name", "live")])
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=made)])]).SerializeToString()


class LiveTraffic:
    """Requests of 100 spans at a steady pace, and how long each took."""

    def __init__(self, address, per_second=50):
        self.latencies, self.errors = [], 0
        self._pause = 1 / per_second
        self._end = threading.Event()
        self._channel = grpc.insecure_channel(address)
        self._call = self._channel.unary_unary(METHOD, request_serializer=None, response_deserializer=None)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        body = live_request()
        due = time.monotonic()
        while not self._end.is_set():
            due = max(due + self._pause, time.monotonic() - 1)
            self._end.wait(max(due - time.monotonic(), 0))
            begin = time.monotonic()
            try:
                self._call(body, timeout=30)
                self.latencies.append(time.monotonic() - begin)
            except grpc.RpcError:
                self.errors += 1

    def stop(self):
        self._end.set()
        self._thread.join()
        self._channel.close()
        return self

    def text(self):
        ordered = sorted(self.latencies)
        at = lambda q: ordered[min(int(q * len(ordered)), len(ordered) - 1)] * 1e3  # noqa: E731
        return f"p50 {at(0.5):.2f} ms, p99 {at(0.99):.2f} ms, max {ordered[-1] * 1e3:.1f} ms, {len(ordered)} requests, {self.errors} refused"

    def median(self):
        return statistics.median(self.latencies)


def fill(build, server, spans):
    """Until so many were taken."""
    acked, begin = 0, time.monotonic()
    while acked < spans:
        result = run_load(build, server.grpc, "--connections 4 --items 1000 --distinct 100", 2 if spans - acked > 2_000_000 else 0.3)
        acked += result["items_acked"]
        if not result["items_acked"]:
            raise SystemExit(f"the server takes no more after {acked} spans: {result['why']}")
    print(f"  {acked:,} spans taken in {time.monotonic() - begin:.1f} s while the destination was away")


def drain(server):
    """Items and bytes a second from the first that is sent to the last; what comes live meanwhile is in them."""
    begin = forward_metrics(server)
    while (now := forward_metrics(server))["sent"] == begin["sent"]:
        time.sleep(0.005)
    first, started = now, time.monotonic()
    while (now := forward_metrics(server))["backlog_items"] > 10_000:
        time.sleep(0.02)
    seconds = time.monotonic() - started
    return (now["sent"] - first["sent"]) / seconds, (now["sent_bytes_total"] - first["sent_bytes_total"]) / seconds, seconds


def run(options, directory):
    address = free_address()
    keys = {"store": options.store, "forward_backlog_max_bytes": max(1000 * options.spans, 1 << 30)}
    server = destination = None
    try:
        server = start_ours(options.build, directory / "server", address, keys, batch_bytes=BATCH_BYTES, max_in_flight=IN_FLIGHT, retry_initial_ms=50,
                            retry_max_ms=100, breaker_open_ms=100)
        fill(options.build, server, options.spans)
        without = LiveTraffic(server.grpc)
        time.sleep(1 if options.quick else 4)
        without.stop()
        during = LiveTraffic(server.grpc)
        time.sleep(0.2)
        destination = start_destination(options.build, directory / "destination", address)
        cpu = server.cpu()
        items, octets, seconds = drain(server)
        during.stop()
        cpu = server.cpu() - cpu
        at_most = run_load(options.build, destination.grpc, DESTINATION_LOAD, 0.5 if options.quick else 3)["items_per_s"]
        print(f"  drained in {seconds:.1f} s: {items:,.0f} spans/s, {octets / 1e6:,.0f} MB/s, {cpu / seconds:.2f} cores, peak {server.peak_mib():.0f} MiB; "
              f"the load generator brings {at_most:,.0f} spans/s to the destination: ratio {items / at_most:.2f}")
        print(f"  live requests while it is away: {without.text()}")
        print(f"  live requests during the drain: {during.text()}; median {during.median() / without.median():.2f} x")
        server.stop(120)
        destination.stop()
    finally:
        kill(server, destination)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small backlog, to see that it works")
    parser.add_argument("--build", type=build_directory, default=str(ROOT / "build/release"))
    parser.add_argument("--spans", type=int, default=2_000_000)
    parser.add_argument("--store", action="store_true", help="also store what comes")
    parser.add_argument("--directory", type=pathlib.Path, help="where the backlog lies; the system's place for temporary files otherwise")
    options = parser.parse_args()
    if options.quick:
        options.spans = min(options.spans, 200_000)
    print(f"a backlog of {options.spans:,} spans, {'stored too' if options.store else 'of a relay'}")
    with tempfile.TemporaryDirectory(prefix="otlp-arrow-benchmark-", dir=options.directory) as directory:
        run(options, pathlib.Path(directory))


if __name__ == "__main__":
    main()
