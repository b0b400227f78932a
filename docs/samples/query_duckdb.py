import duckdb, pyarrow.dataset as ds

spans = ds.dataset("output_dir/otlp/traces", format="arrow")
print(duckdb.sql("SELECT service_name, name, count(*) AS n, max(duration_ns) / 1e6 AS max_ms FROM spans GROUP BY ALL ORDER BY n DESC"))
