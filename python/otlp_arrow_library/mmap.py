"""Low-level recording into an OTLP-MMAP file: a flight recorder that `otlp-arrow collect` drains.

    from otlp_arrow_library.mmap import MmapExporter, SpanKind

    with MmapExporter("/dev/shm/shop.mmap") as exporter:
        resource = exporter.create_resource({"service.name": "shop"})
        scope = exporter.create_instrumentation_scope(resource, "shop.checkout")
        exporter.record_span_start(scope, trace_id, span_id, None, 1, "POST /orders", SpanKind.SERVER, time.time_ns(), {})
        exporter.record_span_end(scope, trace_id, span_id, time.time_ns())

The functions of this module do the same with the file that the environment variable SDK_MMAP_EXPORTER_FILE names; it is
opened by the first call. What a call recorded is in the file when it returns, even if the program dies then.

Arguments that OTLP-MMAP's list of functions spells `insturmentation_scope_ref` and `attributs` are understood in both
spellings.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, overload

from . import _native
from ._errors import OtlpConfigError
from ._mmap_definitions import (
    Aggregation,
    ExpHistogram,
    Gauge,
    Histogram,
    SpanContext,
    SpanKind,
    StatusCode,
    Sum,
    Temporality,
    resolved,
)
from ._ring_sizes import RING_SIZES

if TYPE_CHECKING:
    from enum import Enum
    from types import TracebackType
    from typing import Self

    from typing_extensions import Buffer

    Id: TypeAlias = Buffer | Sequence[int]
    Attributes: TypeAlias = Mapping[str, Any] | None

    class _Writer:
        """What of `_native.MmapWriter` is used below; its methods in C have no types."""

        _path: str
        closed: bool

        def __init__(self, **options: Any) -> None: ...
        def close(self) -> None: ...
        def _counters(self) -> dict[str, int]: ...
        def _create_resource(self, attributes: Attributes, schema_url: str | None) -> int: ...
        def _create_scope(
            self, resource_ref: int, name: str, version: str | None, attributes: Attributes, schema_url: str | None
        ) -> int: ...
        def _create_metric(self, scope_ref: int, name: str, description: str, unit: str, *aggregation: Any) -> int: ...

else:
    _Writer = _native.MmapWriter

ENVIRONMENT_VARIABLE = "SDK_MMAP_EXPORTER_FILE"

__all__ = [
    "ENVIRONMENT_VARIABLE",
    "ExpHistogram",
    "Gauge",
    "Histogram",
    "MmapExporter",
    "SpanContext",
    "SpanKind",
    "StatusCode",
    "Sum",
    "Temporality",
    "create_instrumentation_scope",
    "create_metric_stream",
    "create_resource",
    "exporter",
    "record_event",
    "record_measurement",
    "record_span_attributes",
    "record_span_end",
    "record_span_link",
    "record_span_name",
    "record_span_start",
    "record_span_status",
    "record_string",
]

_SIZES = {
    **RING_SIZES,
    "max_block_ms": 100,
    "time_unix_nano": 0,
}
_MOST = {"max_block_ms": 2**32 - 1}


def _scope(function: str, spelt: int | None, other: int | None) -> int:
    if (spelt is None) == (other is None):
        problem = "lacks its argument" if spelt is None else "got twice its argument"
        raise TypeError(f"{function}() {problem} 'insturmentation_scope_ref'")
    return cast(int, other if spelt is None else spelt)


class MmapExporter(_Writer):
    """Records into the OTLP-MMAP file `path`; creates it where there is none.

    The sizes are those of a file that is created: slots are powers of two, slot bytes multiples of 8; an existing file keeps
    its own. A record that finds its ring full is dropped and counted; with `when_full="block"` it waits for at most
    `max_block_ms`. `time_unix_nano` is when the program started (0: now).

    It may be used from any thread, several processes may have the same file open, and a forked child goes on with what it
    inherits. Raises `OtlpConfigError` for settings that cannot be, `OtlpIOError` where the file cannot be used. Records with
    references that are none raise `OtlpExportError`, with values that cannot be `ValueError` or `TypeError`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        events_slots: int = 4096,
        events_slot_bytes: int = 1024,
        spans_slots: int = 16384,
        spans_slot_bytes: int = 512,
        measurements_slots: int = 16384,
        measurements_slot_bytes: int = 256,
        dictionary_max_bytes: int = 64 << 20,
        when_full: Literal["drop_newest", "block"] = "drop_newest",
        max_block_ms: int = 100,
        time_unix_nano: int = 0,
    ) -> None:
        name = os.fspath(path)
        if not isinstance(name, str):
            raise TypeError(f"path is {path!r} ({type(path).__name__}), and must be a str or a path of text")
        if when_full not in ("drop_newest", "block"):
            raise OtlpConfigError(f"when_full: {when_full!r} is unknown; allowed are 'drop_newest' and 'block'")
        given = locals()
        sizes = {key: _integer(key, given[key]) for key in _SIZES}
        super().__init__(path=name, block=when_full == "block", **sizes)

    @classmethod
    def _from_environment(cls) -> Self:
        made = cls.__new__(cls)
        _Writer.__init__(made)
        return made

    @property
    def path(self) -> str:
        """The file; empty where the one that the environment names was not opened yet."""
        return self._path

    def counters(self) -> dict[str, int]:
        """What this process has done: records `dropped` for want of room, values `truncated` (cut or left out), claims
        `reclaimed` because the collector had given them up (nothing is lost by that).
        """
        return self._counters()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path or '$' + ENVIRONMENT_VARIABLE!r}{' (closed)' if self.closed else ''}>"

    # --- definitions: equal ones have the same reference ---

    def create_resource(self, attributes: Attributes, schema_url: str | None = None) -> int:
        """The reference of a resource, for `create_instrumentation_scope`."""
        return self._create_resource(attributes, schema_url)

    def create_instrumentation_scope(
        self,
        resource_ref: int,
        name: str,
        version: str | None = None,
        attributs: Attributes = None,
        *,
        attributes: Attributes = None,
        schema_url: str | None = None,
    ) -> int:
        """The reference of an instrumentation scope, for all that records. `attributes` is `attributs`."""
        if attributs is not None and attributes is not None:
            raise TypeError("create_instrumentation_scope() got its argument 'attributs' twice")
        return self._create_scope(resource_ref, name, version, attributs if attributes is None else attributes, schema_url)

    def create_metric_stream(
        self,
        insturmentation_scope_ref: int | None = None,
        name: str = "",
        description: str = "",
        unit: str = "",
        aggregation: Aggregation | None = None,
        *,
        instrumentation_scope_ref: int | None = None,
    ) -> int:
        """The reference of a metric, for `record_measurement`.

        `aggregation` is a `Gauge`, `Sum`, `Histogram` or `ExpHistogram`, or a dictionary of one of `gauge`, `sum`, `histogram`
        and `exp_histogram` with its fields: `{"sum": {"aggregation_temporality": "DELTA", "is_monotonic": True}}`.
        """
        scope = _scope("create_metric_stream", insturmentation_scope_ref, instrumentation_scope_ref)
        if name == "":
            raise ValueError("create_metric_stream: name is empty, and must be the name of a metric")
        return self._create_metric(scope, name, description, unit, *resolved(aggregation))

    # --- records: native, see their docstrings ---

    if TYPE_CHECKING:

        def record_string(self, string: str) -> int: ...

        def record_measurement(
            self, metric_ref: int, attributes: Attributes, time_unix_nano: int, value: float, span_context: SpanContext | None = None
        ) -> None: ...

        @overload
        def record_event(
            self, insturmentation_scope_ref: int, span_context: SpanContext | None, event_name_ref: int | None, time_unix_nano: int,
            attributes: Attributes = None, *, severity_number: int | None = None, severity_text: str | None = None, body: Any = None,
            observed_time_unix_nano: int | None = None, dropped_attributes_count: int = 0
        ) -> None: ...

        @overload
        def record_event(
            self, instrumentation_scope_ref: int, span_context: SpanContext | None, event_name_ref: int | None, time_unix_nano: int,
            attributes: Attributes = None, *, severity_number: int | None = None, severity_text: str | None = None, body: Any = None,
            observed_time_unix_nano: int | None = None, dropped_attributes_count: int = 0
        ) -> None: ...

        def record_event(self, *args: Any, **kwargs: Any) -> None: ...

        @overload
        def record_span_start(
            self, insturmentation_scope_ref: int, trace_id: Id, span_id: Id, parent_span_id: Id | None, flags: int, name: str,
            kind: SpanKind | Enum | int | str | None, start_time_unix_nano: int, attributes: Attributes = None, *,
            trace_state: str | None = None, dropped_attributes_count: int = 0
        ) -> None: ...

        @overload
        def record_span_start(
            self, instrumentation_scope_ref: int, trace_id: Id, span_id: Id, parent_span_id: Id | None, flags: int, name: str,
            kind: SpanKind | Enum | int | str | None, start_time_unix_nano: int, attributes: Attributes = None, *,
            trace_state: str | None = None, dropped_attributes_count: int = 0
        ) -> None: ...

        def record_span_start(self, *args: Any, **kwargs: Any) -> None: ...

        @overload
        def record_span_end(
            self, insturmentation_scope_ref: int, trace_id: Id, span_id: Id, end_time_unix_nano: int, *,
            status_code: StatusCode | Enum | int | str | None = None, status_message: str | None = None
        ) -> None: ...

        @overload
        def record_span_end(
            self, instrumentation_scope_ref: int, trace_id: Id, span_id: Id, end_time_unix_nano: int, *,
            status_code: StatusCode | Enum | int | str | None = None, status_message: str | None = None
        ) -> None: ...

        def record_span_end(self, *args: Any, **kwargs: Any) -> None: ...

        @overload
        def record_span_name(
            self, insturmentation_scope_ref: int, trace_id: Id, span_id: Id, name: str
        ) -> None: ...

        @overload
        def record_span_name(
            self, instrumentation_scope_ref: int, trace_id: Id, span_id: Id, name: str
        ) -> None: ...

        def record_span_name(self, *args: Any, **kwargs: Any) -> None: ...

        @overload
        def record_span_attributes(
            self, insturmentation_scope_ref: int, trace_id: Id, span_id: Id, attributes: Attributes
        ) -> None: ...

        @overload
        def record_span_attributes(
            self, instrumentation_scope_ref: int, trace_id: Id, span_id: Id, attributes: Attributes
        ) -> None: ...

        def record_span_attributes(self, *args: Any, **kwargs: Any) -> None: ...

        @overload
        def record_span_link(
            self, insturmentation_scope_ref: int, trace_id: Id, span_id: Id, linked_trace_id: Id, linked_span_id: Id,
            attributes: Attributes = None, *, trace_state: str | None = None, flags: int = 0, dropped_attributes_count: int = 0
        ) -> None: ...

        @overload
        def record_span_link(
            self, instrumentation_scope_ref: int, trace_id: Id, span_id: Id, linked_trace_id: Id, linked_span_id: Id,
            attributes: Attributes = None, *, trace_state: str | None = None, flags: int = 0, dropped_attributes_count: int = 0
        ) -> None: ...

        def record_span_link(self, *args: Any, **kwargs: Any) -> None: ...

        @overload
        def record_span_status(
            self, insturmentation_scope_ref: int, trace_id: Id, span_id: Id, status_code: StatusCode | Enum | int | str,
            status_message: str | None = None
        ) -> None: ...

        @overload
        def record_span_status(
            self, instrumentation_scope_ref: int, trace_id: Id, span_id: Id, status_code: StatusCode | Enum | int | str,
            status_message: str | None = None
        ) -> None: ...

        def record_span_status(self, *args: Any, **kwargs: Any) -> None: ...


def _integer(name: str, value: object) -> int:
    most = _MOST.get(name, 2**64 - 1)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise OtlpConfigError(f"{name}: {value!r} is no int from 0 to {most}; the default is {_SIZES[name]}")
    return value


_default = MmapExporter._from_environment()


def exporter() -> MmapExporter:
    """The exporter behind the functions of this module."""
    return _default


# Methods of it, and no functions around them: these would cost more than they do.
record_string = _default.record_string
create_resource = _default.create_resource
create_instrumentation_scope = _default.create_instrumentation_scope
create_metric_stream = _default.create_metric_stream
record_measurement = _default.record_measurement
record_event = _default.record_event
record_span_start = _default.record_span_start
record_span_end = _default.record_span_end
record_span_name = _default.record_span_name
record_span_attributes = _default.record_span_attributes
record_span_link = _default.record_span_link
record_span_status = _default.record_span_status
