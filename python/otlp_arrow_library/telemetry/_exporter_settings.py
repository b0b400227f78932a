"""Where OTLP goes, and how: arguments first, then OTEL_EXPORTER_OTLP_TRACES_*, then OTEL_EXPORTER_OTLP_*, then defaults."""

from __future__ import annotations

import dataclasses
import logging
import os
import urllib.parse
from collections.abc import Mapping

from .._errors import OtlpConfigError

_logger = logging.getLogger("otlp_arrow_library.telemetry")

_DEFAULT_TIMEOUT = 10_000
_LONGEST_TIMEOUT = 86_400_000  # a day
_SIGNAL_PATH = "/v1/traces"
_PROTOCOLS = {"grpc": "grpc", "http": "http", "http/protobuf": "http"}
_PORTS = {4317: "grpc", 4318: "http"}


@dataclasses.dataclass(frozen=True)
class ExporterSettings:
    """What an `OtlpClient` is made of. `headers` may be secret and never shows."""

    endpoint: str
    endpoint_is_complete: bool
    protocol: str
    protocol_is_guess: bool
    """Nothing says gRPC or HTTP: HTTP is tried first."""
    headers: list[tuple[str, str]] = dataclasses.field(repr=False)
    timeout_ms: int
    gzip: bool
    ca_file: str


def read_settings(
    endpoint: str | None,
    headers: Mapping[str, str] | None,
    timeout: float | None,
    protocol: str | None,
    compression: str | None,
    certificate_file: str | os.PathLike[str] | None,
) -> ExporterSettings:
    """Raises `OtlpConfigError`."""
    complete = False
    from_code = endpoint is not None
    if endpoint is None:
        own = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "").strip()
        endpoint, complete = (own, True) if own else (_variable("ENDPOINT")[1], False)
    elif not isinstance(endpoint, str):
        raise OtlpConfigError(f"endpoint is of type {type(endpoint).__name__}; give a URL such as http://127.0.0.1:4318")
    chosen, is_guess = _protocol(protocol, endpoint, from_code)
    endpoint = endpoint or ("http://localhost:4317" if chosen == "grpc" else "http://localhost:4318")
    if chosen == "grpc":  # what path there is belongs to OTLP/HTTP
        complete = False
    elif endpoint.rstrip("/").endswith(_SIGNAL_PATH):
        complete = True
    ca_file = os.fspath(certificate_file) if certificate_file is not None else _variable("CERTIFICATE")[1]
    return ExporterSettings(endpoint, complete, chosen, is_guess, _headers(headers), _timeout(timeout), _gzip(compression), ca_file)


def _variable(name: str) -> tuple[str, str]:
    """The variable that is set, and its value; empty where none is."""
    for variable in (f"OTEL_EXPORTER_OTLP_TRACES_{name}", f"OTEL_EXPORTER_OTLP_{name}"):
        if value := os.environ.get(variable, "").strip():
            return variable, value
    return f"OTEL_EXPORTER_OTLP_{name}", ""


def _protocol(argument: str | None, endpoint: str, from_code: bool) -> tuple[str, bool]:
    """The protocol, and whether it is a guess."""
    if argument is not None:
        if argument not in _PROTOCOLS:
            raise OtlpConfigError(f"protocol: {argument!r} is unknown; allowed are {', '.join(_PROTOCOLS)}, and None for what the endpoint suggests")
        return _PROTOCOLS[argument], False
    port = _PORTS.get(_port(endpoint) or 0, "")
    if from_code and port:
        return port, False
    variable, value = _variable("PROTOCOL")
    if value in _PROTOCOLS:
        return _PROTOCOLS[value], False
    if value:
        raise OtlpConfigError(f"{variable}: {value!r} is unknown; allowed are {', '.join(_PROTOCOLS)}")
    if port or not endpoint:
        return port or "http", False
    return "http", not urllib.parse.urlsplit(endpoint if "://" in endpoint else f"//{endpoint}").path.strip("/")


def _port(endpoint: str) -> int | None:
    try:
        return urllib.parse.urlsplit(endpoint if "://" in endpoint else f"//{endpoint}").port
    except ValueError:
        return None  # the client says what is wrong


def _headers(argument: Mapping[str, str] | None) -> list[tuple[str, str]]:
    if argument is None:
        return _headers_of_environment()
    if not isinstance(argument, Mapping):
        raise OtlpConfigError(f"headers is of type {type(argument).__name__}; give a mapping of names to values")
    for name, value in argument.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise OtlpConfigError(f"headers: {name if isinstance(name, str) else type(name).__name__!r} is not a text with a text; give both as str")
    return list(argument.items())


def _headers_of_environment() -> list[tuple[str, str]]:
    variable, text = _variable("HEADERS")
    headers = []
    for pair in text.split(","):
        name, equals, value = pair.partition("=")
        if equals and name.strip():
            headers.append((name.strip().lower(), urllib.parse.unquote(value.strip())))
        elif pair.strip():
            _logger.warning("%s: a pair is left out because it has no name or no '='; pairs are name=value, separated by commas", variable)
    return headers


def _timeout(argument: float | None) -> int:
    name, value = "timeout", argument
    if value is None:
        name, text = _variable("TIMEOUT")
        try:
            value = float(text) if text else _DEFAULT_TIMEOUT
        except ValueError:
            raise OtlpConfigError(f"{name}: {text!r} is no number of milliseconds; give one such as 10000") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _LONGEST_TIMEOUT:
        raise OtlpConfigError(f"{name}: {value!r} is out of range; give milliseconds from 1 to {_LONGEST_TIMEOUT}")
    return max(1, int(value))


def _gzip(argument: str | None) -> bool:
    name, value = ("compression", argument) if argument is not None else _variable("COMPRESSION")
    if value not in ("", "none", "gzip"):
        raise OtlpConfigError(f"{name}: {value!r} is unknown; allowed are none and gzip")
    return value == "gzip"
