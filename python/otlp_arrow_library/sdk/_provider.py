"""What the providers of the three signals have in common."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from ._recorder import Recorder, SharedRecorder
from ._resource import Resource, ResourceLike, as_resource
from ._resource_detectors import in_forked_child
from ._scope import renew_in_children


class RecordingProvider:
    """Who records, and where."""

    def __init__(self, resource: ResourceLike | Mapping[str, Any] | None, hold: Callable[[], SharedRecorder | None]) -> None:
        self._resource = as_resource(resource)
        self._is_disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
        self._held = None if self._is_disabled else hold()
        renew_in_children(self)

    @property
    def resource(self) -> Resource:
        return self._resource

    @property
    def recorder(self) -> Recorder | None:
        """Where it records; None where it records nowhere: OTEL_SDK_DISABLED, or span processors alone."""
        return None if self._held is None else self._held.recorder

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        raise NotImplementedError

    def renew_resource(self) -> None:
        """In a forked child, which calls it itself."""
        self._resource = in_forked_child(self._resource)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()


def millis_until(deadline: float) -> float:
    """From now, by `time.monotonic()`; not less than 0."""
    return max(0.0, deadline - time.monotonic()) * 1000
