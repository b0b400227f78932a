"""Samplers: which spans are recorded. Those of this module decide natively within a `TracerProvider`."""

from __future__ import annotations

import abc
import enum
import logging
import math
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from opentelemetry import trace as api
from opentelemetry.context import Context

from .._errors import OtlpConfigError

_logger = logging.getLogger("otlp_arrow_library.sdk")

_ALL_IDS = 1 << 64  # of the lower halves of trace ids


class Decision(enum.Enum):
    DROP = 0
    """The span records nothing; its context is passed on."""
    RECORD_ONLY = 1
    """Span processors see it, and nobody else."""
    RECORD_AND_SAMPLE = 2

    def is_recording(self) -> bool:
        return self is not Decision.DROP

    def is_sampled(self) -> bool:
        return self is Decision.RECORD_AND_SAMPLE


class SamplingResult:
    """What a sampler says of a span: whether it is recorded, its attributes, and its trace state."""

    def __init__(
        self, decision: Decision, attributes: Mapping[str, Any] | None = None, trace_state: api.TraceState | None = None
    ) -> None:
        self.decision = decision
        self.attributes: Mapping[str, Any] = MappingProxyType(dict(attributes or {}))
        self.trace_state = trace_state

    def __repr__(self) -> str:
        return f"SamplingResult({self.decision}, attributes={dict(self.attributes)})"


class Sampler(abc.ABC):
    """One of one's own is asked for each span; so are those of the OpenTelemetry SDK."""

    @abc.abstractmethod
    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: api.SpanKind | None = None,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[api.Link] | None = None,
        trace_state: api.TraceState | None = None,
    ) -> SamplingResult: ...

    @abc.abstractmethod
    def get_description(self) -> str: ...


class _NativeSampler(Sampler):
    @abc.abstractmethod
    def specification(self) -> tuple[Any, ...]:
        """As `_native.TraceCore` takes it."""

    @abc.abstractmethod
    def _decision(self, parent: api.SpanContext | None, trace_id: int) -> Decision: ...

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: api.SpanKind | None = None,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[api.Link] | None = None,
        trace_state: api.TraceState | None = None,
    ) -> SamplingResult:
        parent = _valid_parent(parent_context)
        decision = self._decision(parent, trace_id)
        return SamplingResult(
            decision, None if decision is Decision.DROP else attributes, None if parent is None else parent.trace_state
        )


def check_sampler(sampler: object) -> None:
    if not callable(getattr(sampler, "should_sample", None)):
        raise OtlpConfigError(f"sampler is {sampler!r}, and must be a Sampler: an object with should_sample")


class StaticSampler(_NativeSampler):
    """The same decision for all spans: `ALWAYS_ON`, `ALWAYS_OFF`."""

    def __init__(self, decision: Decision) -> None:
        if decision is Decision.RECORD_ONLY:
            raise OtlpConfigError("decision: a StaticSampler decides DROP or RECORD_AND_SAMPLE; write a Sampler for RECORD_ONLY")
        self._always = decision

    def specification(self) -> tuple[Any, ...]:
        return ("off",) if self._always is Decision.DROP else ("on",)

    def _decision(self, parent: api.SpanContext | None, trace_id: int) -> Decision:
        return self._always

    def get_description(self) -> str:
        return "AlwaysOffSampler" if self._always is Decision.DROP else "AlwaysOnSampler"


ALWAYS_OFF = StaticSampler(Decision.DROP)
ALWAYS_ON = StaticSampler(Decision.RECORD_AND_SAMPLE)


class TraceIdRatioBased(_NativeSampler):
    """A share of all traces, from 0 to 1, by their ids: all processes with this ratio decide alike."""

    def __init__(self, rate: float) -> None:
        if not isinstance(rate, (int, float)) or math.isnan(rate) or not 0.0 <= rate <= 1.0:
            raise OtlpConfigError(f"rate is {rate!r}, and must be a number from 0.0 to 1.0")
        self.rate = rate
        self.bound = round(rate * _ALL_IDS)

    def specification(self) -> tuple[Any, ...]:
        return ("ratio", self.bound)

    def _decision(self, parent: api.SpanContext | None, trace_id: int) -> Decision:
        return Decision.RECORD_AND_SAMPLE if trace_id % _ALL_IDS < self.bound else Decision.DROP

    def get_description(self) -> str:
        return f"TraceIdRatioBased{{{self.rate}}}"


class ParentBased(Sampler):
    """As the parent: by default what a sampled parent has started is recorded. `root` decides where there is no parent."""

    def __init__(
        self,
        root: Any,
        remote_parent_sampled: Any = ALWAYS_ON,
        remote_parent_not_sampled: Any = ALWAYS_OFF,
        local_parent_sampled: Any = ALWAYS_ON,
        local_parent_not_sampled: Any = ALWAYS_OFF,
    ) -> None:
        self._samplers = (root, remote_parent_sampled, remote_parent_not_sampled, local_parent_sampled, local_parent_not_sampled)
        for sampler in self._samplers:
            check_sampler(sampler)

    def specification(self) -> tuple[Any, ...]:
        return ("parent", *map(specification_of, self._samplers))

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: api.SpanKind | None = None,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[api.Link] | None = None,
        trace_state: api.TraceState | None = None,
    ) -> SamplingResult:
        parent = _valid_parent(parent_context)
        root, remote_sampled, remote_not_sampled, local_sampled, local_not_sampled = self._samplers
        sampler = root
        if parent is not None and parent.is_remote:
            sampler = remote_sampled if parent.trace_flags.sampled else remote_not_sampled
        elif parent is not None:
            sampler = local_sampled if parent.trace_flags.sampled else local_not_sampled
        result: SamplingResult = sampler.should_sample(parent_context, trace_id, name, kind, attributes, links)
        return result

    def get_description(self) -> str:
        names = ("root", "remoteParentSampled", "remoteParentNotSampled", "localParentSampled", "localParentNotSampled")
        parts = (f"{name}:{sampler.get_description()}" for name, sampler in zip(names, self._samplers, strict=True))
        return f"ParentBased{{{','.join(parts)}}}"


class ParentBasedTraceIdRatio(ParentBased):
    """As the parent; a share of the traces that start here."""

    def __init__(self, rate: float) -> None:
        super().__init__(TraceIdRatioBased(rate))


DEFAULT_ON = ParentBased(ALWAYS_ON)
DEFAULT_OFF = ParentBased(ALWAYS_OFF)

_BY_NAME: dict[str, Any] = {
    "always_on": lambda: ALWAYS_ON,
    "always_off": lambda: ALWAYS_OFF,
    "parentbased_always_on": lambda: DEFAULT_ON,
    "parentbased_always_off": lambda: DEFAULT_OFF,
    "traceidratio": lambda: TraceIdRatioBased(_environment_rate()),
    "parentbased_traceidratio": lambda: ParentBasedTraceIdRatio(_environment_rate()),
}


def sampler_of_environment() -> Sampler:
    """What OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG name; `parentbased_always_on` for nothing and, with a warning, for others."""
    name = os.environ.get("OTEL_TRACES_SAMPLER", "").strip().lower() or "parentbased_always_on"
    if name not in _BY_NAME:
        _logger.warning(
            "OTEL_TRACES_SAMPLER is %r, and parentbased_always_on is taken; allowed are %s", name, ", ".join(sorted(_BY_NAME))
        )
        name = "parentbased_always_on"
    sampler: Sampler = _BY_NAME[name]()
    return sampler


def specification_of(sampler: Any) -> tuple[Any, ...]:
    """As `_native.TraceCore` takes it. Classes that derive from ours may decide otherwise: they are asked."""
    if type(sampler) in (StaticSampler, TraceIdRatioBased, ParentBased, ParentBasedTraceIdRatio):
        specification: tuple[Any, ...] = sampler.specification()
        return specification
    return ("other", sampler)


def _environment_rate() -> float:
    text = os.environ.get("OTEL_TRACES_SAMPLER_ARG", "")
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if 0.0 <= rate <= 1.0:
        return rate
    _logger.warning("OTEL_TRACES_SAMPLER_ARG is %r, and 1.0 is taken; allowed are numbers from 0.0 to 1.0", text)
    return 1.0


def _valid_parent(context: Context | None) -> api.SpanContext | None:
    parent = api.get_current_span(context).get_span_context()
    return parent if parent is not None and parent.is_valid else None
