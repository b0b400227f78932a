#!/usr/bin/env python3
"""How long does exporting a span from Python keep other threads waiting (3 us are allowed, a 15th of the SDK's OTLP/HTTP exporter), what do
metrics by reference save, and what does importing the library cost, compared with the SDK's OTLP exporters?

    benchmarks/python_export_benchmark.py [--quick] [--build build/release]

The same batches of 512 spans (8 attributes, an event per 5 spans) go through both. Time with the GIL is: for the SDK its encoding to
protobuf; for ours the conversion, and around it all that an export of no spans takes. The wait for the journal is without the GIL and shown apart.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BATCH = 512
AIMS = {"us_per_span": 3.0, "ratio": 15.0, "allocations": 0.5, "import_ms": 60.0}
STOCK_MODULES = ("trace_exporter", "metric_exporter", "_log_exporter")


def stock_imports(protocol):
    return "; ".join(f"import opentelemetry.exporter.otlp.proto.{protocol}.{module}" for module in STOCK_MODULES)


IMPORTS = {
    "otlp_arrow_library": "import otlp_arrow_library",
    "otlp_arrow_library with its exporters": "import otlp_arrow_library._exporters",
    "the SDK's OTLP/gRPC exporters": stock_imports("grpc"),
    "the SDK's OTLP/HTTP exporters": stock_imports("http"),
}


class Keep:
    """A span exporter that keeps what it is given."""

    def __init__(self):
        self.spans = []

    def export(self, spans):
        self.spans.extend(spans)

    def shutdown(self):
        pass


def finished_spans():
    """As an instrumented service makes them: through the SDK, ended."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    kept = Keep()
    provider = TracerProvider(resource=Resource.create({"service.name": "shop", "service.version": "1.2.3"}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("shop.http", "1.0")
    for n in range(BATCH):
        attributes = {
            "http.request.method": "GET",
            "http.route": "/users/{id}",
            "url.path": f"/users/{n}",
            "http.response.status_code": 200 if n % 50 else 500,
            "server.address": "api.example.com",
            "server.port": 8443,
            "user.premium": n % 3 == 0,
            "cache.seconds": n * 0.25,
        }
        with tracer.start_as_current_span("GET /users/{id}", attributes=attributes) as span:
            if n % 5 == 0:
                span.add_event("cache miss", {"key": f"user-{n}"})
    return kept.spans


def best_us(call, rounds):
    """Microseconds of the fastest call: the others were disturbed by what else the machine does."""
    best = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter_ns()
        call()
        best = min(best, time.perf_counter_ns() - begin)
    return best / 1e3


def spans_with_the_gil(rounds):
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from otlp_arrow_library import OtlpLibrary, _native

    spans = finished_spans()
    with tempfile.TemporaryDirectory() as directory, OtlpLibrary(output_dir=directory) as library:
        exporter = library.span_exporter()
        export = best_us(lambda: exporter.export(spans), max(rounds // 4, 3))
        around = best_us(lambda: exporter.export(()), rounds)
    # In turns, so that both meet the same machine.
    ours = stock = float("inf")
    for _ in range(rounds):
        stock = min(stock, best_us(lambda: encode_spans(spans).SerializePartialToString(), 1))
        ours = min(ours, best_us(lambda: _native.encode_spans(spans), 8))
    return {"ours": (ours + around) / BATCH, "stock": stock / BATCH, "ratio": stock / (ours + around), "export": export / BATCH}


def child(code, package, environment=None):
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("OTLP_", "OTEL_"))} | {"PYTHONPATH": str(package)} | (environment or {})
    done = subprocess.run([sys.executable, *code], env=settings, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{code}: {done.stderr}")
    return json.loads(done.stdout)


IMPORT_PROGRAM = """
import json, time
begin = time.perf_counter()
{code}
took = time.perf_counter() - begin
rss = int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1])
print(json.dumps([took * 1e3, rss / 1024]))
"""


def imports(package, rounds):
    """(median milliseconds, median MiB resident in the end) of each."""
    found = {name: [] for name in IMPORTS}
    for _ in range(rounds + 1):
        for name, code in IMPORTS.items():
            found[name].append(child(["-c", IMPORT_PROGRAM.replace("{code}", code)], package))
    return {name: [statistics.median(column) for column in zip(*runs[1:])] for name, runs in found.items()}


def metrics_by_reference(package):
    tests = ROOT / "tests/python"
    with tempfile.TemporaryDirectory() as directory:
        counter = pathlib.Path(directory) / "count_allocations.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", counter, tests / "count_allocations.c"], check=True)
        environment = {"LD_PRELOAD": str(counter), "PYTHONMALLOC": "malloc"}
        return child([str(tests / "allocations_of_exports.py"), f"{directory}/telemetry"], package, environment)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that it works")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--json", action="store_true", help="the figures as one line of JSON")
    options = parser.parse_args()
    package = options.build.resolve() / "python"
    if not (package / "otlp_arrow_library").is_dir():
        raise SystemExit(f"there is no Python package below {options.build}: configure with OTLP_ARROW_BUILD_PYTHON=ON and build")
    sys.path.insert(0, str(package))

    spans = spans_with_the_gil(10 if options.quick else 150)
    allocations = metrics_by_reference(package)
    costs = imports(package, 2 if options.quick else 9)
    if options.json:
        print(json.dumps({"spans": spans, "metrics": allocations, "imports": costs}))
        return

    print(f"time with the GIL per span    {spans['ours']:8.2f} us (at most {AIMS['us_per_span']:.0f} wanted)")
    print(f"  of the SDK's exporter       {spans['stock']:8.2f} us: {spans['ratio']:.1f} times ours (at least {AIMS['ratio']:.0f} wanted)")
    print(f"  a whole export, journalled  {spans['export']:8.2f} us")
    owned, by_reference = allocations["owned"], allocations["by_reference"]
    saved = 1 - by_reference["allocations"] / owned["allocations"]
    print(f"allocations of export_metrics {owned['allocations']:8d}, of export_metrics_ref {by_reference['allocations']}: {saved:.1%} fewer (50 % wanted)")
    for name, (took, resident) in costs.items():
        print(f"import {name:38s} {took:6.0f} ms {resident:6.1f} MiB resident")
    print(f"  wanted: {AIMS['import_ms']:.0f} ms at most, and no more memory than the SDK's")


if __name__ == "__main__":
    main()
