"""Where the ids of traces and spans come from."""

from __future__ import annotations

import abc
import secrets


class IdGenerator(abc.ABC):
    """Ids of one's own, for `TracerProvider(id_generator=...)`. The OpenTelemetry SDK's generators may be given as well."""

    @abc.abstractmethod
    def generate_span_id(self) -> int:
        """64 bits, not 0."""

    @abc.abstractmethod
    def generate_trace_id(self) -> int:
        """128 bits, not 0."""

    def is_trace_id_random(self) -> bool:
        """True where the lower 56 bits of trace ids are random; it is told to other processes in the trace flags."""
        return False


class RandomIdGenerator(IdGenerator):
    """Random ids. The provider makes them natively where it is given this one or none; a forked child goes on with others."""

    def generate_span_id(self) -> int:
        return secrets.randbits(64) or self.generate_span_id()

    def generate_trace_id(self) -> int:
        return secrets.randbits(128) or self.generate_trace_id()

    def is_trace_id_random(self) -> bool:
        return True
