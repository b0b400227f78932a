"""The stored files as any Python program would open them, and their rows as plain Python values."""

import base64
import glob
import json

import duckdb
import numpy
import pandas
import polars
import pyarrow
import pyarrow.dataset
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValueList


def files(directory, signal):
    return sorted(glob.glob(f"{directory}/otlp/{signal}/*.arrow"))


def dataset(directory, signal):
    return pyarrow.dataset.dataset(f"{directory}/otlp/{signal}", format="arrow")


def table(directory, signal, columns=None):
    return dataset(directory, signal).to_table(columns=columns) if files(directory, signal) else None


def column(directory, signal, name):
    """All values of one column."""
    found = table(directory, signal, [name])
    return found[name].to_pylist() if found is not None else []


def count_rows(directory, signal):
    return dataset(directory, signal).count_rows() if files(directory, signal) else 0


# --- the readers: each gives a list of rows -------------------------------------------------------------------------


def read_pyarrow(directory, signal):
    return [plain(row) for row in dataset(directory, signal).to_table().to_pylist()]


def read_pandas(directory, signal):
    frames = [pandas.read_feather(path) for path in files(directory, signal)]
    missing = lambda v: isinstance(v, float) and v != v  # pandas' word for null
    return [{k: None if missing(v) else plain(v) for k, v in row.items()} for frame in frames for row in frame.to_dict("records")]


def read_polars(directory, signal):
    frame = polars.scan_ipc(f"{directory}/otlp/{signal}/*.arrow").collect()
    return [plain(row) for row in frame.to_arrow().to_pylist()]


def read_duckdb(directory, signal):
    stored = dataset(directory, signal)  # noqa: F841  (the query names it)
    return [plain(row) for row in duckdb.sql("SELECT * FROM stored").to_arrow_table().to_pylist()]


READERS = {"pyarrow": read_pyarrow, "pandas": read_pandas, "polars": read_polars, "duckdb": read_duckdb}


def plain(value):
    """One form for what the readers call differently: lists, dicts, None, and nanoseconds since 1970 for times."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, numpy.ndarray)):
        return [plain(v) for v in value]
    if value is pandas.NaT or value is pandas.NA:
        return None
    if isinstance(value, pandas.Timestamp):
        return value.value
    if isinstance(value, numpy.datetime64):
        return int(value.astype("datetime64[ns]").astype("int64"))
    if isinstance(value, numpy.generic):
        return value.item()
    return value


# --- attributes -----------------------------------------------------------------------------------------------------


def attributes(entries, types):
    """A map column and its companion as a dict of typed Python values."""
    entries = [(e["key"], e["value"]) if isinstance(e, dict) else tuple(e) for e in entries or []]
    if types is None:
        types = "s" * len(entries)
    if types.startswith("="):
        return {kv.key: any_value(kv.value) for kv in KeyValueList.FromString(base64.b64decode(types[1:])).values}
    assert len(types) == len(entries), (entries, types)
    return {key: typed(value, letter) for (key, value), letter in zip(entries, types)}


def typed(text, letter):
    match letter:
        case "s":
            return text
        case "b":
            return {"true": True, "false": False}[text]
        case "i":
            return int(text)
        case "d":
            return float(text)
        case "x":
            return base64.b64decode(text, validate=True)
        case "a" | "m":
            return json.loads(text)
        case "n" | "-":
            assert text is None
            return None
    raise AssertionError(f"unknown type letter {letter!r}")


BODY_TYPES = {"STRING": "s", "BOOL": "b", "INT": "i", "DOUBLE": "d", "BYTES": "x", "ARRAY": "a", "KVLIST": "m", "EMPTY": "n"}


def body(text, body_type):
    """The columns `body` and `body_type` of a log record as a Python value; None where it has none."""
    if body_type is None:
        assert text is None
        return None
    if body_type.startswith("="):
        return any_value(AnyValue.FromString(base64.b64decode(body_type[1:])))
    return typed(text, BODY_TYPES[body_type])


def any_value(value):
    """A protobuf AnyValue as a Python value."""
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [any_value(v) for v in value.array_value.values]
        case "kvlist_value":
            return {kv.key: any_value(kv.value) for kv in value.kvlist_value.values}
        case kind:
            return getattr(value, kind)


def query(directory, sql):
    """SQL over the tables `traces`, `metrics` and `logs`, as far as they have files."""
    connection = duckdb.connect()
    for signal in ("traces", "metrics", "logs"):
        if files(directory, signal):
            connection.register(signal, dataset(directory, signal))
    return connection.sql(sql).fetchall()
