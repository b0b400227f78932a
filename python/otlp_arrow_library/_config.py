"""Settings of the library: `Config`, its builder, and where forwarding goes to."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from . import _native
from ._environment import any_starts_with, setting
from ._errors import OtlpConfigError

if TYPE_CHECKING:
    from typing import Self

BuiltT = TypeVar("BuiltT")

_SIGNALS = ("traces", "metrics", "logs")
_HIDDEN = ("bearer_token", "password", "api_key")


@dataclasses.dataclass(kw_only=True, repr=False)
class ForwardingConfig:
    """A destination: where what is recorded is sent, besides the files or instead of them. The guide is docs/forwarding.md.

    Credentials and values of headers may hold `${env:NAME}` and `${file:PATH}`, which are looked up when sending starts and again when
    the destination refuses them. `repr` does not show them.
    """

    endpoint: str
    """URL of a receiver: `http://collector:4317`, `https://backend/otlp`, `grpc://lake:4319`."""
    protocol: str = ""
    """`grpc`, `http` (binary protobuf) or `flight`; empty: port 4318 or a path mean http, port 4319 flight, all else grpc."""
    name: str = ""
    """In metrics, messages and on disk; empty: made from protocol and endpoint."""
    enabled: bool = True
    signals: Sequence[str] = _SIGNALS
    """Which of `traces`, `metrics`, `logs` are sent."""
    compression: str = "none"
    """`none`, `gzip`; http also `zstd`; flight `none`, `lz4`, `zstd`."""
    headers: Mapping[str, str] = dataclasses.field(default_factory=lambda: cast("dict[str, str]", {}))
    """Sent with each request."""
    bearer_token: str = ""
    """Sent as `authorization: Bearer …`."""
    username: str = ""
    """With `password`: sent as `authorization: Basic …`."""
    password: str = ""
    api_key: str = ""
    """Sent in the header `api_key_header`."""
    api_key_header: str = "x-api-key"
    tls_ca_file: str | os.PathLike[str] = ""
    """PEM; trusted instead of the system's authorities."""
    tls_cert_file: str | os.PathLike[str] = ""
    """PEM; with `tls_key_file` what is shown to a server that asks for a certificate (mutual TLS)."""
    tls_key_file: str | os.PathLike[str] = ""
    tls_server_name: str = ""
    """The name that the server's certificate must bear, where it is not the endpoint's host."""
    batch_bytes: int = 1 << 20
    """Requests are joined up to this size; a larger one goes alone."""
    batch_delay_ms: int = 200
    """How long a request waits for others to join it."""
    max_in_flight: int = 4
    """Requests under way at a time; with 1 the destination sees each signal strictly in order."""
    timeout_ms: int = 10_000
    """How long one request may take."""
    retry_initial_ms: int = 250
    """Before the second attempt; doubled for each next one, up to `retry_max_ms`."""
    retry_max_ms: int = 30_000
    max_retry_secs: int = 0
    """A request that nobody took for so long is given up; 0: never."""
    breaker_failures: int = 5
    """Failures in a row after which nothing is sent for `breaker_open_ms`; 0: never."""
    breaker_open_ms: int = 10_000

    def __post_init__(self) -> None:
        self.validate()

    def validate(self) -> None:
        """Raises `OtlpConfigError` for the first field that cannot be."""
        for name in ("tls_ca_file", "tls_cert_file", "tls_key_file"):
            setattr(self, name, _path(f"forwarding.{name}", getattr(self, name), "give a path as str or os.PathLike"))
        _native.check_forwarding(self)

    def __repr__(self) -> str:
        shown: list[str] = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.default == value and field.name != "protocol":
                continue
            if field.name == "headers":
                value = {name: "<hidden>" for name in value} if value else None
            elif field.name in _HIDDEN:
                value = "<hidden>"
            if value is not None and value != "":
                shown.append(f"{field.name}={value!r}")
        return f"ForwardingConfig({', '.join(shown)})"


def _forwarding_from_environment() -> Sequence[ForwardingConfig] | None:
    if not any_starts_with("OTLP_FORWARDING_"):
        return None
    return [ForwardingConfig(**fields) for fields in _native.forwarding_from_environment()]


@dataclasses.dataclass
class Config:
    """How an `OtlpLibrary` records.

    A field that is not given is taken from the environment (`OTLP_` and the field's name in capitals, such as
    `OTLP_OUTPUT_DIR`), else its default holds. All fields are checked when the object is made and again when a library
    is created with it; `OtlpConfigError` names the field, its value and what is allowed.
    """

    output_dir: str | os.PathLike[str] = setting("output_dir", "./output_dir")
    """Directory of the files; created where it is missing. Several processes may share it."""
    write_interval_secs: int = setting("write_interval_secs", 5)
    """A row is in a readable file at most this long after its arrival (1 to 86400)."""
    trace_cleanup_interval_secs: int = setting("trace_cleanup_interval_secs", 600)
    """Files of traces are deleted when they are this old; 0 keeps them for ever. The next two alike."""
    metric_cleanup_interval_secs: int = setting("metric_cleanup_interval_secs", 3600)
    log_cleanup_interval_secs: int = setting("log_cleanup_interval_secs", 3600)
    forwarding: ForwardingConfig | Sequence[ForwardingConfig] | None = dataclasses.field(default_factory=_forwarding_from_environment)
    """Where to send what is recorded: a destination, several, or none."""
    _: dataclasses.KW_ONLY
    store: bool = setting("store", True)
    """Whether files are written; `False` makes a relay, which only forwards."""
    forward_backlog_max_bytes: int = setting("forward_backlog_max_bytes", 4 << 30)
    """What may wait on disk for destinations; beyond it the oldest is given up, or a relay refuses new data."""
    format: str = setting("format", "arrow")
    """`arrow` (the Arrow IPC file format)."""
    compression: str = setting("compression", "zstd")
    """`none`, `lz4` or `zstd`."""
    acknowledge: str = setting("acknowledge", "journal")
    """What an export waits for: `memory`, `journal` (survives the death of the process) or `fsync` (power loss)."""
    max_file_bytes: int = setting("max_file_bytes", 64 << 20)
    """OTLP bytes that one file holds; reaching them writes the file at once."""
    max_total_bytes: int = setting("max_total_bytes", 0)
    """Bytes of all data files; beyond them the oldest are deleted. 0: no limit."""
    memory_budget: int = setting("memory_budget", 64 << 20)
    """Bytes of accepted data not yet turned into Arrow; beyond them exports wait, then are refused."""
    admission_timeout_ms: int = setting("admission_timeout_ms", 1000)
    """How long an export may wait for room in the budget (0 to 60000)."""
    journal_max_bytes: int = setting("journal_max_bytes", 1 << 30)
    """Size of the journal; beyond it exports are refused until files are written."""
    workers: int = setting("workers", 1)
    """Threads that turn OTLP into files; 0: as many as there are cores."""
    shutdown_timeout_secs: int = setting("shutdown_timeout_secs", 30)
    """How long `shutdown()`, or the end of the interpreter, may take to write what is under way."""
    promote_attributes: Sequence[str] = setting("promote_attributes", _native.default_promoted_attributes)
    """Attributes that also get a column of their own: `key`, or `key:int64`, `key:double`, `key:bool`."""
    log_level: str = setting("log_level", "warn")
    """Of the library's messages on standard error: trace, debug, info, warn, error, off."""
    log_format: str = setting("log_format", "text")
    """`text`, or `json`: an object a line."""
    compaction_enabled: bool = setting("compaction_enabled", False)
    """Whether small files are merged into large ones meanwhile (docs/compaction.md). The next ones are for that."""
    compaction_interval_secs: int = setting("compaction_interval_secs", 60)
    """How often there is a look for work."""
    compaction_min_age_secs: int = setting("compaction_min_age_secs", 60)
    """Younger files are left alone."""
    compaction_min_files: int = setting("compaction_min_files", 8)
    """How many small files make it worthwhile."""
    compaction_target_file_bytes: int = setting("compaction_target_file_bytes", 256 << 20)
    """Files are merged up to this size."""
    compaction_window_secs: int = setting("compaction_window_secs", 3600)
    """A merged file holds arrivals of one such window, which is as exact as retention is then."""
    compaction_format: str = setting("compaction_format", "same")
    """Of merged files: `arrow`, `parquet`, or `same` as `format`."""
    compaction_partition: str = setting("compaction_partition", "none")
    """Hive partitions of merged files: `none`, `date`, `hour`."""
    limits_max_attributes: int = setting("limits_max_attributes", 4096)
    """Of one span, event, record, resource and so on; items with more are refused."""
    limits_max_value_depth: int = setting("limits_max_value_depth", 64)
    """Arrays and maps inside each other; items with deeper values are refused (1 to 64)."""

    def __post_init__(self) -> None:
        self.validate()

    def validate(self) -> None:
        """Raises `OtlpConfigError` for the first field that cannot be."""
        self.output_dir = _path("output_dir", self.output_dir, "give a path as str or os.PathLike")
        for destination in self.destinations:
            destination.validate()
        _native.check_config(self)

    @property
    def destinations(self) -> tuple[ForwardingConfig, ...]:
        """`forwarding` as a tuple, whatever it was given as."""
        given: object = self.forwarding
        if given is None:
            return ()
        if isinstance(given, ForwardingConfig):
            return (given,)
        allowed = "give a ForwardingConfig, a list of them, or None"
        if isinstance(given, (str, bytes)) or not isinstance(given, Sequence):
            raise _wrong_type("forwarding", given, allowed)
        destinations = tuple(cast("Sequence[object]", given))
        for entry in destinations:
            if not isinstance(entry, ForwardingConfig):
                raise _wrong_type("forwarding", entry, allowed)
        return cast("tuple[ForwardingConfig, ...]", destinations)

    @classmethod
    def default(cls) -> Self:
        """What `OtlpLibrary()` uses: the environment's values and the defaults."""
        return cls()


class ConfigBuilder(Generic[BuiltT]):
    """Collects settings by chained calls; each method is named after a field of `Config`.

    `build()` of a `ConfigBuilder()` makes a `Config`, that of `OtlpLibrary.with_config_builder()` a library.
    """

    @overload
    def __init__(self: ConfigBuilder[Config]) -> None: ...
    @overload
    def __init__(self, make: Callable[[Config], BuiltT]) -> None: ...
    def __init__(self, make: Callable[[Config], Any] = lambda config: config) -> None:
        self._make = make
        self._settings: dict[str, Any] = {}

    def _set(self, name: str, value: object) -> Self:
        self._settings[name] = value
        return self

    def output_dir(self, path: str | os.PathLike[str]) -> Self:
        return self._set("output_dir", path)

    def write_interval_secs(self, secs: int) -> Self:
        return self._set("write_interval_secs", secs)

    def trace_cleanup_interval_secs(self, secs: int) -> Self:
        return self._set("trace_cleanup_interval_secs", secs)

    def metric_cleanup_interval_secs(self, secs: int) -> Self:
        return self._set("metric_cleanup_interval_secs", secs)

    def log_cleanup_interval_secs(self, secs: int) -> Self:
        return self._set("log_cleanup_interval_secs", secs)

    def enable_forwarding(self, config: ForwardingConfig) -> Self:
        """Each call adds a destination."""
        earlier = self._settings.get("forwarding")
        return self._set("forwarding", config if earlier is None else [*(earlier if isinstance(earlier, list) else [earlier]), config])

    def store(self, value: bool) -> Self:
        return self._set("store", value)

    def forward_backlog_max_bytes(self, size: int) -> Self:
        return self._set("forward_backlog_max_bytes", size)

    def format(self, name: str) -> Self:
        return self._set("format", name)

    def compression(self, name: str) -> Self:
        return self._set("compression", name)

    def acknowledge(self, level: str) -> Self:
        return self._set("acknowledge", level)

    def max_file_bytes(self, size: int) -> Self:
        return self._set("max_file_bytes", size)

    def max_total_bytes(self, size: int) -> Self:
        return self._set("max_total_bytes", size)

    def memory_budget(self, size: int) -> Self:
        return self._set("memory_budget", size)

    def admission_timeout_ms(self, milliseconds: int) -> Self:
        return self._set("admission_timeout_ms", milliseconds)

    def journal_max_bytes(self, size: int) -> Self:
        return self._set("journal_max_bytes", size)

    def workers(self, number: int) -> Self:
        return self._set("workers", number)

    def shutdown_timeout_secs(self, secs: int) -> Self:
        return self._set("shutdown_timeout_secs", secs)

    def promote_attributes(self, names: Sequence[str]) -> Self:
        return self._set("promote_attributes", names)

    def log_level(self, name: str) -> Self:
        return self._set("log_level", name)

    def log_format(self, name: str) -> Self:
        return self._set("log_format", name)

    def compaction_enabled(self, value: bool) -> Self:
        return self._set("compaction_enabled", value)

    def compaction_interval_secs(self, secs: int) -> Self:
        return self._set("compaction_interval_secs", secs)

    def compaction_min_age_secs(self, secs: int) -> Self:
        return self._set("compaction_min_age_secs", secs)

    def compaction_min_files(self, number: int) -> Self:
        return self._set("compaction_min_files", number)

    def compaction_target_file_bytes(self, size: int) -> Self:
        return self._set("compaction_target_file_bytes", size)

    def compaction_window_secs(self, secs: int) -> Self:
        return self._set("compaction_window_secs", secs)

    def compaction_format(self, name: str) -> Self:
        return self._set("compaction_format", name)

    def compaction_partition(self, name: str) -> Self:
        return self._set("compaction_partition", name)

    def limits_max_attributes(self, number: int) -> Self:
        return self._set("limits_max_attributes", number)

    def limits_max_value_depth(self, number: int) -> Self:
        return self._set("limits_max_value_depth", number)

    def build(self) -> BuiltT:
        """Checks the settings and makes the `Config`, or the library with it. Raises `OtlpConfigError`."""
        return cast(BuiltT, self._make(Config(**self._settings)))

    def __repr__(self) -> str:
        return f"ConfigBuilder({', '.join(f'{name}={value!r}' for name, value in self._settings.items())})"


def _wrong_type(key: str, value: object, allowed: str) -> OtlpConfigError:
    return OtlpConfigError(f"{key}: {value!r} is of type {type(value).__name__}; {allowed}")


def _path(key: str, value: object, allowed: str) -> str:
    try:
        path: object = os.fspath(cast("str", value))
    except TypeError:
        raise _wrong_type(key, value, allowed) from None
    if not isinstance(path, str):
        raise _wrong_type(key, value, allowed)
    return path
