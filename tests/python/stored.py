"""What tests record, and what of it a directory holds: read by pyarrow, not by the library."""

import os
import pathlib
import shutil

import pyarrow as pa
import pyarrow.dataset
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

NAMES = {"traces": "name", "metrics": "metric_name", "logs": "body"}


def trace_request(*names: str, padding: int = 0) -> bytes:
    """An export request of one span for each name."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for name in names:
        span = spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name=name, start_time_unix_nano=1, end_time_unix_nano=2)
        if padding:
            span.attributes.add(key="padding").value.string_value = "x" * padding
    return request.SerializeToString()


def table(directory, signal: str = "traces") -> pa.Table:
    return pa.dataset.dataset(pathlib.Path(directory) / "otlp" / signal, format="arrow").to_table()


def names(directory, signal: str = "traces") -> list[str]:
    """The names (bodies) of all stored items, sorted."""
    if not any((pathlib.Path(directory) / "otlp" / signal).glob("*.arrow")):
        return []
    return sorted(table(directory, signal)[NAMES[signal]].to_pylist())


def writers(directory) -> int:
    """How many writers have a journal: alive, or dead with something left in it."""
    return len(list((pathlib.Path(directory) / "journal").iterdir()))


def break_store(directory, signal: str = "traces") -> None:
    """From now on no file of the signal can be written, whoever the user is: its directory is a file."""
    place = pathlib.Path(directory) / "otlp" / signal
    shutil.move(place, f"{place}.away")
    place.touch()


def mend_store(directory, signal: str = "traces") -> None:
    place = pathlib.Path(directory) / "otlp" / signal
    place.unlink()
    shutil.move(f"{place}.away", place)
