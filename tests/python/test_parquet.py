"""`format="parquet"`: recording, and what reads it beside Arrow files."""

from __future__ import annotations

import pathlib

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from sample_data import gauges, logs, spans

import otlp_arrow_library
from otlp_arrow_library import Config, ConfigBuilder, OtlpConfigError, OtlpLibrary


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> pathlib.Path:
    """Two spans in an Arrow file, three in a Parquet file; a Parquet file of metrics and of logs."""
    path = tmp_path / "telemetry"
    with OtlpLibrary(output_dir=str(path), write_interval_secs=3600) as library:
        library.export_otlp("traces", spans("bank", 2, http_route="/pay"))
    with OtlpLibrary(Config(output_dir=str(path), write_interval_secs=3600, format="parquet")) as library:
        library.export_otlp("traces", spans("shop", 3))
        library.export_otlp("metrics", gauges("shop", [20.5, 21.5]))
        library.export_otlp("logs", logs("shop", ["hello", "world"]))
    return path


def parquet_file(directory: pathlib.Path, signal: str = "traces") -> pathlib.Path:
    (path,) = (directory / "otlp" / signal).glob("*.parquet")
    return path


def test_both_formats_are_one_table(directory):
    telemetry = otlp_arrow_library.open(directory)
    assert sorted(pa.table(telemetry.traces())["name"].to_pylist()) == ["bank-0", "bank-1", "shop-0", "shop-1", "shop-2"]
    assert telemetry.traces(service="shop").count() == 3
    assert pa.table(telemetry.metrics())["value_double"].to_pylist() == [20.5, 21.5]
    assert pa.table(telemetry.logs())["body"].to_pylist() == ["hello", "world"]
    assert polars.DataFrame(telemetry.traces()).height == 5
    assert len(telemetry.traces().to_pandas()) == 5
    assert telemetry.sql("SELECT count(*) FROM traces WHERE service_name = 'shop'").fetchall() == [(3,)]


def test_one_trace(directory):
    telemetry = otlp_arrow_library.open(directory)
    ids = pa.table(telemetry.traces(columns=["trace_id", "name"]))
    wanted = ids["trace_id"][0].as_py()
    found = pa.table(telemetry.traces(trace_id=wanted.upper(), columns=["trace_id", "name"]))
    assert found.to_pylist() == [row for row in ids.to_pylist() if row["trace_id"] == wanted]
    assert telemetry.traces(trace_id=[wanted, "f" * 32]).count() == found.num_rows
    assert telemetry.traces(trace_id="f" * 32).count() == 0
    assert telemetry.logs(trace_id="f" * 32).count() == 0
    with pytest.raises(OtlpConfigError, match="'4bf9' is no trace id; it has 32 hexadecimal digits"):
        telemetry.traces(trace_id="4bf9").count()
    with pytest.raises(OtlpConfigError, match=r"trace_id: \[\] asks for no trace at all"):
        telemetry.traces(trace_id=[])


def test_other_readers_take_the_files(directory):
    path = parquet_file(directory)
    ours = pa.table(otlp_arrow_library.open(path).traces())
    wanted = ours.to_pylist()
    assert pyarrow.parquet.read_table(path).to_pylist() == wanted
    assert pyarrow.dataset.dataset(directory / "otlp" / "traces", format="parquet", exclude_invalid_files=True).to_table().to_pylist() == wanted
    assert polars.read_parquet(path)["name"].to_list() == ours["name"].to_pylist()
    assert list(pandas.read_parquet(path)["name"]) == ours["name"].to_pylist()
    rows = duckdb.execute("SELECT name, attributes FROM read_parquet($file)", {"file": str(path)}).fetchall()
    assert rows == [(row["name"], dict(row["attributes"])) for row in wanted]


def test_duckdb_uses_the_bloom_filter(directory):
    path = str(parquet_file(directory))
    trace_id = pyarrow.parquet.read_table(path)["trace_id"][0].as_py()

    def excluded(value: str) -> list[bool]:
        query = "SELECT bloom_filter_excludes FROM parquet_bloom_probe($file, 'trace_id', $value)"
        return [row[0] for row in duckdb.execute(query, {"file": path, "value": value}).fetchall()]

    assert excluded(trace_id) == [False]
    assert excluded("0123456789abcdef0123456789abcdef") == [True]
    metadata = duckdb.execute(
        "SELECT bloom_filter_offset, bloom_filter_length FROM parquet_metadata($file) WHERE path_in_schema = 'trace_id'", {"file": path}
    ).fetchall()
    assert metadata[0][0] > 0 and metadata[0][1] > 0


def test_times_have_statistics(directory):
    group = pyarrow.parquet.ParquetFile(parquet_file(directory)).metadata.row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert columns["start_time"].statistics.has_min_max and columns["start_time"].has_column_index
    assert columns["trace_id"].compression == "ZSTD"


def test_formats_that_there_are(tmp_path):
    config = ConfigBuilder().output_dir(str(tmp_path)).format("parquet").build()
    with OtlpLibrary(config) as library:
        library.export_otlp("traces", spans("shop", 3))
    assert otlp_arrow_library.open(tmp_path).traces().count() == 3
    with pytest.raises(OtlpConfigError, match="format: 'csv' is unknown; allowed are arrow, parquet"):
        OtlpLibrary(Config(output_dir=str(tmp_path), format="csv"))
