"""Observable instruments: their callbacks are asked at an interval, and what they tell is recorded."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, TypeAlias

from opentelemetry.metrics import CallbackOptions

from ._temporality import DELTA
from ._views import Stream

_logger = logging.getLogger("otlp_arrow_library.sdk")

Number: TypeAlias = "int | float"
Observed: TypeAlias = tuple[Number, Mapping[str, Any], Any]  # value, attributes, context
RecordFunction: TypeAlias = Callable[[Number, Mapping[str, Any], Any], bool]

_DEFAULT_LIMIT = 2000
_OVERFLOW: Mapping[str, Any] = {"otel.metric.overflow": True}


class ObservedStream:
    """A stream of an observable instrument. `record` puts a measurement into the ring, True where there was room."""

    def __init__(self, stream: Stream, record: RecordFunction) -> None:
        self._record = record
        self._keys = stream.attribute_keys
        self._is_sum = stream.aggregation == "sum"
        self._is_delta = stream.temporality == DELTA
        self._limit = stream.cardinality_limit or _DEFAULT_LIMIT
        self._recorded: dict[object, Number] = {}  # by attribute set: what the collector has added up

    def restart(self) -> None:
        """The ring is a new one, in which nothing was added up yet."""
        self._recorded.clear()

    def record(self, observations: Iterable[Observed]) -> None:
        """What one round of callbacks has told. Observations of one attribute set are added up, the last one counts in gauges."""
        kept = [(value, self._filtered(attributes), context) for value, attributes, context in observations]
        if not self._is_sum:
            for value, attributes, context in kept:
                self._record(value, attributes, context)
            return
        # Sums are totals, and the ring takes what was added.
        totals: dict[object, list[Any]] = {}
        for value, attributes, context in kept:
            key = _key_of(attributes)
            if key not in self._recorded and key not in totals and len(self._recorded.keys() | totals.keys()) >= self._limit - 1:
                key, attributes = None, _OVERFLOW  # so many sets that the collector counts them together
            if key in totals:
                totals[key][0] += value
            else:
                totals[key] = [value, attributes, context]
        for key, (total, attributes, context) in totals.items():
            self._add_up(key, total, attributes, context)

    def _add_up(self, key: object, total: Number, attributes: Mapping[str, Any], context: Any) -> None:
        before = self._recorded.get(key, 0)
        if not self._record(total - before, attributes, context):
            return
        if self._is_delta:
            self._recorded[key] = total
            return
        # As the collector rounds; what is missing for that is exact, and so the sum that it tells.
        reached = before + (total - before)
        if reached != total and self._record(total - reached, attributes, context):
            reached = total
        self._recorded[key] = reached

    def _filtered(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        keys = self._keys
        return attributes if keys is None else {key: value for key, value in attributes.items() if key in keys}


class Observable:
    """The callbacks of an instrument and the streams that take what they tell."""

    def __init__(self, name: str, callbacks: Iterable[Any] | None, streams: list[ObservedStream]) -> None:
        self.name = name
        self.streams = streams
        self._callbacks: list[Callable[[CallbackOptions], Any]] = []
        for callback in callbacks or ():
            self._add(callback)

    def _add(self, callback: Any) -> None:
        if not isinstance(callback, Generator):
            if callable(callback):
                self._callbacks.append(callback)
            else:
                _logger.error(
                    "a callback of the instrument %r is of type %s, and is never called; give a function", self.name, type(callback).__name__
                )
            return
        try:
            next(callback)  # up to its first yield, where it waits for options
        except Exception:
            _logger.exception("a generator of the instrument %r failed before its first yield, and is not asked", self.name)
            return
        self._callbacks.append(callback.send)

    def observe(self, deadline: float, timeout_millis: float) -> None:
        """Asks all callbacks; what raises is logged, and the others go on."""
        observations: list[Observed] = []
        for callback in list(self._callbacks):
            left = (deadline - time.monotonic()) * 1000
            options = CallbackOptions(timeout_millis=max(0.0, min(left, timeout_millis)))
            try:
                for observation in callback(options):
                    self._take(observation, observations)
                    if time.monotonic() > deadline and len(observations) > self._most():
                        _logger.error(
                            "a callback of the instrument %r tells more than %d values and does not end; the rest is left out",
                            self.name, self._most(),
                        )
                        break
            except StopIteration:  # a generator that has ended
                self._callbacks.remove(callback)
            except BaseException:  # also what would end this thread
                _logger.exception("a callback of the instrument %r failed; the others go on", self.name)
        for stream in self.streams:
            stream.record(observations)

    @staticmethod
    def _most() -> int:
        return 10 * _DEFAULT_LIMIT

    def _take(self, observation: Any, observations: list[Observed]) -> None:
        value, attributes = observation.value, observation.attributes
        if not isinstance(value, (int, float)):
            value = float(value)
        if not math.isfinite(value):
            _logger.warning("a callback of the instrument %r told %r, which is no finite number; left out", self.name, value)
            return
        if attributes is not None and not isinstance(attributes, Mapping):
            _logger.warning(
                "a callback of the instrument %r told attributes of type %s; left out, give a mapping", self.name, type(attributes).__name__
            )
            attributes = None
        observations.append((value, {} if attributes is None else attributes, getattr(observation, "context", None)))


class ObservationThread:
    """Runs `observe(timeout_millis)` every `interval` seconds, and whenever it is asked to. It begins with `start` and is a
    daemon: a callback that never returns keeps no program from its end.
    """

    def __init__(self, observe: Callable[[float], None], interval: float, timeout_millis: float) -> None:
        self._observe = observe
        self._interval = interval
        self._timeout_millis = timeout_millis
        self._is_wanted = False
        self._is_stopped = False
        self._begin()

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._asked = self._done = 0
        self._asked_millis = self._timeout_millis
        self._thread: threading.Thread | None = None

    def restart_after_fork(self) -> None:
        """In the child, which has no thread yet and whose locks may be held by nobody."""
        self._begin()
        if self._is_wanted and not self._is_stopped:
            self.start()

    def start(self) -> None:
        with self._changed:
            self._is_wanted = True
            if self._thread is not None or self._is_stopped:
                return
            self._thread = threading.Thread(target=self._run, name="OtlpArrowObservables", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:  # no thread can begin at the interpreter's end
                self._thread = None
                _logger.warning("observable instruments are not asked: %s", error)

    def run_now(self, timeout_millis: float) -> bool:
        """A round that begins after the call; False where it was not over in time."""
        with self._changed:
            if self._thread is None or not self._thread.is_alive():
                return not self._is_wanted or self._is_stopped
            self._asked += 1
            self._asked_millis = timeout_millis
            mine = self._asked
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._done >= mine, timeout_millis / 1000)

    def stop(self, timeout_millis: float) -> bool:
        """A last round, and no more."""
        finished = self.run_now(timeout_millis)
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        return finished

    def _run(self) -> None:
        changed = self._changed
        due = time.monotonic() + self._interval
        while True:
            with changed:
                changed.wait_for(lambda: self._is_stopped or self._asked > self._done, max(0.0, due - time.monotonic()))
                asked, done = self._asked, self._done
                if self._is_stopped and asked == done:
                    return
                timeout = self._asked_millis if asked > done else self._timeout_millis
            try:
                self._observe(timeout)
            except BaseException:
                _logger.exception("observable instruments could not be asked")
            due = time.monotonic() + self._interval
            with changed:
                self._done = max(self._done, asked)
                changed.notify_all()


def _key_of(value: Any) -> object:
    """Equal for equal attribute sets in any order, and for no others: 1, 1.0 and True are three values."""
    if isinstance(value, Mapping):
        return ("map", frozenset((key, _key_of(element)) for key, element in value.items()))
    if isinstance(value, (list, tuple)):
        return ("list", tuple(_key_of(element) for element in value))
    if value is None or isinstance(value, (str, bytes, bool, int, float)):
        return (type(value).__name__, value)
    return ("text", str(value))
