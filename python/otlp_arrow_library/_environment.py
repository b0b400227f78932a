"""Defaults of settings that the environment may replace: `OTLP_OUTPUT_DIR`, `OTLP_WRITE_INTERVAL_SECS`, ..."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import Any

from ._errors import OtlpConfigError

_SIZES = ("compaction_target_file_bytes", "forward_backlog_max_bytes", "max_file_bytes", "max_total_bytes", "memory_budget", "journal_max_bytes")


def setting(name: str, default: object) -> Any:
    """The field of a dataclass whose default is the environment's value of `name`, else `default` (or what it returns)."""
    return dataclasses.field(default_factory=lambda: _from_environment(name, default))


def _from_environment(name: str, default: object) -> object:
    variable = "OTLP_" + name.upper()
    text = os.environ.get(variable, "")
    value: object = default() if callable(default) else default
    if not text:  # empty is as good as not set
        return value
    if isinstance(value, bool):
        return _switch(variable, text)
    if isinstance(value, int):
        return _size(variable, text) if name in _SIZES else _integer(variable, text)
    if isinstance(value, list):
        return [entry.strip() for entry in text.split(",") if entry.strip()]
    return text


def any_starts_with(prefix: str) -> bool:
    """Is a variable set whose name begins so?"""
    return any(name.startswith(prefix) and value for name, value in os.environ.items())


def _switch(variable: str, text: str) -> bool:
    if text.lower() in ("true", "yes", "on", "1"):
        return True
    if text.lower() in ("false", "no", "off", "0"):
        return False
    raise OtlpConfigError(f"{variable}: {text!r} is neither true nor false; allowed are true, false")


def _integer(variable: str, text: str) -> int:
    if re.fullmatch(r"\s*[0-9]+\s*", text, re.ASCII) is None:
        raise OtlpConfigError(f"{variable}: {text!r} is not a number; give an integer, such as 5")
    return int(text)


def _size(variable: str, text: str) -> int:
    match = re.fullmatch(r"([0-9]+) ?(?:([KMGT])(i?)B?|B)?", text, re.ASCII | re.IGNORECASE)
    if match is None:
        raise OtlpConfigError(f"{variable}: {text!r} is not a size; give bytes, with a suffix if you like: 65536, 512k, 64MiB, 1GB")
    base = 1024 if match[3] else 1000
    return int(match[1]) * int(base ** " KMGT".index((match[2] or " ").upper()))
