import os

import pyarrow as pa
import pyarrow.flight as flight

table = pa.table({"ts": [1714979289000, 1714979290000], "message": ["started", "ready"], "user": ["ada", "bob"], "host": ["a1", "a1"]})
command = """{"signal": "logs",
  "columns": {"body": "message", "time": {"column": "ts", "unit": "ms"}, "severity_text": {"value": "INFO"}},
  "attributes": ["user"],
  "resource_attributes": {"service.name": "shop", "host.name": {"column": "host"}}}"""
client = flight.connect("grpc://" + os.environ.get("OTLP_FLIGHT_ADDRESS", "127.0.0.1:4319"))
writer, acknowledged = client.do_put(flight.FlightDescriptor.for_command(command), table.schema)
for batch in table.to_batches():
    writer.write_batch(batch)
    print(acknowledged.read().to_pybytes().decode())  # {"batch":0,"accepted":2,"rejected":0}
writer.close()
