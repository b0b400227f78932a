import os

import pyarrow.flight as flight

client = flight.connect("grpc://" + os.environ.get("OTLP_FLIGHT_ADDRESS", "127.0.0.1:4319"))
spans = client.do_get(flight.Ticket(b'{"signal":"traces","services":["shop"],"columns":["name","duration_ns"]}')).read_all()
print(spans.slice(0, 3).to_pydict())
