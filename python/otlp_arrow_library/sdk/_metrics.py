"""The metrics API over a ring: `MeterProvider`."""

from __future__ import annotations

import atexit
import logging
import os
import re
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry import metrics as api
from opentelemetry.metrics._internal.instrument import NoOpGauge

from ._instruments import (
    Counter,
    Gauge,
    Histogram,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
    stream_fields,
)
from ._observables import Observable, ObservationThread, ObservedStream
from ._provider import RecordingProvider, millis_until
from ._recorder import Recorder, hold_recorder
from ._resource import Resource, ResourceLike
from ._scope import InstrumentationScope, scope_key
from ._temporality import Temporalities
from ._views import InstrumentDescription, Stream, checked_boundaries, checked_views, streams_of
from .. import _native
from .._errors import OtlpConfigError

if TYPE_CHECKING:
    from .._library import OtlpLibrary

_logger = logging.getLogger("otlp_arrow_library.sdk")

T = TypeVar("T")

_EXEMPLAR_FILTERS = {"always_off": 0, "always_on": 1, "trace_based": 2}
_EXEMPLAR_CLASSES = {
    "AlwaysOffExemplarFilter": "always_off", "AlwaysOnExemplarFilter": "always_on", "TraceBasedExemplarFilter": "trace_based"
}
_NAME = re.compile(r"[a-zA-Z][-_./a-zA-Z0-9]{0,254}")
_UNIT = re.compile(r"[\x00-\x7F]{0,63}")
_LAST_ROUND_MILLIS = 2_000  # of callbacks, at the interpreter's end
_EXPONENTIAL = "base2_exponential_bucket_histogram"


class MeterProvider(RecordingProvider, api.MeterProvider):
    """Meters whose instruments record natively into a ring.

    It records to `mmap_file` (the path of a ring file that `otlp-arrow collect` empties), to `library` (an `OtlpLibrary` of
    this process) or to `recorder`; without any of them to the file that SDK_MMAP_EXPORTER_FILE names.

    `resource`: a Resource or a mapping of attributes; None: what the environment says. `views`: of this package or of the
    OpenTelemetry SDK. `temporality`: "cumulative", "delta", "lowmemory" or a mapping of instrument classes; None: what
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE says. `exemplar_filter`: "trace_based", "always_on", "always_off" or the
    SDK's filters of these names; None: OTEL_METRICS_EXEMPLAR_FILTER. `export_interval_millis`: how often observable instruments are asked; None:
    OTEL_METRIC_EXPORT_INTERVAL, else a minute. `cardinality_limit`: attribute sets of a stream, beyond which they are
    counted together; None: as the collector is told.

    Raises OtlpConfigError for arguments that cannot be, OtlpIOError where the ring cannot be opened.
    """

    def __init__(
        self,
        *,
        mmap_file: str | os.PathLike[str] | None = None,
        library: OtlpLibrary | None = None,
        recorder: Recorder | None = None,
        resource: ResourceLike | Mapping[str, Any] | None = None,
        views: Sequence[object] = (),
        temporality: object = None,
        exemplar_filter: object = None,
        export_interval_millis: float | None = None,
        cardinality_limit: int | None = None,
        shutdown_on_exit: bool = True,
    ) -> None:
        self._views = checked_views(views)
        self._temporalities = Temporalities(temporality)
        self._exemplar_filter = _exemplar_filter(exemplar_filter)
        self._exponential = os.environ.get("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "").strip().lower() == _EXPONENTIAL
        self._cardinality_limit = _cardinality_limit(cardinality_limit)
        interval = _interval(export_interval_millis)
        super().__init__(resource, lambda: hold_recorder(mmap_file, library, recorder))
        self._observables: list[Observable] = []
        self._epoch = 0 if self._held is None else self._held.recorder.epoch
        self._thread = ObservationThread(self._observe, interval / 1000, _environment_millis("OTEL_METRIC_EXPORT_TIMEOUT", 30_000))
        self._meters: dict[object, Meter] = {}
        self._lock = threading.Lock()
        self._is_shut_down = False
        self._at_exit = atexit.register(self._shutdown_at_exit) if shutdown_on_exit else None
        _providers.add(self)

    def get_meter(
        self, name: str, version: str | None = None, schema_url: str | None = None, attributes: Mapping[str, Any] | None = None
    ) -> api.Meter:
        """The meter of an instrumentation scope; the same one for equal arguments."""
        if self._held is None:
            return api.NoOpMeter(name, version=version, schema_url=schema_url)
        if self._is_shut_down:
            _logger.warning("a meter is asked for after the provider's shutdown: it records nothing")
            return api.NoOpMeter(name, version=version, schema_url=schema_url)
        if not name or not isinstance(name, str):
            _logger.warning("a meter is asked for by the name %r: it records nothing, give a text that is not empty", name)
            return api.NoOpMeter("", version=version, schema_url=schema_url)
        key = scope_key(name, version, schema_url, attributes)
        with self._lock:
            meter = self._meters.get(key)
            if meter is None:
                scope = InstrumentationScope(self._held.recorder.native, self._resource, name, version, schema_url, attributes)
                meter = self._meters[key] = Meter(self, scope)
            return meter

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Asks the observable instruments; True when all that was measured is where it is meant to be: in the ring file, or as
        data points in the library's readable files.
        """
        if self._held is None or self._is_shut_down:
            return True
        deadline = time.monotonic() + timeout_millis / 1000
        asked = self._thread.run_now(timeout_millis)
        if not asked:
            _logger.error("observable instruments did not answer within %g ms", timeout_millis)
        return self._held.recorder.force_flush(millis_until(deadline)) and asked

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        """Asks the observable instruments a last time, and flushes. Nothing is measured afterwards."""
        self._shut_down(timeout_millis, timeout_millis / 2)

    def _shutdown_at_exit(self) -> None:
        self._shut_down(30_000, _LAST_ROUND_MILLIS)

    def _shut_down(self, timeout_millis: float, last_round_millis: float) -> None:
        with self._lock:
            if self._is_shut_down:
                again = True
            else:
                again, self._is_shut_down = False, True
        if again:
            _logger.warning("shutdown of a MeterProvider that is shut down already")
            return
        if self._at_exit is not None:
            atexit.unregister(self._at_exit)
        if self._held is None:
            return
        deadline = time.monotonic() + timeout_millis / 1000
        if not self._thread.stop(last_round_millis):
            _logger.error("observable instruments did not answer within %g ms; their last values are missing", last_round_millis)
        for meter in list(self._meters.values()):
            meter._scope.native.close()
        self._held.release(millis_until(deadline))

    # --- what meters ask for ---

    def _streams(self, instrument: InstrumentDescription, api_class: type) -> list[Stream]:
        return streams_of(instrument, api_class, self._views, self._temporalities, self._exponential, self._cardinality_limit)

    def _watch(self, observable: Observable) -> None:
        self._observables.append(observable)
        if not self._is_shut_down:
            self._thread.start()

    def _observe(self, timeout_millis: float) -> None:
        deadline = time.monotonic() + timeout_millis / 1000
        epoch = self._held.recorder.epoch if self._held is not None else 0
        is_new_ring, self._epoch = epoch != self._epoch, epoch
        for observable in list(self._observables):
            if is_new_ring:
                for stream in observable.streams:
                    stream.restart()
            observable.observe(deadline, timeout_millis)

    def _continue_in_child(self) -> None:
        self._lock = threading.Lock()
        for meter in self._meters.values():
            meter._lock = threading.Lock()
        self._thread.restart_after_fork()


class Meter(api.Meter):
    """Creates instruments: one that is asked for again is the same one."""

    def __init__(self, provider: MeterProvider, scope: InstrumentationScope) -> None:
        super().__init__(scope.name, scope.version, scope.schema_url)
        self._provider = provider
        self._scope = scope
        self._instruments: dict[tuple[str, str, str, str], tuple[Any, object]] = {}
        self._identities: dict[str, tuple[str, Stream]] = {}  # of stream names
        self._lock = threading.Lock()

    @property
    def instrumentation_scope(self) -> InstrumentationScope:
        return self._scope

    def create_counter(self, name: str, unit: str = "", description: str = "") -> api.Counter:
        return self._create(Counter, api.NoOpCounter, name, unit, description)

    def create_up_down_counter(self, name: str, unit: str = "", description: str = "") -> api.UpDownCounter:
        return self._create(UpDownCounter, api.NoOpUpDownCounter, name, unit, description)

    def create_histogram(
        self, name: str, unit: str = "", description: str = "", *, explicit_bucket_boundaries_advisory: Sequence[float] | None = None
    ) -> api.Histogram:
        return self._create(Histogram, api.NoOpHistogram, name, unit, description, _advised(name, explicit_bucket_boundaries_advisory))

    def create_gauge(self, name: str, unit: str = "", description: str = "") -> Any:
        return self._create(Gauge, NoOpGauge, name, unit, description)

    def create_observable_counter(
        self, name: str, callbacks: Sequence[Any] | None = None, unit: str = "", description: str = ""
    ) -> api.ObservableCounter:
        return self._create_observable(ObservableCounter, api.NoOpObservableCounter, name, callbacks, unit, description)

    def create_observable_up_down_counter(
        self, name: str, callbacks: Sequence[Any] | None = None, unit: str = "", description: str = ""
    ) -> api.ObservableUpDownCounter:
        return self._create_observable(ObservableUpDownCounter, api.NoOpObservableUpDownCounter, name, callbacks, unit, description)

    def create_observable_gauge(
        self, name: str, callbacks: Sequence[Any] | None = None, unit: str = "", description: str = ""
    ) -> api.ObservableGauge:
        return self._create_observable(ObservableGauge, api.NoOpObservableGauge, name, callbacks, unit, description)

    def _create(
        self, kind: Callable[..., T], no_op: Callable[..., Any], name: str, unit: str, description: str, boundaries: tuple[float, ...] | None = None
    ) -> T:
        def make(described: InstrumentDescription, streams: list[Stream]) -> T:
            return kind(self._scope, described.name, described.unit, described.description, streams, self._provider._exemplar_filter)

        made: T = self._registered(kind, no_op, name, unit, description, boundaries, False, make)
        return made

    def _create_observable(
        self, kind: Callable[..., T], no_op: Callable[..., Any], name: str, callbacks: Sequence[Any] | None, unit: str, description: str
    ) -> T:
        def make(described: InstrumentDescription, streams: list[Stream]) -> T:
            observed = [ObservedStream(stream, self._recording(described.name, stream)) for stream in streams]
            self._provider._watch(Observable(described.name, callbacks, observed))
            return kind(self._scope, described.name, described.unit, described.description)

        made: T = self._registered(kind, no_op, name, unit, description, None, True, make)
        return made

    def _recording(self, name: str, stream: Stream) -> Callable[[Any, Mapping[str, Any], Any], bool]:
        """Attributes are filtered before totals are added up, so the native instrument need not."""
        instrument = _native.Instrument()
        (fields,) = stream_fields([stream])
        instrument._open(self._scope.native, name, True, self._provider._exemplar_filter, ((*fields[:-1], None),))
        measured: Callable[[Any, Mapping[str, Any], Any], bool] = instrument._measured
        return measured

    def _registered(
        self,
        kind: Any,
        no_op: Callable[..., Any],
        name: str,
        unit: str,
        description: str,
        boundaries: tuple[float, ...] | None,
        is_observable: bool,
        make: Callable[[InstrumentDescription, list[Stream]], Any],
    ) -> Any:
        unit, description = unit or "", description or ""
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            _logger.error("the instrument %r records nothing: a name begins with a letter, and has at most 255 of letters, digits, _ . - /", name)
            return no_op("invalid")
        if not isinstance(unit, str) or not _UNIT.fullmatch(unit):
            _logger.error("the instrument %r records nothing: its unit %r is no ASCII text of at most 63 characters", name, unit)
            return no_op(name)
        key = (name.lower(), kind.__name__, unit, str(description))
        with self._lock:
            known = self._instruments.get(key)
            if known is not None:
                instrument, advised = known
                if boundaries != advised:
                    _logger.warning("the instrument %r exists already, with other advised boundaries: %r stay", name, advised)
                return instrument
            described = InstrumentDescription(
                kind.__name__, name.lower(), unit, str(description), self._scope, is_observable, boundaries
            )
            streams = self._provider._streams(described, kind)
            for stream in streams:
                self._warn_of_conflict(described, stream)
            instrument = make(described, streams)
            self._instruments[key] = (instrument, boundaries)
            return instrument

    def _warn_of_conflict(self, described: InstrumentDescription, stream: Stream) -> None:
        first = self._identities.setdefault(stream.name.lower(), (described.name, stream))
        if first[1] != stream:
            _logger.warning(
                "the instrument %r (%s) makes a metric of the name %r, which the instrument %r makes as well, with another kind, unit, "
                "description or aggregation; both are stored, give one of them another name",
                described.name, described.kind, stream.name, first[0],
            )


_providers: weakref.WeakSet[MeterProvider] = weakref.WeakSet()


def _continue_in_child() -> None:
    for provider in list(_providers):
        provider._continue_in_child()


os.register_at_fork(after_in_child=_continue_in_child)


def _advised(name: str, boundaries: object) -> tuple[float, ...] | None:
    if boundaries is None:
        return None
    try:
        return checked_boundaries(boundaries)  # type: ignore[arg-type]
    except OtlpConfigError as error:
        _logger.warning("the instrument %r has no advised boundaries: %s", name, error)
        return None


def _exemplar_filter(given: object) -> int:
    # The OpenTelemetry SDK's filters are known by their classes.
    name = _EXEMPLAR_CLASSES.get(type(given).__name__, given)
    if given is None:
        name = os.environ.get("OTEL_METRICS_EXEMPLAR_FILTER", "").strip().lower() or "trace_based"
    if isinstance(name, str) and name in _EXEMPLAR_FILTERS:
        return _EXEMPLAR_FILTERS[name]
    if given is not None:
        raise OtlpConfigError(f"exemplar_filter: {given!r}; allowed are {', '.join(_EXEMPLAR_FILTERS)}")
    _logger.warning("OTEL_METRICS_EXEMPLAR_FILTER is %r, and trace_based is taken; allowed are %s", name, ", ".join(_EXEMPLAR_FILTERS))
    return _EXEMPLAR_FILTERS["trace_based"]


def _cardinality_limit(given: int | None) -> int:
    if given is None:
        return 0
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given < 2**32:
        raise OtlpConfigError(f"cardinality_limit: {given!r} is no int from 1 to 2**32 - 1, and not None for the collector's own")
    return given


def _interval(given: float | None) -> float:
    if given is None:
        return _environment_millis("OTEL_METRIC_EXPORT_INTERVAL", 60_000)
    if not isinstance(given, (int, float)) or not 0 < given < 2**40:
        raise OtlpConfigError(f"export_interval_millis: {given!r}; give milliseconds above 0")
    return given


def _environment_millis(variable: str, default: float) -> float:
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if 0 < value < 2**40:
        return value
    _logger.warning("%s is %r, and %g is taken; give milliseconds above 0", variable, text, default)
    return default
