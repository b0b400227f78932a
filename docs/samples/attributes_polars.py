"""Attributes with Polars: it reads a map as a list of structs with the fields key and value."""

import polars as pl

spans = pl.scan_ipc("output_dir/otlp/traces/*.arrow")
tier = pl.col("attributes").list.eval(
    pl.element().struct.field("value").filter(pl.element().struct.field("key").cast(pl.String) == "customer.tier")
).list.first()
print(spans.filter(pl.col("http.response.status_code") >= 500).select("name", tier.alias("customer.tier")).collect())
