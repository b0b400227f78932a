"""What it costs to import the package."""

import programs

MEASURE = """
import re, sys, time
begin = time.process_time()
import {modules}
used = time.process_time() - begin
rss = int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1])
print(used * 1000, rss, *sorted(sys.modules))
"""
STOCK = """
opentelemetry.exporter.otlp.proto.grpc.trace_exporter, opentelemetry.exporter.otlp.proto.grpc.metric_exporter,
opentelemetry.exporter.otlp.proto.grpc._log_exporter
""".replace("\n", "")


def measure(modules: str) -> tuple[float, int, set[str]]:
    """CPU milliseconds of the import, kilobytes resident behind it, and all modules."""
    milliseconds, rss, *names = programs.run(MEASURE.format(modules=modules)).stdout.split()
    return float(milliseconds), int(rss), set(names)


def test_it_is_imported_in_less_than_60_ms():
    assert min(measure("otlp_arrow_library")[0] for _ in range(7)) < 60


def test_it_takes_no_more_memory_than_the_stock_exporters():
    ours, stock = measure("otlp_arrow_library")[1], measure(STOCK)[1]
    assert ours <= stock


def test_it_imports_nothing_that_a_program_may_not_need():
    loaded = measure("otlp_arrow_library")[2]
    for name in ("opentelemetry", "asyncio", "google.protobuf", "grpc", "pyarrow", "otlp_arrow_library._service", "otlp_arrow_library._exporters"):
        assert name not in loaded
