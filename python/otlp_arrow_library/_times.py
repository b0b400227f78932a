"""Times as users write them, in nanoseconds since 1970 in UTC."""

from __future__ import annotations

import datetime
import re
from typing import Any, TypeAlias

from ._errors import OtlpConfigError

Time: TypeAlias = datetime.datetime | datetime.date | int | str
"""A datetime (without a zone: UTC), a date (its midnight), nanoseconds since 1970, or ISO 8601 text."""

_UTC = datetime.timezone.utc
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=_UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_SECOND = 10**9
_FRACTION = re.compile(r"(:\d\d)[.,](\d+)")
_FIRST, _LAST = -(2**63), 2**63 - 1


def nanoseconds(name: str, value: object) -> int | None:
    """The time that the argument `name` gives; None stays None. Raises `OtlpConfigError`."""
    if value is None:
        return None
    if isinstance(value, str):
        result = _of_text(name, value)
    elif isinstance(value, datetime.datetime):
        result = _of_datetime(value)
    elif isinstance(value, datetime.date):
        result = _of_datetime(datetime.datetime(value.year, value.month, value.day))
    elif isinstance(value, int) and not isinstance(value, bool):
        result = value
    elif type(value).__name__ == "datetime64":
        result = _of_numpy(value)
    else:
        raise _unusable(name, value)
    if not _FIRST <= result <= _LAST:
        raise OtlpConfigError(f"{name}: {value!r} is out of range; allowed are times from 1678 to 2262")
    return result


def _of_datetime(value: datetime.datetime) -> int:
    if value.tzinfo is None:
        value = value.replace(tzinfo=_UTC)
    # pandas keeps the rest below a microsecond in a field of its own.
    return (value - _EPOCH) // _MICROSECOND * 1000 + int(getattr(value, "nanosecond", 0))


def _of_text(name: str, text: str) -> int:
    digits = _FRACTION.search(text)
    whole = _FRACTION.sub(r"\1", text)
    try:
        result = _of_datetime(datetime.datetime.fromisoformat(whole.strip()))
    except ValueError:
        raise _unusable(name, text) from None
    return result + (int(digits[2][:9].ljust(9, "0")) if digits else 0)


def _of_numpy(value: Any) -> int:
    return int(value.astype("datetime64[ns]").astype("int64"))


def _unusable(name: str, value: object) -> OtlpConfigError:
    return OtlpConfigError(
        f"{name}: {value!r} is no time; allowed are a datetime (without a zone: UTC), a date, an int of nanoseconds since"
        " 1970, or ISO 8601 text such as '2024-05-06T07:08:09.5Z'"
    )
