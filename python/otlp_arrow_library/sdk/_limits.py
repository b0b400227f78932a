"""Limits of what a span may hold."""

from __future__ import annotations

import os

from .._errors import OtlpConfigError


class SpanLimits:
    """How many attributes, events and links a span may have, and how long texts may be. What exceeds them is left out and counted.

    An argument goes before its environment variable, and that before the one for all (`max_attributes`,
    OTEL_ATTRIBUTE_COUNT_LIMIT; `max_attribute_length`, OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT). Without any the limit is 128, that of
    lengths none. `SpanLimits.UNSET` (-1) means no limit, as an empty variable does. Raises OtlpConfigError.
    """

    UNSET = -1

    def __init__(
        self,
        max_attributes: int | None = None,
        max_events: int | None = None,
        max_links: int | None = None,
        max_span_attributes: int | None = None,
        max_event_attributes: int | None = None,
        max_link_attributes: int | None = None,
        max_attribute_length: int | None = None,
        max_span_attribute_length: int | None = None,
    ) -> None:
        usual = 128
        every = _limit("max_attributes", max_attributes, "OTEL_ATTRIBUTE_COUNT_LIMIT", usual)
        self.max_attributes = every
        self.max_events = _limit("max_events", max_events, "OTEL_SPAN_EVENT_COUNT_LIMIT", usual)
        self.max_links = _limit("max_links", max_links, "OTEL_SPAN_LINK_COUNT_LIMIT", usual)
        # Where no limit is wanted for all, the usual one of each kind stands.
        each = usual if every is None else every
        self.max_span_attributes = _limit("max_span_attributes", max_span_attributes, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", each)
        self.max_event_attributes = _limit("max_event_attributes", max_event_attributes, "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", each)
        self.max_link_attributes = _limit("max_link_attributes", max_link_attributes, "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", each)
        self.max_attribute_length = _limit("max_attribute_length", max_attribute_length, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", None)
        self.max_span_attribute_length = _limit(
            "max_span_attribute_length", max_span_attribute_length, "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", self.max_attribute_length
        )

    def __repr__(self) -> str:
        return f"SpanLimits({', '.join(f'{name}={value}' for name, value in vars(self).items())})"


def _limit(name: str, given: int | None, variable: str, usual: int | None) -> int | None:
    if given is not None:
        return _checked(name, given)
    if variable not in os.environ:
        return usual
    text = os.environ[variable].strip()
    if not text:
        return None
    try:
        return _checked(variable, int(text))
    except ValueError:
        raise OtlpConfigError(f"{variable} is {text!r}, and must be an integer from 0 on, or empty for no limit") from None


def _checked(name: str, value: object) -> int | None:
    if value == SpanLimits.UNSET:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise OtlpConfigError(f"{name} is {value!r}, and must be an integer from 0 to 2**31 - 1, or -1 for no limit")
    return value
