"""What is recorded is stored here, and sent to a backend: to a stand-in for one, in this sample."""

from otlp_arrow_library import ForwardingConfig, MockOtlpService, OtlpLibrary

with MockOtlpService() as backend:
    collector = ForwardingConfig(
        name="main",
        endpoint=backend.http_endpoint,  # such as "https://collector:4318", which also tells the protocol
        protocol="http",
        headers={"x-tenant": "shop"},
        api_key="0815",  # or "${env:API_KEY}", "${file:/run/secrets/api-key}"
        signals=["traces"],
        compression="gzip",
    )
    library = OtlpLibrary(output_dir="./telemetry", forwarding=[collector])
    library.export_trace({"trace_id": "1" * 32, "span_id": "2" * 16, "name": "POST /orders", "attributes": {"order.id": 4711}})
    library.shutdown()  # also sends what is left

    print(backend.spans.one("POST /orders").attributes)
    main = library.stats().destinations[0]
    print(main.name, main.traces.sent, "sent,", main.traces.backlog, "left")
