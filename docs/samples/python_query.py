"""What is stored, with Polars, pandas, pyarrow and SQL."""

import datetime

import otlp_arrow_library
import polars
import pyarrow

telemetry = otlp_arrow_library.open("./telemetry")
hour_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)

# Nothing is read yet: this says which rows and columns are wanted. Rows that are in no file yet are wanted, too.
spans = telemetry.traces(start=hour_ago, service="shop", columns=["name", "duration_ns", "attributes"], include_journal=True)
print(spans.count(), "spans")

print(polars.DataFrame(spans).group_by("name").agg(polars.col("duration_ns").max() >= 0))
print(spans.to_pandas()["name"].value_counts())

# Batch by batch, with one of them in memory at a time.
for batch in pyarrow.RecordBatchReader.from_stream(spans):
    print(batch.num_rows, "rows")

query = "SELECT name, attributes['order.id'] AS order_id FROM traces WHERE service_name = ? ORDER BY start_time"
print(telemetry.sql(query, ["shop"], include_journal=True).fetchall())
