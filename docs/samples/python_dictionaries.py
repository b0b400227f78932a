import time

from otlp_arrow_library import OtlpLibrary

with OtlpLibrary(output_dir="./telemetry") as library:
    library.export_trace(
        {
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
            "span_id": "b7ad6b7169203331",
            "name": "POST /orders",
            "kind": "server",
            "start_time_unix_nano": time.time_ns(),
            "end_time_unix_nano": time.time_ns(),
            "attributes": {"order.id": 4711, "order.items": ["apple", "pear"]},
            "events": [{"name": "cart checked", "time_unix_nano": time.time_ns()}],
            "status": {"code": "error", "message": "out of pears"},
            "resource": {"service.name": "shop"},
            "scope": "shop.checkout",
        }
    )
    library.export_logs([{"time_unix_nano": time.time_ns(), "severity_number": 9, "body": {"order": 4711}}])
