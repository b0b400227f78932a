"""Parquet files with DuckDB, Polars, pandas and pyarrow."""

import duckdb
import pandas
import polars as pl
import pyarrow.dataset as ds

FILES = "output_dir/otlp/traces/**/*.parquet"

# DuckDB passes over row groups by their times and services, and by the bloom filters of their trace ids.
query = "SELECT trace_id, name, attributes['customer.tier'] AS tier FROM read_parquet($files) WHERE status_code = 'ERROR'"
trace_id, name, tier = duckdb.execute(query, {"files": FILES}).fetchone()
print(name, tier)
query = "SELECT name FROM read_parquet($files) WHERE trace_id = $trace_id"
print(duckdb.execute(query, {"files": FILES, "trace_id": trace_id}).fetchall())

print(pl.scan_parquet(FILES).filter(pl.col("status_code") == "ERROR").select("name", "http.response.status_code").collect())

spans = ds.dataset("output_dir/otlp/traces", format="parquet")
print(spans.to_table(columns=["name", "events"], filter=ds.field("status_code") == "ERROR").to_pylist())
print(spans.count_rows(), "spans")

print(pandas.read_parquet("output_dir/otlp/traces", columns=["name", "duration_ns"]).groupby("name").size())
