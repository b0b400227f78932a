"""The decorator `traced`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import Any, TypeVar, overload

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.context import Context

from .._attributes import clean_attributes
from . import _events
from ._context import TraceContext, begin_span, tell_exception, tracer

F = TypeVar("F", bound=Callable[..., Any])

_UNKNOWN = object()


@overload
def traced(name: F, /) -> F: ...
@overload
def traced(name: str | None = None, attributes: Mapping[str, Any] | None = None) -> Callable[[F], F]: ...
def traced(name: Any = None, attributes: Mapping[str, Any] | None = None) -> Any:
    """Runs a function in a span: `@traced`, `@traced("name")`, `@traced(name="name", attributes={...})`.

    The span is called as the function unless `name` says otherwise, is current while the function runs, and records what it
    raises. Coroutine functions, generators and async generators are traced from their first step to their last; between the
    steps of a generator its span is not current. Static and class methods may be decorated on either side.
    """
    if name is None or isinstance(name, str):
        return functools.partial(_decorated, name=name, attributes=attributes)
    return _decorated(name, name=None, attributes=attributes)


def _decorated(function: Any, *, name: str | None, attributes: Mapping[str, Any] | None) -> Any:
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(_decorated(function.__func__, name=name, attributes=attributes))
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"traced: {function!r} is of type {type(function).__name__}; decorate a function or method, or give a name as text: @traced('name')")
    span_name = name or _name_of(function)
    wrapper = _wrapper_for(function)(function, span_name, None if attributes is None else clean_attributes(attributes))
    return functools.wraps(function)(wrapper) if hasattr(function, "__name__") else functools.update_wrapper(wrapper, function, updated=())


def _name_of(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def _wrapper_for(function: Any) -> Callable[..., Any]:
    for candidate in (function, getattr(function, "__call__", None)):  # noqa: B004: an object's own method
        if inspect.isasyncgenfunction(candidate):
            return _trace_async_generator
        if inspect.iscoroutinefunction(candidate):
            return _trace_coroutine
        if inspect.isgeneratorfunction(candidate):
            return _trace_generator
    return _trace_function


def _trace_function(function: Any, name: str, attributes: Any) -> Any:
    started = _events.listeners[_events.SPAN_STARTED]
    options = {} if attributes is None else {"attributes": attributes}
    provider: Any = _UNKNOWN  # of start
    start: Any = None

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal provider, start
        if trace._TRACER_PROVIDER is not provider:
            start, provider = tracer().start_as_current_span, trace._TRACER_PROVIDER
        with start(name, **options) as span:
            if started:
                _events.emit(_events.SPAN_STARTED, TraceContext(span))
            return function(*args, **kwargs)

    return call


def _trace_coroutine(function: Any, name: str, attributes: Any) -> Any:
    async def call(*args: Any, **kwargs: Any) -> Any:
        active = _Active(name, attributes)
        try:
            active.enter()
            return await function(*args, **kwargs)
        except Exception as error:
            active.failed(error)
            raise
        finally:
            active.leave()
            active.end()

    return call


def _trace_generator(function: Any, name: str, attributes: Any) -> Any:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        active = _Active(name, attributes)
        generator = None
        try:
            generator = active.run(function, *args, **kwargs)
            step, given = generator.send, None
            while True:
                try:
                    value = active.run(step, given)
                except StopIteration as stop:
                    return stop.value
                try:
                    step, given = generator.send, (yield value)
                except GeneratorExit:
                    active.run(generator.close)
                    raise
                except BaseException as error:  # what the caller throws in
                    step, given = generator.throw, error
        except Exception as error:
            active.failed(error)
            raise
        finally:
            active.end()

    return call


def _trace_async_generator(function: Any, name: str, attributes: Any) -> Any:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        active = _Active(name, attributes)
        try:
            generator = active.run(function, *args, **kwargs)
            step, given = generator.asend, None
            while True:
                try:
                    value = await active.run_async(step, given)
                except StopAsyncIteration:
                    return
                try:
                    step, given = generator.asend, (yield value)
                except GeneratorExit:
                    await active.run_async(generator.aclose)
                    raise
                except BaseException as error:  # what the caller throws in
                    step, given = generator.athrow, error
        except Exception as error:
            active.failed(error)
            raise
        finally:
            active.end()

    return call


class _Active:
    """A span that is current now and then."""

    __slots__ = ("_span", "_own", "_token")

    def __init__(self, name: str, attributes: Any) -> None:
        self._span = begin_span(name, None, attributes)
        self._own: Context | None = None  # what is current in the function when it goes on after a yield
        self._token: Any = None
        if _events.listeners[_events.SPAN_STARTED]:
            _events.emit(_events.SPAN_STARTED, TraceContext(self._span))

    def enter(self) -> None:
        own = trace.set_span_in_context(self._span) if self._own is None else self._own
        self._token = context_api.attach(own)

    def leave(self) -> None:
        """In the context that it was entered in; another one, where the interpreter closes what was abandoned, is left alone."""
        token, self._token = self._token, None
        current = context_api.get_current()
        try:
            context_api._RUNTIME_CONTEXT.detach(token)
        except Exception:  # the API's own detach would log it
            return
        self._own = current

    def run(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        self.enter()
        try:
            return function(*args, **kwargs)
        finally:
            self.leave()

    async def run_async(self, function: Any, *args: Any) -> Any:
        self.enter()
        try:
            return await function(*args)
        finally:
            self.leave()

    def failed(self, error: Exception) -> None:
        tell_exception(self._span, error)

    def end(self) -> None:
        self._span.end()
