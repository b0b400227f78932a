"""Attributes that were given by a program, as nobody can change them any more."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Union

_logger = logging.getLogger("otlp_arrow_library")

AttributeValue = Union[None, bool, int, float, str, bytes, Sequence["AttributeValue"], Mapping[str, "AttributeValue"]]

_DEEPEST = 30  # containers; readers based on libprotobuf take no more


def clean_attributes(attributes: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """A copy that nobody changes. A key that is no text or empty is left out, a value of another type becomes its text; both
    are logged. Objects that raise are replaced by a text that says so.
    """
    return _clean_mapping(attributes, 0)


def _clean_mapping(attributes: Mapping[Any, Any], depth: int) -> dict[str, AttributeValue]:
    cleaned: dict[str, AttributeValue] = {}
    for key, value in list(attributes.items()):
        if isinstance(key, str) and key:
            cleaned[key if type(key) is str else str.__str__(key)] = _clean_value(value, depth)
        else:
            _logger.warning("an attribute's key is of type %s; left out, a key is a text that is not empty", type(key).__name__)
    return cleaned


def _clean_value(value: Any, depth: int) -> AttributeValue:
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value  # type: ignore[no-any-return]
    if depth >= _DEEPEST:
        return "<nested too deep>"
    try:
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, (bytes, bytearray)):
            return bytes(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value)
        if isinstance(value, Mapping):
            return _clean_mapping(value, depth + 1)
        if isinstance(value, Sequence):
            return tuple(_clean_value(element, depth + 1) for element in value)
        _logger.warning("an attribute's value is of type %s; its text is kept", type(value).__name__)
        return str(value)
    except Exception as error:
        return f"<{type(value).__name__}: reading raised {type(error).__name__}>"
