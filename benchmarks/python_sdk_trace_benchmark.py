#!/usr/bin/env python3
"""What does a span of the native Python SDK cost, compared with one of the OpenTelemetry SDK? At least 20 times less is wanted.

    benchmarks/python_sdk_trace_benchmark.py [--quick] [--build build/release]

The body is `with tracer.start_as_current_span("op", attributes=<3>) as span: span.set_attribute(...)`. In turns, in one run: ours into a ring file
that `otlp-arrow collect` empties, ours into a library of the process, the OpenTelemetry SDK without a processor and with a batch processor whose
exporter discards, and the same body with objects that do nothing (what Python itself takes). Then four threads against one. The fastest round counts:
the others were disturbed by what else the machine does.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPANS = 1500  # fewer than the queue of the OpenTelemetry SDK's batch processor holds: spans that it drops would cost less
THREADS_SPANS = 20_000  # what takes so long that starting threads does not count
SLOTS = 65_536  # room for what one measurement records, 3 for each span
PAUSE_SECONDS = 0.1  # between rounds, for whoever empties the ring
AIM = 20


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
        provider.add_span_processor(BatchSpanProcessor(Discard()))
    return provider.get_tracer("benchmark")


def measure(rounds, directory, binary):
    from otlp_arrow_library import OtlpLibrary
    from otlp_arrow_library.sdk import Recorder, TracerProvider

    file = directory / "ring.mmap"
    recorder = Recorder.open_file(file, spans_slots=SLOTS)
    library = OtlpLibrary(output_dir=directory / "library")
    in_library = TracerProvider(library=library, resource={"service.name": "shop"})
    tracers = {
        "file_us": TracerProvider(recorder=recorder, resource={"service.name": "shop"}).get_tracer("benchmark"),
        "library_us": in_library.get_tracer("benchmark"),
        "stock_us": stock_tracer(batch=False),
        "stock_batch_us": stock_tracer(batch=True),
        "python_us": Nothing(),
    }
    best = {}
    command = [binary, "collect", "--input", file, "--output-dir", directory / "collected"]
    collector = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(rounds):
            for name, tracer in tracers.items():
                best[name] = min(best.get(name, float("inf")), one_us(tracer))
                time.sleep(PAUSE_SECONDS)
            for count in (1, 4):
                name = f"threads_{count}_us"
                best[name] = min(best.get(name, float("inf")), threads_us(tracers["file_us"], count))
                time.sleep(PAUSE_SECONDS)
    finally:
        collector.terminate()
        collector.wait()
        in_library.shutdown()
        library.shutdown()
    best["dropped"] = recorder.counters()["dropped"]
    best["ratio"] = best["stock_batch_us"] / best["file_us"]
    return best


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
    with tempfile.TemporaryDirectory() as directory:
        figures = measure(3 if options.quick else 25, pathlib.Path(directory), binary)
        if options.json:
            print(json.dumps(figures))
            return
        print(f"native SDK, ring file and a collector      {figures['file_us']:7.2f} us")
        print(f"native SDK, library of the process         {figures['library_us']:7.2f} us")
        print(f"OpenTelemetry SDK, no processor            {figures['stock_us']:7.2f} us")
        print(f"OpenTelemetry SDK, batch, discarded        {figures['stock_batch_us']:7.2f} us: {figures['ratio']:.1f} times ours (at least {AIM} wanted)")
        print(f"the same calls on objects that do nothing  {figures['python_us']:7.2f} us")
        print(f"native SDK, 1 thread / 4 threads           {figures['threads_1_us']:7.2f} / {figures['threads_4_us']:.2f} us a span")
        print(f"records dropped                            {figures['dropped']:7d}")


if __name__ == "__main__":
    main()
