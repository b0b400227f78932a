"""The examples of the API contract, as they are written there."""

import asyncio
import builtins
import inspect

import pytest
from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

import otlp_arrow_library
import stored
from otlp_arrow_library import Config, OtlpConfigError, OtlpExportError, OtlpLibrary


@pytest.fixture
def in_directory(tmp_path, monkeypatch):
    """The examples name directories relative to where the program runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module", autouse=True)
def global_providers():
    """What `trace.get_tracer` and `metrics.get_meter` of the examples lead to."""
    if not isinstance(trace_api.get_tracer_provider(), TracerProvider):
        trace_api.set_tracer_provider(TracerProvider())
    if not isinstance(metrics_api.get_meter_provider(), MeterProvider):
        metrics_api.set_meter_provider(MeterProvider(metric_readers=[InMemoryMetricReader()]))


def test_initialization_examples(in_directory):
    import otlp_arrow_library

    # With default configuration
    library = otlp_arrow_library.OtlpLibrary()

    assert (in_directory / "output_dir").is_dir()
    library.shutdown()

    # With custom configuration
    config = otlp_arrow_library.Config(
        output_dir="./custom_output",
        write_interval_secs=10
    )
    library = otlp_arrow_library.OtlpLibrary(config)

    assert (in_directory / "custom_output").is_dir()
    library.shutdown()


def test_builder_example(in_directory):
    library = otlp_arrow_library.OtlpLibrary.with_config_builder() \
        .output_dir("./custom_output") \
        .write_interval_secs(10) \
        .build()

    assert isinstance(library, otlp_arrow_library.OtlpLibrary)
    assert library.config.write_interval_secs == 10
    library.export_otlp("traces", stored.trace_request("built"))
    library.shutdown()
    assert stored.names("custom_output") == ["built"]


def test_export_trace_example(library, directory):
    from opentelemetry import trace

    tracer = trace.get_tracer(__name__)
    with tracer.start_as_current_span("my_span") as span:
        library.export_trace(span)

    library.flush()
    assert stored.names(directory) == ["my_span"]


def test_export_traces_example(library, directory):
    tracer = TracerProvider().get_tracer(__name__)
    span1, span2, span3 = (tracer.start_span(f"span{i}") for i in (1, 2, 3))
    for span in (span1, span2, span3):
        span.end()

    spans = [span1, span2, span3]
    library.export_traces(spans)

    library.flush()
    assert stored.names(directory) == ["span1", "span2", "span3"]


def test_export_metrics_example(library, directory):
    from opentelemetry import metrics

    meter = metrics.get_meter(__name__)
    counter = meter.create_counter("my_counter")
    counter.add(10)
    # Export metrics
    library.export_metrics(metrics)

    library.flush()
    rows = stored.table(directory, "metrics").select(["metric_name", "value_int"]).to_pylist()
    assert [(row["metric_name"], row["value_int"]) for row in rows if row["metric_name"] == "my_counter"] == [("my_counter", 10)]


def test_flush_and_shutdown_examples(library, directory):
    library.export_otlp("traces", stored.trace_request("flushed"))
    library.flush()

    assert stored.names(directory) == ["flushed"]

    library.shutdown()

    assert library.is_shut_down


def test_config_error_example(capsys):
    try:
        config = Config(output_dir="")
        library = OtlpLibrary(config)
    except OtlpConfigError as e:
        print(f"Configuration error: {e.message}")

    assert capsys.readouterr().out.startswith("Configuration error: output_dir: ''")


def test_export_error_example(library, capsys):
    span = "no span"
    try:
        library.export_trace(span)
    except OtlpExportError as e:
        print(f"Export failed: {e.message}")

    assert "str" in capsys.readouterr().out


def test_async_example(library, directory):
    span = TracerProvider().get_tracer(__name__).start_span("awaited")

    async def export_async():
        await library.export_trace_async(span)

    asyncio.run(export_async())
    library.flush()
    assert stored.names(directory) == ["awaited"]


def test_config_example():
    config = otlp_arrow_library.Config(
        output_dir="./output",
        write_interval_secs=5,
        trace_cleanup_interval_secs=600,
        metric_cleanup_interval_secs=3600
    )
    assert config.output_dir == "./output"
    assert config.forwarding is None


def test_kinds_of_errors():
    package = otlp_arrow_library
    for name in ("OtlpConfigError", "OtlpExportError", "OtlpIOError", "OtlpServerError"):
        kind = getattr(package, name)
        assert issubclass(kind, package.OtlpError)
        error = kind("why")
        assert (error.message, str(error), error.retryable) == ("why", "why", False)
    assert issubclass(package.OtlpIOError, builtins.IOError)
    assert package.ConfigError is package.OtlpConfigError
    assert package.ExportError is package.OtlpExportError
    assert issubclass(package.ShutdownError, package.OtlpError)


@pytest.mark.parametrize(
    "method, parameters",
    [
        ("export_trace", ["span"]),
        ("export_traces", ["spans"]),
        ("export_metrics", ["metrics"]),
        ("export_metrics_ref", ["metrics"]),
        ("export_logs", ["logs"]),
    ],
)
def test_methods_take_the_parameters_that_the_contract_names(method, parameters):
    for name in (method, f"{method}_async"):
        assert list(inspect.signature(getattr(OtlpLibrary, name)).parameters)[1:] == parameters
        assert inspect.iscoroutinefunction(getattr(OtlpLibrary, name)) == name.endswith("_async")


def test_every_public_name_is_there():
    for name in otlp_arrow_library.__all__:
        assert getattr(otlp_arrow_library, name) is not None
    assert set(otlp_arrow_library.__all__) <= set(dir(otlp_arrow_library))
    with pytest.raises(AttributeError, match="no_such_name"):
        otlp_arrow_library.no_such_name
