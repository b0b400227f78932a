"""Settings of the library: `Config`, its builder, and where forwarding goes to."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from . import _native
from ._environment import setting
from ._errors import OtlpConfigError

if TYPE_CHECKING:
    from typing import Self

BuiltT = TypeVar("BuiltT")

_PROTOCOLS = ("grpc", "http")
_SIGNALS = ("traces", "metrics", "logs")
_FORWARD_COMPRESSIONS = ("none", "gzip")


@dataclasses.dataclass(kw_only=True)
class ForwardingConfig:
    """Where what is recorded goes besides the files.

    It is checked and kept; this version of the library does not send anything yet (a warning says so).
    """

    endpoint: str
    """URL of an OTLP receiver, such as `http://collector:4317`."""
    protocol: str = "grpc"
    """`grpc` or `http` (binary protobuf)."""
    enabled: bool = True
    signals: Sequence[str] = _SIGNALS
    """Which of `traces`, `metrics`, `logs` are sent."""
    compression: str = "none"
    """`none` or `gzip`."""
    headers: Mapping[str, str] = dataclasses.field(default_factory=lambda: cast("dict[str, str]", {}))
    """Sent with each request, such as `{"authorization": "Bearer …"}`. Not shown by `repr`."""
    timeout_secs: float = 10.0
    """How long one request may take, up to 3600."""

    def __post_init__(self) -> None:
        self.validate()

    def validate(self) -> None:
        """Raises `OtlpConfigError` for the first field that cannot be."""
        _check_type("forwarding.endpoint", self.endpoint, str, "give a URL, such as http://collector:4317")
        _check_endpoint(self.endpoint)
        _check_choice("forwarding.protocol", self.protocol, _PROTOCOLS)
        _check_type("forwarding.enabled", self.enabled, bool, "give True or False")
        _check_signals(self.signals)
        _check_choice("forwarding.compression", self.compression, _FORWARD_COMPRESSIONS)
        _check_headers(self.headers)
        if isinstance(self.timeout_secs, bool) or not isinstance(self.timeout_secs, (int, float)):
            raise _wrong_type("forwarding.timeout_secs", self.timeout_secs, "give a number of seconds")
        if not 0 < self.timeout_secs <= 3600:
            raise OtlpConfigError(f"forwarding.timeout_secs: {self.timeout_secs} is out of range; allowed are more than 0 up to 3600 seconds")

    def __repr__(self) -> str:
        headers = ", headers=<hidden>" if self.headers else ""
        return (
            f"ForwardingConfig(endpoint={self.endpoint!r}, protocol={self.protocol!r}, enabled={self.enabled}, "
            f"signals={tuple(self.signals)!r}, compression={self.compression!r}{headers}, timeout_secs={self.timeout_secs})"
        )


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
    forwarding: ForwardingConfig | None = None
    """Where to send what is recorded besides. See `ForwardingConfig`."""
    _: dataclasses.KW_ONLY
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

    def __post_init__(self) -> None:
        self.validate()

    def validate(self) -> None:
        """Raises `OtlpConfigError` for the first field that cannot be."""
        try:
            path: object = os.fspath(self.output_dir)
        except TypeError:
            raise _wrong_type("output_dir", self.output_dir, "give a path as str or os.PathLike") from None
        if not isinstance(path, str):
            raise _wrong_type("output_dir", self.output_dir, "give a path as str or os.PathLike")
        self.output_dir = path
        _native.check_config(self)
        forwarding: object = self.forwarding
        if forwarding is None:
            return
        if not isinstance(forwarding, ForwardingConfig):
            raise _wrong_type("forwarding", forwarding, "give a ForwardingConfig or None")
        forwarding.validate()

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
        return self._set("forwarding", config)

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

    def build(self) -> BuiltT:
        """Checks the settings and makes the `Config`, or the library with it. Raises `OtlpConfigError`."""
        return cast(BuiltT, self._make(Config(**self._settings)))

    def __repr__(self) -> str:
        return f"ConfigBuilder({', '.join(f'{name}={value!r}' for name, value in self._settings.items())})"


def _wrong_type(key: str, value: object, allowed: str) -> OtlpConfigError:
    return OtlpConfigError(f"{key}: {value!r} is of type {type(value).__name__}; {allowed}")


def _check_type(key: str, value: object, kind: type, allowed: str) -> None:
    if not isinstance(value, kind):
        raise _wrong_type(key, value, allowed)


def _check_choice(key: str, value: object, choices: Sequence[str]) -> None:
    allowed = f"allowed are {', '.join(choices)}"
    _check_type(key, value, str, allowed)
    if value not in choices:
        raise OtlpConfigError(f"{key}: {value!r} is unknown; {allowed}")


def _check_endpoint(endpoint: str) -> None:
    from urllib.parse import urlsplit

    try:
        url = urlsplit(endpoint)
        good = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is no number, or too large
        good = False
    if not good:
        raise OtlpConfigError(f"forwarding.endpoint: {endpoint!r} is not a URL of a receiver; give one such as http://collector:4317 or https://host:4318")


def _check_signals(signals: object) -> None:
    allowed = "give a list of traces, metrics, logs"
    if isinstance(signals, (str, bytes)) or not isinstance(signals, Sequence):
        raise _wrong_type("forwarding.signals", signals, allowed)
    if not signals:
        raise OtlpConfigError(f"forwarding.signals: it is empty; {allowed}, or set enabled=False")
    for signal in cast("Sequence[object]", signals):
        _check_choice("forwarding.signals", signal, _SIGNALS)


def _check_headers(headers: object) -> None:
    allowed = "give a mapping of str to str"
    if not isinstance(headers, Mapping):
        raise OtlpConfigError(f"forwarding.headers: a {type(headers).__name__} is no mapping; {allowed}")
    for name, value in cast("Mapping[object, object]", headers).items():
        _check_type("forwarding.headers", name, str, allowed)
        if not isinstance(value, str):  # values may be secrets
            raise OtlpConfigError(f"forwarding.headers: the value of {name!r} is of type {type(value).__name__}; {allowed}")
