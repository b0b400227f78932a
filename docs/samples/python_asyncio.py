import asyncio

from opentelemetry.sdk.trace import TracerProvider
from otlp_arrow_library import OtlpExportError, OtlpLibrary


async def main() -> None:
    tracer = TracerProvider().get_tracer("worker")
    async with OtlpLibrary(output_dir="./telemetry", write_interval_secs=1) as library:
        with tracer.start_as_current_span("job") as span:
            await asyncio.sleep(0)
        try:
            await library.export_trace_async(span)
        except OtlpExportError as error:
            print(f"not recorded: {error.message}", "(try again)" if error.retryable else "")
        await library.flush_async(timeout=10)
        print(library.stats().traces)


asyncio.run(main())
