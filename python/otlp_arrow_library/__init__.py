"""Records OpenTelemetry traces, metrics and logs of this program as Apache Arrow files.

    import otlp_arrow_library

    library = otlp_arrow_library.OtlpLibrary(output_dir="./telemetry")
    provider.add_span_processor(BatchSpanProcessor(library.span_exporter()))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._config import Config, ConfigBuilder, ForwardingConfig
from ._errors import (
    ConfigError,
    ExportError,
    OtlpConfigError,
    OtlpError,
    OtlpExportError,
    OtlpIOError,
    OtlpServerError,
    OtlpShutdownError,
    ShutdownError,
)
from ._library import DestinationSignalStats, DestinationStats, LibraryStats, OtlpLibrary, SignalStats

if TYPE_CHECKING:
    from ._exporters import OtlpLogExporter as OtlpLogExporter
    from ._exporters import OtlpMetricExporter as OtlpMetricExporter
    from ._exporters import OtlpMetricReader as OtlpMetricReader
    from ._exporters import OtlpSpanExporter as OtlpSpanExporter
    from ._mock import MockOtlpService as MockOtlpService
    from ._mock import Received as Received
    from ._reading import StoredTable as StoredTable
    from ._reading import StoredTelemetry as StoredTelemetry
    from ._reading import open as open
    from ._received import ReceivedLogRecord as ReceivedLogRecord
    from ._received import ReceivedMetric as ReceivedMetric
    from ._received import ReceivedSpan as ReceivedSpan

__version__ = "0.1.0"

__all__ = [
    "Config",
    "ConfigBuilder",
    "ConfigError",
    "DestinationSignalStats",
    "DestinationStats",
    "ExportError",
    "ForwardingConfig",
    "LibraryStats",
    "MockOtlpService",
    "OtlpConfigError",
    "OtlpError",
    "OtlpExportError",
    "OtlpIOError",
    "OtlpLibrary",
    "OtlpServerError",
    "OtlpShutdownError",
    "ShutdownError",
    "Received",
    "ReceivedLogRecord",
    "ReceivedMetric",
    "ReceivedSpan",
    "SignalStats",
    "StoredTable",
    "StoredTelemetry",
    "open",
]

# What a program may never need is imported at its first use, so that importing this package stays cheap.
# The exporters need the OpenTelemetry SDK; they are no part of __all__, so that `import *` does not.
_LATER = {
    "MockOtlpService": "_mock",
    "OtlpLogExporter": "_exporters",
    "OtlpMetricExporter": "_exporters",
    "OtlpMetricReader": "_exporters",
    "OtlpSpanExporter": "_exporters",
    "Received": "_mock",
    "ReceivedLogRecord": "_received",
    "ReceivedMetric": "_received",
    "ReceivedSpan": "_received",
    "StoredTable": "_reading",
    "StoredTelemetry": "_reading",
    "open": "_reading",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_LATER[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
