"""The three tables in DuckDB; runs the SQL file that it is given."""

import pathlib
import sys

import duckdb
import pyarrow.dataset as ds

connection = duckdb.connect()
for name, folder in {"spans": "traces", "metrics": "metrics", "logs": "logs"}.items():
    connection.register(name, ds.dataset(f"output_dir/otlp/{folder}", format="arrow"))
print(connection.sql(pathlib.Path(sys.argv[1]).read_text()))
