"""export_metrics_ref against export_metrics: the same rows, half the allocations at most."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading

import pytest
import stored
from opentelemetry.sdk.metrics.export import MetricsData
from random_sdk import SdkRandom

HERE = pathlib.Path(__file__).parent


@pytest.mark.parametrize("seed", range(10))
def test_the_same_rows_are_stored(tmp_path, seed):
    from otlp_arrow_library import OtlpLibrary

    metrics = SdkRandom(seed).metrics_data()
    tables = []
    for method in ("export_metrics", "export_metrics_ref"):
        with OtlpLibrary(output_dir=tmp_path / method, write_interval_secs=3600) as library:
            getattr(library, method)(metrics)
            for resource_metrics in metrics.resource_metrics:
                getattr(library, method)(resource_metrics)
            library.flush()
            received = library.stats().metrics.received
        tables.append(stored.table(tmp_path / method, "metrics") if received else None)
    if tables[0] is None:
        assert tables[1] is None
        return
    columns = [name for name in tables[0].column_names if not name.startswith("_")]
    assert tables[0].select(columns).equals(tables[1].select(columns)) and tables[0].num_rows > 0


def test_the_owned_copy_is_the_callers_no_more():
    """What others change after the call began is not in it."""
    from otlp_arrow_library._metric_sources import owned

    make = SdkRandom(5)
    metrics = MetricsData([make.resource_metrics(make.resources[0], [s for s in make.scopes if s])])
    copy = owned(metrics)
    assert copy == metrics
    metrics.resource_metrics.clear()
    assert len(copy.resource_metrics) == 1


@pytest.mark.timeout(60)
def test_by_reference_from_many_threads(library):
    make = SdkRandom(11)
    metrics = MetricsData([make.resource_metrics(make.resources[0], [s for s in make.scopes if s])])
    library.export_metrics_ref(metrics)
    points = library.stats().metrics.received
    threads = [threading.Thread(target=lambda: [library.export_metrics_ref(metrics) for _ in range(10)]) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert library.stats().metrics.received == points * 161


@pytest.mark.skipif(shutil.which("cc") is None or not sys.platform.startswith("linux"), reason="counting wants a C compiler and LD_PRELOAD")
def test_at_most_half_the_allocations(tmp_path):
    counter = tmp_path / "count_allocations.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", counter, HERE / "count_allocations.c"], check=True)
    environment = {**os.environ, "LD_PRELOAD": str(counter), "PYTHONMALLOC": "malloc"}
    program = [sys.executable, HERE / "allocations_of_exports.py", tmp_path / "telemetry"]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["owned"]["allocations"] > 100
    for unit in ("allocations", "bytes"):
        assert counts["by_reference"][unit] <= counts["owned"][unit] / 2, counts
