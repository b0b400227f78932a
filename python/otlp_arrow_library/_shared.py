"""The one library of a process whose exporters were made without one: by OTEL_TRACES_EXPORTER=otlp_arrow and its sisters."""

from __future__ import annotations

import threading

from ._library import OtlpLibrary

_lock = threading.Lock()
_shared: OtlpLibrary | None = None


def shared_library() -> OtlpLibrary:
    """Made at the first call, with the settings of the environment (OTLP_OUTPUT_DIR, ...), and anew after its shutdown. The
    interpreter's end shuts it down, after the SDK's providers have exported what they had.
    """
    global _shared
    with _lock:
        if _shared is None or _shared.is_shut_down:
            _shared = OtlpLibrary()
        return _shared
