import otlp_arrow_library

print(otlp_arrow_library.open("./telemetry").sql("SELECT name, duration_ns / 1e6 AS ms FROM traces"))
