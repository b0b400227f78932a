import pyarrow.dataset as ds

spans = ds.dataset("output_dir/otlp/traces", format="arrow").to_table().to_pandas()
print(spans.groupby(["service_name", "name"], observed=True)["duration_ns"].describe())
