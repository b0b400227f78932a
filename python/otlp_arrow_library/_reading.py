"""Reading back what is stored: `open`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from . import _native
from ._errors import OtlpConfigError
from ._times import Time, nanoseconds

if TYPE_CHECKING:
    import duckdb
    import pandas
    import polars
    import pyarrow

Signal: TypeAlias = Literal["traces", "metrics", "logs"]
SIGNALS: tuple[Signal, ...] = ("traces", "metrics", "logs")


def open(path: str | os.PathLike[str]) -> StoredTelemetry:
    """What is stored in an output directory, in another folder with `.arrow` or `.parquet` files, or in one such file.

        telemetry = otlp_arrow_library.open("./output_dir")
        slow = telemetry.traces(start="2024-05-06", service="shop", columns=["name", "duration_ns"])
        polars.DataFrame(slow)

    Nothing is locked or changed: it can be read while it is written to. Raises `OtlpIOError` where there is no such path.
    """
    return StoredTelemetry(path)


class StoredTelemetry:
    """The tables of a directory; see `open`. May be used from any thread.

    Each method takes the same keywords (`metrics` and `sql` no `trace_id`):

    - `start`, `end`: rows whose time is in [start, end). The time of a span is its start, that of a log record its `time`
      or, where that is null, its `observed_time`. A datetime (without a zone: UTC), a date, nanoseconds since 1970 or
      ISO 8601 text. Rows without a time come only where neither is given.
    - `service`: rows of this service, or of these.
    - `trace_id`: rows of this trace, or of these: 32 hexadecimal digits each. Spans and log records alone have one. Parquet files
      know which of their row groups may have it.
    - `include_journal`: also rows that a writer has accepted and not yet written to a file, be it at work or killed.

    Raises `OtlpConfigError` for arguments that cannot be.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise OtlpConfigError(f"path: {path!r} is no path; allowed are a str and an os.PathLike")
        self._path = os.fspath(path)
        self._reader = _native.StoreReader(os.fsencode(self._path))

    @property
    def path(self) -> str:
        """As it was given to `open`."""
        return self._path

    def __repr__(self) -> str:
        return f"otlp_arrow_library.open({self._path!r})"

    def traces(
        self,
        *,
        start: Time | None = None,
        end: Time | None = None,
        service: str | Iterable[str] | None = None,
        trace_id: str | Iterable[str] | None = None,
        columns: Iterable[str] | None = None,
        include_journal: bool = False,
    ) -> StoredTable:
        """One row per span; `columns` in the order given, by default all."""
        return self._table("traces", start, end, service, columns, include_journal, trace_id)

    def metrics(
        self,
        *,
        start: Time | None = None,
        end: Time | None = None,
        service: str | Iterable[str] | None = None,
        columns: Iterable[str] | None = None,
        include_journal: bool = False,
    ) -> StoredTable:
        """One row per data point; `columns` in the order given, by default all."""
        return self._table("metrics", start, end, service, columns, include_journal)

    def logs(
        self,
        *,
        start: Time | None = None,
        end: Time | None = None,
        service: str | Iterable[str] | None = None,
        trace_id: str | Iterable[str] | None = None,
        columns: Iterable[str] | None = None,
        include_journal: bool = False,
    ) -> StoredTable:
        """One row per log record; `columns` in the order given, by default all."""
        return self._table("logs", start, end, service, columns, include_journal, trace_id)

    def sql(
        self,
        query: str,
        parameters: Any = None,
        *,
        start: Time | None = None,
        end: Time | None = None,
        service: str | Iterable[str] | None = None,
        include_journal: bool = False,
    ) -> duckdb.DuckDBPyRelation:
        """Runs SQL through DuckDB, where the tables are the views `traces`, `metrics` and `logs`.

            telemetry.sql("SELECT service_name, count(*) FROM traces WHERE status_code = ? GROUP BY ALL", ["ERROR"]).df()

        The keywords say which rows the views have. Only columns that the query speaks of are read. The relation is read when
        its rows are asked for (`fetchall`, `df`, `pl`, ...), and again each time. Raises `ImportError` where DuckDB is not
        installed, and DuckDB's own errors for what is wrong with the query.
        """
        from ._sql import run

        bounds = {"start": start, "end": end, "service": service, "include_journal": include_journal}

        def table(signal: Signal, columns: list[str] | None) -> StoredTable:
            return self._table(signal, columns=columns, **bounds)  # type: ignore[arg-type]

        # Whatever is wrong with the arguments is told before anything else.
        table("traces", ["trace_id"])
        return run(query, parameters, table)

    def _table(
        self,
        signal: Signal,
        start: Time | None,
        end: Time | None,
        service: str | Iterable[str] | None,
        columns: Iterable[str] | None,
        include_journal: bool,
        trace_id: str | Iterable[str] | None = None,
    ) -> StoredTable:
        names = None if columns is None else _texts("columns", columns)
        if names == []:
            raise OtlpConfigError("columns: [] asks for no column at all; name at least one, or leave the argument out for all")
        query = self._reader.query(
            signal,
            start=nanoseconds("start", start),
            end=nanoseconds("end", end),
            services=[] if service is None else _services(service),
            trace_ids=[] if trace_id is None else _trace_ids(trace_id),
            columns=names or [],
            include_journal=bool(include_journal),
        )
        return StoredTable(signal, query)


class StoredTable:
    """Rows of one table, not yet read.

    Anything that takes the Arrow PyCapsule interface reads it, any number of times: `pyarrow.table(t)`,
    `polars.DataFrame(t)`, `pandas.DataFrame.from_arrow(t)`, `duckdb.sql("FROM t")`. A batch of one file is in memory at
    a time. Files that are deleted or merged while others are read: `docs/python/reading.md`.
    """

    def __init__(self, signal: Signal, query: _native.Query) -> None:
        self._signal: Signal = signal
        self._query = query

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows; a wish for another schema is left to the consumer's own conversion."""
        return self._query.stream()

    def __arrow_c_schema__(self) -> object:
        return self._query.schema()

    @property
    def signal(self) -> Signal:
        return self._signal

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._query.column_names()

    def count(self) -> int:
        """How many rows there are, without reading them."""
        return self._query.count_rows()

    def to_pyarrow(self) -> pyarrow.Table:
        """All rows as a `pyarrow.Table`; needs pyarrow."""
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self) -> pandas.DataFrame:
        """All rows as a pandas `DataFrame`; needs pandas and pyarrow."""
        return self.to_pyarrow().to_pandas()

    def to_polars(self) -> polars.DataFrame:
        """All rows as a Polars `DataFrame`; needs Polars."""
        import polars

        return polars.DataFrame(self)

    def __repr__(self) -> str:
        return f"<StoredTable {self._signal}>"


def _services(service: object) -> list[str]:
    names = [service] if isinstance(service, str) else _texts("service", service)
    if not names:
        raise OtlpConfigError("service: [] asks for no service at all; name at least one, or leave the argument out for all")
    return names


def _trace_ids(trace_id: object) -> list[str]:
    ids = [trace_id] if isinstance(trace_id, str) else _texts("trace_id", trace_id)
    if not ids:
        raise OtlpConfigError("trace_id: [] asks for no trace at all; name at least one, or leave the argument out for all")
    return ids


def _texts(name: str, values: object) -> list[str]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise OtlpConfigError(f"{name}: {values!r} is no list of names; write [{values!r}] for one")
    texts = list(values)
    for text in texts:
        if not isinstance(text, str):
            raise OtlpConfigError(f"{name}: {text!r} is no text; allowed are names of type str")
    return texts
