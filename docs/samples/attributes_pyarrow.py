"""Attributes with pyarrow: promoted ones are columns, all are in the map."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

spans = ds.dataset("output_dir/otlp/traces", format="arrow")

# Only the columns and rows that are asked for are kept.
failed = spans.to_table(
    columns=["trace_id", "name", "http.response.status_code", "attributes"],
    filter=pc.field("http.response.status_code") >= 500,
)
for row in failed.to_pylist():
    attributes = dict(row["attributes"])  # a map comes as (key, value) pairs
    print(row["trace_id"], row["name"], row["http.response.status_code"], attributes["customer.tier"])

# One attribute of every row, null where it is missing; map_lookup wants plain text keys.
plain = failed["attributes"].cast(pa.map_(pa.string(), pa.string()))
print(pc.map_lookup(plain, pa.scalar("customer.tier"), "first").to_pylist())
