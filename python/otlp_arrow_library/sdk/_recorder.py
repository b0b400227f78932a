"""Where the providers record: a ring file, or a library of this process.

Providers that are given the same file or the same library share one recorder, which is shut down with the last of them. A
`Recorder` that a program opens itself belongs to the program.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from .. import _native
from .._errors import OtlpConfigError, OtlpError, OtlpShutdownError
from .._ring_sizes import RING_SIZES

if TYPE_CHECKING:
    from .._library import OtlpLibrary

_logger = logging.getLogger("otlp_arrow_library.sdk")

ENVIRONMENT_VARIABLE = "SDK_MMAP_EXPORTER_FILE"


class Recorder:
    """Records into a ring; `Recorder.open_file` and `Recorder.of_library` make one. May be used from any thread, and after a fork."""

    def __init__(self, native: _native.Recorder, name: str) -> None:
        self.native = native
        self._name = name

    @classmethod
    def open_file(cls, path: str | os.PathLike[str], *, max_wait_millis: int = 100, **sizes: int) -> Recorder:
        """A ring file of its own, for `otlp-arrow collect`. "{pid}" in the path gives each forked child its own file.

        `max_wait_millis`: how long a record waits where the ring is full, without the GIL, before it is dropped and counted.
        `sizes`: those of a file that is created, as of `otlp_arrow_library.mmap.MmapExporter`. Raises OtlpConfigError, OtlpIOError.
        """
        name = os.fspath(path)
        for size in sizes:
            if size not in RING_SIZES:
                raise OtlpConfigError(f"{size} is no size of a ring file; allowed are {', '.join(RING_SIZES)}")
        return cls(_native.Recorder.open_file(path=name, max_wait_ms=max_wait_millis, **{**RING_SIZES, **sizes}), name)

    @classmethod
    def of_library(cls, library: OtlpLibrary, *, max_wait_millis: int = 100, **sizes: int) -> Recorder:
        """A ring below the library's directory, which a thread of this process empties into the library."""
        native = library._native  # what its methods call
        for size in sizes:
            if size not in RING_SIZES:
                raise OtlpConfigError(f"{size} is no size of a ring; allowed are {', '.join(RING_SIZES)}")
        opened = _native.Recorder.open_library(library=native, max_wait_ms=max_wait_millis, **{**RING_SIZES, **sizes})
        return cls(opened, f"the library of {library.config.output_dir}")

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        """True when all that was recorded is where it is meant to be: in the ring file, or in the library's readable files."""
        return self._attempt(self.native.force_flush, timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000) -> bool:
        """Flushes, and records nothing afterwards. False where the time did not suffice: what is left is taken at the next start."""
        return self._attempt(self.native.shutdown, timeout_millis)

    @property
    def is_shut_down(self) -> bool:
        return self.native.is_shut_down

    @property
    def epoch(self) -> int:
        """Grows in a forked child that records into a ring of its own."""
        return self.native.epoch

    def counters(self) -> dict[str, Any]:
        """Records `dropped` for want of room, values `truncated`, claims `reclaimed`, records `invalid`."""
        return self.native.counters()

    def _attempt(self, call: Any, timeout_millis: float) -> bool:
        try:
            call(timeout_ms=max(0, int(timeout_millis)))
        except OtlpShutdownError:
            return False
        except OtlpError as error:
            _logger.error("%s: %s", self._name, error)
            return False
        return True

    def __repr__(self) -> str:
        return f"<Recorder of {self._name}{', shut down' if self.is_shut_down else ''}>"


class SharedRecorder:
    """A provider's hold on a recorder."""

    def __init__(self, recorder: Recorder, shared: _Shared | None) -> None:
        self.recorder = recorder
        self._shared = shared

    def release(self, timeout_millis: float) -> bool:
        """Flushes; shuts the recorder down where nobody else holds it and the program did not open it."""
        if self._shared is not None and self._shared.leave():
            return self.recorder.shutdown(timeout_millis)
        return self.recorder.force_flush(timeout_millis)


class _Shared:
    def __init__(self, recorder: Recorder, known: Any, key: Any) -> None:
        self.recorder = recorder
        self.holders = 0
        self._known = known
        self._key = key

    def leave(self) -> bool:
        """True for the last one."""
        with _lock:
            self.holders -= 1
            if self.holders > 0:
                return False
            if self._known.get(self._key) is self:
                del self._known[self._key]
            return True


_lock = threading.Lock()
_files: dict[str, _Shared] = {}
_libraries: weakref.WeakKeyDictionary[Any, _Shared] = weakref.WeakKeyDictionary()


def hold_recorder(
    mmap_file: str | os.PathLike[str] | None = None, library: OtlpLibrary | None = None, recorder: Recorder | None = None
) -> SharedRecorder:
    """What the arguments of a provider mean; without any the environment names a file. Raises OtlpConfigError, OtlpIOError."""
    given = [name for name, value in (("mmap_file", mmap_file), ("library", library), ("recorder", recorder)) if value is not None]
    if len(given) > 1:
        raise OtlpConfigError(f"{' and '.join(given)} are given; a provider records to one of them")
    if recorder is not None:
        if not isinstance(recorder, Recorder):
            raise OtlpConfigError(f"recorder: {recorder!r} is of type {type(recorder).__name__}; give a Recorder")
        return SharedRecorder(recorder, None)
    if library is not None:
        return _hold(_libraries, library, lambda: Recorder.of_library(library))
    path = os.fspath(mmap_file) if mmap_file is not None else os.environ.get(ENVIRONMENT_VARIABLE, "")
    if not path:
        raise OtlpConfigError(
            f"there is nothing to record to; give mmap_file, library or recorder, or set the variable {ENVIRONMENT_VARIABLE} to the path of a file"
        )
    return _hold(_files, os.path.abspath(path), lambda: Recorder.open_file(path))


def _hold(known: Any, key: Any, opened: Any) -> SharedRecorder:
    with _lock:
        shared = known.get(key)
        if shared is None or shared.recorder.is_shut_down:
            shared = known[key] = _Shared(opened(), known, key)
        shared.holders += 1
        return SharedRecorder(shared.recorder, shared)


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)
