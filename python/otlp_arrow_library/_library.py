"""The recorder inside a program: `OtlpLibrary`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from . import _native
from ._config import Config, ConfigBuilder
from ._errors import OtlpConfigError, OtlpExportError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ._exporters import OtlpLogExporter, OtlpMetricExporter, OtlpMetricReader, OtlpSpanExporter
    from ._preferences import Aggregations, Temporalities

T = TypeVar("T")

_MOST_SECONDS = 10**9


@dataclasses.dataclass(frozen=True)
class SignalStats:
    """Items of one signal since the library was created in this process.

    `received == stored + relayed + in_flight + expired + sum(refused.values()) + sum(invalid.values())` at any moment.
    """

    received: int
    stored: int
    """In readable files."""
    relayed: int
    """With `Config.store` `False`: sent on, or given up, at every destination."""
    in_flight: int
    """Accepted, not in a file yet."""
    expired: int
    """Deleted by retention."""
    refused: dict[str, int]
    """By reason: no room, shut down, disk trouble."""
    invalid: dict[str, int]
    """By reason: malformed items."""


@dataclasses.dataclass(frozen=True)
class DestinationSignalStats:
    """Items of one signal for one destination: `accepted == sent + rejected + sum(given_up.values()) + backlog`."""

    accepted: int
    sent: int
    rejected: int
    """Left out by the destination."""
    given_up: dict[str, int]
    """By reason: backlog_full, refused, too_large, timeout, damaged."""
    backlog: int
    """Not yet sent."""


@dataclasses.dataclass(frozen=True)
class DestinationStats:
    """What became of what is forwarded to one destination."""

    LATENCY_BOUNDS: ClassVar[tuple[float, ...]] = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
    """Upper bounds, in seconds, of the buckets of `send_latency`; the last bucket has none."""

    name: str
    endpoint: str
    protocol: str
    traces: DestinationSignalStats
    metrics: DestinationSignalStats
    logs: DestinationSignalStats
    breaker: str
    """`closed`, `open` or `half_open`."""
    backlog_bytes: int
    oldest_unsent_age_secs: float
    requests: int
    """That got an answer of whatever kind."""
    retries: int
    failures: int
    """Attempts that were not taken."""
    bytes_sent: int
    """OTLP bytes of requests that were taken."""
    in_flight: int
    """Requests under way."""
    send_latency: tuple[int, ...]
    """Attempts by duration."""
    send_latency_sum_secs: float
    last_error: str
    """Of the newest failure; empty once a request is taken again."""


@dataclasses.dataclass(frozen=True)
class LibraryStats:
    """What became of all that the library was given: the loss ledger."""

    traces: SignalStats
    metrics: SignalStats
    logs: SignalStats
    queued_bytes: int
    """Accepted and not yet turned into Arrow."""
    destinations: tuple[DestinationStats, ...] = ()
    """Of `Config.forwarding`, those that are enabled."""


class OtlpLibrary:
    """Records spans, metrics and log records as Arrow files below `Config.output_dir`.

    `OtlpLibrary()`, `OtlpLibrary(config)`, or with settings as keywords: `OtlpLibrary(output_dir="./telemetry")`; keywords
    go before the fields of `config`. It may be used from any thread. After a fork the child goes on with files of its own.
    As a context manager it is shut down at the end of the block; at the end of the interpreter it is in any case.

    Raises `OtlpConfigError` for settings that cannot be, `OtlpIOError` where the directory cannot be used.
    """

    def __init__(self, config: Config | None = None, **settings: Any) -> None:
        self._config = _merged(config, settings)
        if any(destination.enabled for destination in self._config.destinations):
            _load_senders()
        self._native = _native.Library(self._config)

    @staticmethod
    def with_config_builder() -> ConfigBuilder[OtlpLibrary]:
        """A builder whose `build()` creates the library."""
        return ConfigBuilder(OtlpLibrary)

    @property
    def config(self) -> Config:
        """What the library was created with (a copy)."""
        return dataclasses.replace(self._config)

    # --- recording ---

    def export_trace(self, span: object) -> None:
        """Records one span: an SDK `ReadableSpan`, a span that is still open, or a dictionary.

        When it returns the span is kept at the level of `Config.acknowledge`. Raises `OtlpExportError` for what is no span
        or is malformed, and (retryable) where there is no room; `OtlpIOError` where the disk refuses; `OtlpShutdownError`.
        """
        self.export_traces((span,))

    def export_traces(self, spans: Iterable[object]) -> None:
        """Records several spans at once; see `export_trace`. No spans are no error."""
        _check(self._native.export_spans(spans))

    def export_metrics(self, metrics: object) -> None:
        """Records metrics: the SDK's `MetricsData` or `ResourceMetrics`; or collects from a meter provider, or from the
        global one where the module `opentelemetry.metrics` is given. Raises as `export_trace` does.
        """
        from ._metric_sources import owned

        _check(self._native.export_metrics(owned(metrics)))

    def export_metrics_ref(self, metrics: object) -> None:
        """`export_metrics`; metrics data is read where it is and not copied: nobody should change it meanwhile."""
        _check(self._native.export_metrics(metrics))

    def export_logs(self, logs: Iterable[object]) -> None:
        """Records log records of the SDK, or dictionaries. Raises as `export_trace` does."""
        _check(self._native.export_logs(logs))

    def export_otlp(self, signal: str, request: bytes) -> None:
        """Records an OTLP export request in protobuf form; `signal` is `traces`, `metrics` or `logs`."""
        _check(self._native.export_otlp(signal, request))

    # --- the same for asyncio: what is given is read at once, waiting for room or for the disk happens elsewhere ---

    async def export_trace_async(self, span: object) -> None:
        """`export_trace` without blocking the event loop."""
        await self.export_traces_async((span,))

    async def export_traces_async(self, spans: Iterable[object]) -> None:
        """`export_traces` without blocking the event loop."""
        await self._export_encoded("traces", _native.encode_spans(spans))

    async def export_metrics_async(self, metrics: object) -> None:
        """`export_metrics` without blocking the event loop."""
        from ._metric_sources import owned

        await self._export_encoded("metrics", _native.encode_metrics(owned(metrics)))

    async def export_metrics_ref_async(self, metrics: object) -> None:
        """`export_metrics_ref` without blocking the event loop."""
        await self._export_encoded("metrics", _native.encode_metrics(metrics))

    async def export_logs_async(self, logs: Iterable[object]) -> None:
        """`export_logs` without blocking the event loop."""
        await self._export_encoded("logs", _native.encode_logs(logs))

    async def export_otlp_async(self, signal: str, request: bytes) -> None:
        """`export_otlp` without blocking the event loop."""
        await self._export_encoded(signal, request)

    async def flush_async(self, timeout: float | None = None) -> None:
        """`flush` without blocking the event loop."""
        await _elsewhere(lambda: self.flush(timeout))

    async def shutdown_async(self, timeout: float | None = None) -> None:
        """`shutdown` without blocking the event loop."""
        await _elsewhere(lambda: self.shutdown(timeout))

    async def _export_encoded(self, signal: str, request: bytes) -> None:
        _check(await _elsewhere(lambda: self._native.export_otlp(signal, request)))

    # --- exporters for the OpenTelemetry SDK ---

    def span_exporter(self) -> OtlpSpanExporter:
        """A span exporter for the SDK's span processors. Its shutdown leaves the library alive."""
        from ._exporters import OtlpSpanExporter

        return OtlpSpanExporter(self)

    def metric_exporter(
        self, preferred_temporality: Temporalities = None, preferred_aggregation: Aggregations = None
    ) -> OtlpMetricExporter:
        """A metric exporter for `PeriodicExportingMetricReader`, cumulative by default. Its shutdown leaves the library alive."""
        from ._exporters import OtlpMetricExporter

        return OtlpMetricExporter(self, preferred_temporality, preferred_aggregation)

    def log_exporter(self) -> OtlpLogExporter:
        """A log exporter for the SDK's log record processors. Its shutdown leaves the library alive."""
        from ._exporters import OtlpLogExporter

        return OtlpLogExporter(self)

    def metric_reader(
        self, preferred_temporality: Temporalities = None, preferred_aggregation: Aggregations = None
    ) -> OtlpMetricReader:
        """A metric reader that collects when it is told to and records what it collects."""
        from ._exporters import OtlpMetricReader

        return OtlpMetricReader(self, preferred_temporality, preferred_aggregation)

    # --- life ---

    def flush(self, timeout: float | None = None) -> None:
        """Returns when everything recorded before is in readable files.

        Raises `OtlpIOError` where files cannot be written, `OtlpExportError` (retryable) when `timeout` (seconds, 30 by
        default) runs out, `OtlpShutdownError` after a shutdown.
        """
        self._native.flush(_milliseconds(timeout, 30))

    def shutdown(self, timeout: float | None = None) -> None:
        """Writes what is under way and ends. A second call does nothing but tell the first one's outcome again.

        Raises `OtlpShutdownError` where not all could be written within `timeout` (seconds; by default
        `Config.shutdown_timeout_secs`): it stays in the journal and is written by the next start.
        """
        self._native.shutdown(_milliseconds(timeout, self._config.shutdown_timeout_secs))

    @property
    def is_shut_down(self) -> bool:
        return self._native.is_shut_down

    def stats(self) -> LibraryStats:
        """Counts of what became of everything; also after a shutdown."""
        counts = self._native.stats()
        signals = {name: SignalStats(**counts[name]) for name in ("traces", "metrics", "logs")}
        destinations = tuple(_destination_stats(fields) for fields in counts["destinations"])
        return LibraryStats(queued_bytes=counts["queued_bytes"], destinations=destinations, **signals)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.shutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.shutdown_async()

    def __repr__(self) -> str:
        state = ", shut down" if self.is_shut_down else ""
        return f"<OtlpLibrary output_dir={self._config.output_dir!r}{state}>"


def _merged(config: object, settings: dict[str, Any]) -> Config:
    """A copy of its own, checked, so that later changes of `config` change nothing here."""
    if config is None:
        return _with_fields(Config, settings)
    if not isinstance(config, Config):
        raise OtlpConfigError(
            f"config: {config!r} is of type {type(config).__name__}; give a Config or None, or settings as keywords: "
            "OtlpLibrary(output_dir='./telemetry')"
        )
    return _with_fields(lambda **given: dataclasses.replace(config, **given), settings)


def _with_fields(make: Callable[..., Config], settings: dict[str, Any]) -> Config:
    known = [field.name for field in dataclasses.fields(Config)]
    for name in settings:
        if name not in known:
            raise OtlpConfigError(f"{name}: there is no such setting; there are {', '.join(known)}")
    return make(**settings)


def _check(outcome: tuple[int, int, str]) -> None:
    """Nothing is left out silently: what was invalid raises, though the rest is kept."""
    accepted, rejected, reason = outcome
    if rejected:
        raise OtlpExportError(f"{reason}; the other {accepted} are recorded" if accepted else reason)


def _milliseconds(timeout: object, default: float) -> int:
    if timeout is None:
        timeout = default
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"timeout: {timeout!r} is of type {type(timeout).__name__}; give seconds as a number, or None for {default:g}")
    if not timeout >= 0:  # NaN too
        raise ValueError(f"timeout: {timeout!r} is no time to wait; give 0 or more seconds, or None for {default:g}")
    return int(min(timeout, _MOST_SECONDS) * 1000)


async def _elsewhere(call: Callable[[], T]) -> T:
    import asyncio  # here: it would double the time to import this package

    return await asyncio.get_running_loop().run_in_executor(None, call)


def _destination_stats(fields: dict[str, Any]) -> DestinationStats:
    signals = {name: DestinationSignalStats(**fields[name]) for name in ("traces", "metrics", "logs")}
    return DestinationStats(**{**fields, **signals})


def _load_senders() -> None:
    """Lets `_native` forward. What sends is in `_service`, whose import takes a while, so only a library with destinations has it."""
    try:
        from . import _service
    except ImportError as error:
        raise OtlpConfigError(f"forwarding: this build of otlp-arrow-library cannot send ({error}); install one with the service, or remove the destinations") from error
    _native.use_senders(_service.senders())
