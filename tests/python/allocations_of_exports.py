"""Prints what export_metrics and export_metrics_ref allocate for one collection of a periodic reader (as JSON).

    LD_PRELOAD=<count_allocations.c built> PYTHONMALLOC=malloc python allocations_of_exports.py DIRECTORY
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from otlp_arrow_library import OtlpLibrary

_preloaded = ctypes.CDLL(None)
_count = _preloaded.allocations_of_this_thread
_count.restype = ctypes.c_long
_bytes = _preloaded.allocated_bytes_of_this_thread
_bytes.restype = ctypes.c_long


def collected() -> MetricsData:
    """Counters, gauges and histograms as an ordinary service has them."""
    reader = InMemoryMetricReader()
    meter = MeterProvider(metric_readers=[reader]).get_meter("shop")
    for n in range(10):
        counter, histogram = meter.create_counter(f"counter.{n}"), meter.create_histogram(f"histogram.{n}")
        for route in range(10):
            counter.add(1, {"http.route": f"/r/{route}", "http.request.method": "GET"})
            histogram.record(route * 1.5, {"http.route": f"/r/{route}", "http.request.method": "GET"})
    data = reader.get_metrics_data()
    assert data is not None
    return data


def measured(export: object, data: MetricsData) -> dict[str, int]:
    for _ in range(3):  # what is made once and kept
        export(data)
    gc.collect()
    gc.disable()
    allocations, size = _count(), _bytes()
    export(data)
    result = {"allocations": _count() - allocations, "bytes": _bytes() - size}
    gc.enable()
    return result


data = collected()
with OtlpLibrary(output_dir=sys.argv[1], write_interval_secs=3600) as library:
    print(json.dumps({"owned": measured(library.export_metrics, data), "by_reference": measured(library.export_metrics_ref, data)}))
