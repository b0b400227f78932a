import polars as pl

spans = pl.scan_ipc("output_dir/otlp/traces/*.arrow")
print(spans.group_by("service_name", "name").agg(pl.len(), pl.col("duration_ns").max()).collect())
