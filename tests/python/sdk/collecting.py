"""What a ring file holds, as the collector stores it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import traceback

import otlp_arrow_library

ROOT = pathlib.Path(__file__).parents[3]
BINARY = pathlib.Path(os.environ.get("OTLP_ARROW_BIN", ROOT / "build/release/bin/otlp-arrow")).absolute()
METRIC_TIMES = ("start_time", "time")


def in_child(program, *arguments):
    """Runs it in a forked child, whose end lets the ring file go: the collector waits for whoever has it open."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            program(*arguments)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def collect(file, directory=None, *options):
    """Collects into a store beside the file, until nobody has it open."""
    directory = directory or pathlib.Path(file).parent / "collected"
    command = [BINARY, "collect", "--once", "--input", file, "--output-dir", directory, *options]
    for signal in ("trace", "metric", "log"):
        command += [f"--{signal}-cleanup-interval-secs", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTLP_")}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return otlp_arrow_library.open(directory)


def metrics(store):
    """Rows of data points without what differs from run to run."""
    return [comparable(row) for row in store.metrics().to_pyarrow().to_pylist()]


def logs(store):
    return store.logs().to_pyarrow().to_pylist()


def comparable(row):
    kept = {key: value for key, value in row.items() if key not in METRIC_TIMES and not key.startswith("_")}
    if kept.get("exemplars"):
        kept["exemplars"] = [{key: value for key, value in exemplar.items() if key != "time"} for exemplar in kept["exemplars"]]
    kept["resource_attributes"] = {key: value for key, value in pairs(row["resource_attributes"]).items() if not key.startswith("telemetry.sdk")}
    return kept


def pairs(attributes):
    """Attributes as a dictionary, however the store gives them."""
    return dict(attributes or {})
