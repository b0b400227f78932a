"""A stand-in for an OTLP backend, for tests: `MockOtlpService`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, overload

from . import _native
from ._errors import OtlpServerError
from ._otlp_reading import count_containers, read_logs, read_metrics, read_spans
from ._received import ReceivedLogRecord, ReceivedMetric, ReceivedSpan

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from . import _service

T = TypeVar("T")
Answer: TypeAlias = Literal["unavailable", "overloaded", "refused"]

_ANY_PORT = "127.0.0.1:0"
_ITEMS = {"traces": "span", "metrics": "metric", "logs": "log record"}
_LOOK_EVERY = 0.05  # seconds; for what another thread gives directly while servers are waited for


class Received(Generic[T]):
    """What a service has received of one signal: it grows while telemetry comes in.

    Objects (`ReceivedSpan`, `ReceivedMetric`, `ReceivedLogRecord`) in the order of arrival, to be indexed and iterated over,
    and an Arrow stream with the columns of the stored table (docs/formats/tables.md): `polars.DataFrame(service.spans)`.
    """

    # No collections.abc.Sequence: Polars would look at the objects instead of taking the stream.

    def __init__(self, signal: str, read: Callable[[bytes], Iterable[T]], name_of: Callable[[T], object], update: Callable[[], None]) -> None:
        self._signal = signal
        self._read = read
        self._name_of = name_of
        self._update = update
        self._lock = threading.RLock()
        self._requests: list[bytes] = []
        self._items: list[T] = []
        self._decoded = 0  # requests that _items holds

    @property
    def requests(self) -> list[bytes]:
        """The OTLP export requests as they came, in protobuf form."""
        self._update()
        with self._lock:
            return list(self._requests)

    @property
    def names(self) -> list[object]:
        """The names of the spans or metrics, the bodies of the log records."""
        return [self._name_of(item) for item in self._all()]

    def named(self, name: object) -> list[T]:
        """Those of this name (log records: of this body)."""
        return [item for item in self._all() if self._name_of(item) == name]

    def one(self, name: object | None = None) -> T:
        """The only one there is, or the only one of this name. Raises `AssertionError` where there is none or another."""
        __tracebackhide__ = True  # of pytest: the caller's line is what matters
        items = list(self._all()) if name is None else self.named(name)
        if len(items) != 1:
            called = "" if name is None else f" called {name!r}"
            raise AssertionError(f"expected one {_ITEMS[self._signal]}{called}, received {len(items)}; all that came: {self.names!r}")
        return items[0]

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return _native.requests_as_stream(self._signal, self.requests)

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._all()[index]

    def __iter__(self) -> Iterator[T]:
        return iter(self._all())

    def __repr__(self) -> str:
        return f"<Received {self._signal}: {self.names!r}>"

    def _all(self) -> list[T]:
        """A list that does not change any more."""
        self._update()
        with self._lock:
            new = [item for request in self._requests[self._decoded :] for item in self._read(request)]
            self._decoded = len(self._requests)
            if new:
                self._items = self._items + new
            return self._items

    def _add(self, request: bytes) -> None:
        with self._lock:
            self._requests.append(request)

    def _clear(self) -> None:
        with self._lock:
            self._requests, self._items, self._decoded = [], [], 0


class MockOtlpService:
    """Receives telemetry and keeps it for a test to look at.

    Telemetry is given to it directly (`receive_trace`, ...), or it is sent to its endpoints once they are started, over gRPC
    and HTTP, by any exporter. As a context manager it starts them and stops them:

        with MockOtlpService() as service:
            exporter = OTLPSpanExporter(endpoint=service.grpc_endpoint, insecure=True)
            ...
            service.assert_traces_received(1)
            assert service.spans[0].attributes == {"http.route": "/"}

    May be used from any thread.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._server: _service.MockServer | None = None
        self._grpc_address = ""
        self._http_address = ""
        self._refused = 0
        self._resource_metrics = 0
        self.spans: Received[ReceivedSpan] = Received("traces", read_spans, lambda span: span.name, self._update)
        """The spans that came."""
        self.metrics: Received[ReceivedMetric] = Received("metrics", read_metrics, lambda metric: metric.name, self._update)
        """The metrics that came, each with its data points."""
        self.logs: Received[ReceivedLogRecord] = Received("logs", read_logs, lambda record: record.body, self._update)
        """The log records that came."""

    # --- given directly ---

    def receive_trace(self, span: object) -> None:
        """Receives a span: an SDK `ReadableSpan`, a span that is still open, or a dictionary. Raises `OtlpExportError` for
        anything else."""
        self._add("traces", _native.encode_spans([span]))

    def receive_metric(self, metrics: object) -> None:
        """Receives the SDK's `ResourceMetrics` or `MetricsData`, or collects from a meter provider, a metric reader or the module
        `opentelemetry.metrics`. Raises `OtlpExportError` for anything else."""
        self._add("metrics", _native.encode_metrics(metrics), given_directly=True)

    def receive_log(self, record: object) -> None:
        """Receives a log record of the SDK, or a dictionary. Raises `OtlpExportError` for anything else."""
        self._add("logs", _native.encode_logs([record]))

    # --- what came ---

    def assert_traces_received(self, count: int) -> None:
        """Raises `AssertionError` unless exactly `count` spans came."""
        __tracebackhide__ = True
        _assert_count("spans", count, len(self.spans), self.spans)

    def assert_metrics_received(self, count: int) -> None:
        """Raises `AssertionError` unless exactly `count` `ResourceMetrics` came: one for each `receive_metric`, and for each
        collection of an exporter. How many metrics they hold is `len(service.metrics)`."""
        __tracebackhide__ = True
        self._update()
        _assert_count("resource metrics", count, self._resource_metrics, self.metrics)

    def assert_logs_received(self, count: int) -> None:
        """Raises `AssertionError` unless exactly `count` log records came."""
        __tracebackhide__ = True
        _assert_count("log records", count, len(self.logs), self.logs)

    def wait_for(self, condition: Callable[[MockOtlpService], object], timeout: float = 10.0) -> None:
        """Returns when `condition(service)` is true. Raises `AssertionError`, with what came, after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not condition(self):
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"waited {timeout} s in vain; received: {self!r}")
            self._wait(left)

    def wait_for_spans(self, count: int, timeout: float = 10.0) -> list[ReceivedSpan]:
        """The spans, when at least `count` have come. Raises `AssertionError` after `timeout` seconds."""
        self.wait_for(lambda service: len(service.spans) >= count, timeout)
        return list(self.spans)

    def wait_for_metrics(self, count: int, timeout: float = 10.0) -> list[ReceivedMetric]:
        """The metrics, when at least `count` have come. Raises `AssertionError` after `timeout` seconds."""
        self.wait_for(lambda service: len(service.metrics) >= count, timeout)
        return list(self.metrics)

    def wait_for_logs(self, count: int, timeout: float = 10.0) -> list[ReceivedLogRecord]:
        """The log records, when at least `count` have come. Raises `AssertionError` after `timeout` seconds."""
        self.wait_for(lambda service: len(service.logs) >= count, timeout)
        return list(self.logs)

    def reset(self) -> None:
        """Forgets all that came, and what `answer_next` said."""
        self._update()
        with self._changed:
            for received in (self.spans, self.metrics, self.logs):
                received._clear()
            self._resource_metrics = 0
            if self._server is not None:
                self._server.answer_next(0, "unavailable", "")
                self._refused = self._server.refused_requests

    # --- endpoints ---

    def start(self, *, grpc_address: str | None = _ANY_PORT, http_address: str | None = _ANY_PORT) -> Self:
        """Listens for OTLP over gRPC and HTTP, by default on free ports of this machine alone; None: not at all.

        Does nothing where it listens already. Raises `OtlpServerError` where an address cannot be listened on.
        """
        with self._changed:
            if self._server is not None:
                return self
            try:
                from . import _service
            except ImportError as error:
                raise OtlpServerError(
                    f"the servers cannot be loaded ({error}); build the package with OTLP_ARROW_BUILD_SERVICE=ON, or give telemetry"
                    " directly with receive_trace(), receive_metric() and receive_log()"
                ) from error
            self._server = _service.start_mock_server(grpc_address or "", http_address or "")
            self._grpc_address, self._http_address = self._server.grpc_address, self._server.http_address
            self._refused = 0
        return self

    def stop(self) -> None:
        """Stops listening; what came stays. Does nothing where it does not listen."""
        with self._changed:
            server = self._server
        if server is None:
            return
        server.stop()
        self._update()
        with self._changed:
            if self._server is server:
                self._server = None

    @property
    def is_started(self) -> bool:
        return self._server is not None

    @property
    def grpc_endpoint(self) -> str:
        """`http://host:port`, for OTLP over gRPC. Raises `OtlpServerError` where it does not listen for that."""
        return self._endpoint("grpc", self._grpc_address)

    @property
    def http_endpoint(self) -> str:
        """`http://host:port`, below which `/v1/traces`, `/v1/metrics` and `/v1/logs` are. Raises `OtlpServerError` where it
        does not listen for that."""
        return self._endpoint("http", self._http_address)

    def environment(self, protocol: Literal["grpc", "http"] = "grpc") -> dict[str, str]:
        """The environment variables that make an SDK export to this service."""
        return {
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc" if protocol == "grpc" else "http/protobuf",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.grpc_endpoint if protocol == "grpc" else self.http_endpoint,
            "OTEL_EXPORTER_OTLP_INSECURE": "true",
        }

    def answer_next(self, count: int, answer: Answer = "unavailable", message: str = "the test says so") -> None:
        """The next `count` requests to the endpoints are not taken but answered with

        - `unavailable`: gRPC UNAVAILABLE, HTTP 503: exporters try again;
        - `overloaded`: gRPC RESOURCE_EXHAUSTED with RetryInfo, HTTP 429 with Retry-After: they try again later;
        - `refused`: gRPC INVALID_ARGUMENT, HTTP 400: they give up.
        """
        if self._server is None:
            raise _not_started()
        self._server.answer_next(count, answer, message)

    @property
    def refused_requests(self) -> int:
        """How many requests to the endpoints were not taken: as `answer_next` said, or malformed."""
        server = self._server
        return 0 if server is None else server.refused_requests - self._refused

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def __repr__(self) -> str:
        at = f" at {self._grpc_address or '-'} (gRPC), {self._http_address or '-'} (HTTP)" if self._server else ""
        return f"<MockOtlpService{at}: {len(self.spans)} spans, {len(self.metrics)} metrics, {len(self.logs)} log records>"

    def _endpoint(self, protocol: str, address: str) -> str:
        if self._server is None:
            raise _not_started()
        if not address:
            raise OtlpServerError(f"the service was started without {protocol}; give start() an address: {protocol}_address='{_ANY_PORT}'")
        return f"http://{address}"

    def _add(self, signal: str, request: bytes, *, given_directly: bool = False) -> None:
        by_signal: dict[str, Received[Any]] = {"traces": self.spans, "metrics": self.metrics, "logs": self.logs}
        with self._changed:
            by_signal[signal]._add(request)
            if signal == "metrics":
                containers = count_containers(request)
                # One that holds nothing was received all the same.
                self._resource_metrics += max(containers, 1) if given_directly else containers
            self._changed.notify_all()

    def _update(self) -> None:
        """Fetches what the servers have."""
        with self._changed:
            if self._server is not None:
                for signal, _, request in self._server.take_requests():
                    self._add(signal, request)

    def _wait(self, timeout: float) -> None:
        """Returns when something may have come, after `timeout` seconds at most."""
        server = self._server
        if server is not None:
            server.wait_for_requests(round(1000 * min(timeout, _LOOK_EVERY)))
        else:
            with self._changed:
                self._changed.wait(min(timeout, _LOOK_EVERY))


def _assert_count(what: str, expected: int, received: int, items: Received[Any]) -> None:
    __tracebackhide__ = True
    if received != expected:
        raise AssertionError(f"expected {expected} {what}, received {received}: {items.names!r}")


def _not_started() -> OtlpServerError:
    return OtlpServerError("the service does not listen; call start() first, or use it as a context manager")
