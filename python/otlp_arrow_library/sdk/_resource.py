"""What produces the telemetry: a name, a host, a process. Resources are immutable.

    Resource.create({"service.name": "shop"})  # and what the environment and the detectors say
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from .._attributes import AttributeValue, clean_attributes

_logger = logging.getLogger("otlp_arrow_library.sdk")


class ResourceLike(Protocol):
    """What is taken for a resource: ours, the OpenTelemetry SDK's, and what has these two."""

    @property
    def attributes(self) -> Mapping[str, Any]: ...
    @property
    def schema_url(self) -> str: ...


class Resource:
    """Attributes of what produces telemetry. Most programs want `Resource.create`, which also asks the environment."""

    __slots__ = ("_attributes", "_schema_url")

    def __init__(self, attributes: Mapping[str, Any] | None = None, schema_url: str | None = None) -> None:
        self._attributes = MappingProxyType(clean_attributes(attributes or {}))
        self._schema_url = schema_url or ""

    @staticmethod
    def create(attributes: Mapping[str, Any] | None = None, schema_url: str | None = None) -> Resource:
        """`attributes`, over what OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say, over what the detectors of
        OTEL_EXPERIMENTAL_RESOURCE_DETECTORS find, over the SDK's own name. There is always a service.name.
        """
        from ._resource_detectors import detected_resource

        resource = _sdk_resource().merge(detected_resource()).merge(Resource(attributes, schema_url))
        if resource.attributes.get("service.name"):
            return resource
        return resource.merge(Resource({"service.name": _unknown_service()}))

    @staticmethod
    def get_empty() -> Resource:
        """The one without attributes."""
        return _EMPTY

    @property
    def attributes(self) -> Mapping[str, AttributeValue]:
        return self._attributes

    @property
    def schema_url(self) -> str:
        return self._schema_url

    def merge(self, other: ResourceLike) -> Resource:
        """Both; `other` wins where they disagree. Two different schema URLs are an error, which is logged: `self` remains."""
        other_url = other.schema_url or ""
        if self._schema_url and other_url and self._schema_url != other_url:
            _logger.error(
                "a resource of schema %s cannot be merged into one of schema %s; give both the same schema_url, or one of them none",
                other_url,
                self._schema_url,
            )
            return self
        return Resource({**self._attributes, **other.attributes}, self._schema_url or other_url)

    def to_json(self, indent: int | None = 4) -> str:
        return json.dumps({"attributes": dict(self._attributes), "schema_url": self._schema_url}, indent=indent, default=_json_value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Resource):
            return self._attributes == other._attributes and self._schema_url == other._schema_url
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self._schema_url, frozenset(self._attributes)))

    def __repr__(self) -> str:
        schema = f", schema_url={self._schema_url!r}" if self._schema_url else ""
        return f"Resource({dict(self._attributes)!r}{schema})"

    def __reduce__(self) -> tuple[type[Resource], tuple[dict[str, Any], str]]:
        return Resource, (dict(self._attributes), self._schema_url)


def as_resource(value: ResourceLike | Mapping[str, Any] | None) -> Resource:
    """What a provider's argument `resource` means: None and mappings of attributes go through `Resource.create`, resources
    (the OpenTelemetry SDK's too) are taken as they are. Raises TypeError for everything else.
    """
    if isinstance(value, Resource):
        return value
    if value is None or isinstance(value, Mapping):
        return Resource.create(value)
    attributes, schema_url = getattr(value, "attributes", None), getattr(value, "schema_url", "")
    if isinstance(attributes, Mapping) and isinstance(schema_url, (str, type(None))):
        return Resource(attributes, schema_url)
    raise TypeError(f"resource is of type {type(value).__name__}; give a Resource, a mapping of attributes, or None for the environment's")


def _json_value(value: object) -> object:
    if isinstance(value, MappingProxyType):
        return dict(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def _sdk_resource() -> Resource:
    from .. import __version__

    return Resource(
        {
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "otlp_arrow_library",
            "telemetry.sdk.version": __version__,
        }
    )


def _unknown_service() -> str:
    executable = os.path.basename(sys.executable or "")
    return f"unknown_service:{executable}" if executable else "unknown_service"


_EMPTY = Resource()
