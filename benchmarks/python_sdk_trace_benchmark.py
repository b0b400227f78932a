#!/usr/bin/env python3
"""What does a span of the native Python SDK cost, compared with one of the OpenTelemetry SDK? At least 20 times less is wanted.

    benchmarks/python_sdk_trace_benchmark.py [--quick] [--build build/release]

The body is `with tracer.start_as_current_span("op", attributes=<3>) as span: span.set_attribute(...)`. In turns, in one run: ours into a ring file
that `otlp-arrow collect` empties, ours into a library of the process, the OpenTelemetry SDK without a processor and with a batch processor whose
exporter discards, and the same body with objects that do nothing (what Python itself takes). Then four threads against one. Told are the median of
the rounds and, in brackets, the fastest: what the collector and the thread of a batch processor take of a shared core differs from round to round.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPANS = 4000  # in a row; three records each, which a ring of the usual size holds
STOCK_QUEUE = 1 << 20  # none may be dropped, which would cost less
THREADS_SPANS = 20_000  # what takes so long that starting threads does not count
SLOTS = 65_536  # of the ring that four threads record into
PAUSE_SECONDS = 0.1  # between rounds, for whoever empties the ring
AIM = 20
SHARED_MEMORY = pathlib.Path("/dev/shm")  # where ring files belong


class Nothing:
    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None

    def start_as_current_span(self, name, attributes=None):
        return self

    def set_attribute(self, key, value):
        return None


def body(tracer, spans):
    for _ in range(spans):
        with tracer.start_as_current_span("op", attributes={"http.route": "/users/{id}", "http.status": 200, "cached": True}) as span:
            span.set_attribute("user", "u1")


def one_us(tracer):
    begin = time.perf_counter_ns()
    body(tracer, SPANS)
    return (time.perf_counter_ns() - begin) / SPANS / 1e3


def threads_us(tracer, count):
    """Wall time for a span, all threads together."""
    threads = [threading.Thread(target=body, args=(tracer, THREADS_SPANS // count)) for _ in range(count)]
    begin = time.perf_counter_ns()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter_ns() - begin) / THREADS_SPANS / 1e3


def stock_tracer(batch):
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Discard(SpanExporter):
        def export(self, spans):
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    if batch:
        provider.add_span_processor(BatchSpanProcessor(Discard(), max_queue_size=STOCK_QUEUE, schedule_delay_millis=200))
    return provider.get_tracer("benchmark")


def measure(rounds, directory, binary):
    from otlp_arrow_library import OtlpLibrary
    from otlp_arrow_library.sdk import Recorder, TracerProvider

    file, of_threads = directory / "ring.mmap", directory / "threads.mmap"
    recorder, large = Recorder.open_file(file), Recorder.open_file(of_threads, spans_slots=SLOTS)
    library = OtlpLibrary(output_dir=directory / "library")
    in_library = TracerProvider(library=library, resource={"service.name": "shop"})
    tracers = {
        "file_us": TracerProvider(recorder=recorder, resource={"service.name": "shop"}).get_tracer("benchmark"),
        "library_us": in_library.get_tracer("benchmark"),
        "stock_us": stock_tracer(batch=False),
        "stock_batch_us": stock_tracer(batch=True),
        "python_us": Nothing(),
    }
    times: dict[str, list[float]] = {}
    threaded = TracerProvider(recorder=large, resource={"service.name": "shop"}).get_tracer("benchmark")
    command = [binary, "collect", "--input", file, "--input", of_threads, "--output-dir", directory / "collected"]
    collector = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(rounds):
            for name, tracer in tracers.items():
                times.setdefault(name, []).append(one_us(tracer))
                time.sleep(PAUSE_SECONDS)
            for count in (1, 4):
                name = f"threads_{count}_us"
                times.setdefault(name, []).append(threads_us(threaded, count))
                time.sleep(PAUSE_SECONDS)
    finally:
        collector.terminate()
        collector.wait()
        in_library.shutdown()
        library.shutdown()
    figures: dict[str, float] = {name: statistics.median(rounds_us) for name, rounds_us in times.items()}
    figures["dropped"] = recorder.counters()["dropped"] + large.counters()["dropped"]
    figures |= {f"fastest_{name}": min(rounds_us) for name, rounds_us in times.items()}
    for kind in ("", "fastest_"):
        figures[f"{kind}ratio"] = figures[f"{kind}stock_batch_us"] / figures[f"{kind}file_us"]
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that it works")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--program", type=pathlib.Path, help="otlp-arrow; by default that of the build")
    parser.add_argument("--json", action="store_true", help="the figures as one line of JSON")
    options = parser.parse_args()
    package = options.build.resolve() / "python"
    binary = options.program or options.build.resolve() / "bin/otlp-arrow"
    if not (package / "otlp_arrow_library").is_dir() or not binary.exists():
        raise SystemExit(f"there is no Python package or no program below {options.build}: configure with OTLP_ARROW_BUILD_PYTHON=ON and build")
    sys.path.insert(0, str(package))
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None) as directory:
        figures = measure(3 if options.quick else 25, pathlib.Path(directory), binary)
        if options.json:
            print(json.dumps(figures))
            return

        def told(name: str) -> str:
            return f"{figures[name]:6.2f} ({figures['fastest_' + name]:.2f}) us"

        print(f"native SDK, ring file and a collector      {told('file_us')}")
        print(f"native SDK, library of the process         {told('library_us')}")
        print(f"OpenTelemetry SDK, no processor            {told('stock_us')}")
        ratios = f"{figures['ratio']:.1f} ({figures['fastest_ratio']:.1f}) times ours, at least {AIM} wanted"
        print(f"OpenTelemetry SDK, batch, discarded        {told('stock_batch_us')}: {ratios}")
        print(f"the same calls on objects that do nothing  {told('python_us')}")
        print(f"native SDK, 1 thread                       {told('threads_1_us')} a span")
        print(f"native SDK, 4 threads                      {told('threads_4_us')} a span")
        print(f"records dropped                            {figures['dropped']:6.0f}")


if __name__ == "__main__":
    main()
