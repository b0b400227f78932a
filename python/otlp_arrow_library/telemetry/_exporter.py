"""Spans to an OTLP backend, over gRPC or HTTP."""

from __future__ import annotations

import dataclasses
import os
import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import _native
from .._errors import OtlpConfigError, OtlpError, OtlpExportError, OtlpServerError, OtlpShutdownError, as_export_error
from .._failure_log import FailureLog
from ._exporter_settings import read_settings
from ._models import ExportResult, exportable

if TYPE_CHECKING:
    from .. import _service

_LONGEST_TEXT = 500  # of a peer's message


class OTLPExporter:
    """Sends spans to an OTLP backend: an OpenTelemetry Collector, `otlp-arrow serve`, a vendor's service.

        OTLPExporter("https://collector.example:4317", headers={"authorization": "Bearer …"})

    `endpoint` is a URL; https means TLS. Ports 4317 and 4318 mean gRPC and HTTP, as does `protocol` ("grpc", "http/protobuf");
    where nothing tells them apart, HTTP is tried, and gRPC where a peer answers that speaks no HTTP/1.1.
    `timeout` is in milliseconds, for an export with all its retries. `compression` is "gzip" or "none"; `certificate_file` holds
    the authorities to trust instead of the system's. What is not given comes from OTEL_EXPORTER_OTLP_TRACES_* and
    OTEL_EXPORTER_OTLP_*. Raises `OtlpConfigError`; nothing else of it raises.
    """

    takes_sdk_spans = True
    """Processors hand over the spans of an SDK as they are."""

    def __init__(
        self,
        endpoint: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        *,
        protocol: str | None = None,
        compression: str | None = None,
        certificate_file: str | os.PathLike[str] | None = None,
        retry_delay: float = 500,
    ) -> None:
        self._settings = read_settings(endpoint, headers, timeout, protocol, compression, certificate_file)
        if isinstance(retry_delay, bool) or not isinstance(retry_delay, (int, float)) or not 1 <= retry_delay <= 60_000:
            raise OtlpConfigError(f"retry_delay: {retry_delay!r} is out of range; give milliseconds from 1 to 60000")
        self._retry_delay = int(retry_delay)
        self._failures = FailureLog(type(self).__name__)
        self._lock = threading.Lock()
        self._is_shut_down = False
        self._client: _service.OtlpClient | None = self._make_client()
        self._peer, self._protocol = self._client.peer, self._client.protocol
        self.last_error: OtlpError | None = None
        """Why the last failure was one; stays until the next success."""
        self.rejected_spans = 0
        """Spans that the backend left out of requests that it took."""
        _EXPORTERS.add(self)

    def export(self, spans: Sequence[Any]) -> ExportResult:
        """Sends spans: those of this module (`Span`), of our SDK, of the OpenTelemetry SDK, and dictionaries. SUCCESS when the
        backend took the request. Waits for `timeout` at most. Spans that cannot be encoded take no other one with them.
        """
        if self._is_shut_down:
            return self._fail(OtlpShutdownError("this exporter is shut down and sends nothing more; make another one"))
        try:
            request, error = _encode(exportable(spans))
            if request:
                self._send(request)
        except OtlpError as failure:
            return self._fail(failure)
        except Exception as failure:  # whatever a span or the interpreter's end brings
            return self._fail(as_export_error(failure))
        if error is not None:
            return self._fail(error)
        self.last_error = None
        return ExportResult.SUCCESS

    def force_flush(self, timeout_ms: float = 30_000) -> bool:
        """True: nothing is kept here, `export` returns when the backend has answered."""
        return True

    def shutdown(self) -> None:
        """Nothing is sent any more. An export that waits for its next attempt gives up."""
        self._is_shut_down = True
        with self._lock:
            client = self._client
        if client is not None:
            client.shutdown()

    def _send(self, request: bytes) -> None:
        try:
            rejected, message = self._connected().send_traces(request, self._settings.timeout_ms)
        except OtlpServerError as error:
            if not self._settings.protocol_is_guess or "is this the gRPC port?" not in str(error):
                raise
            self._settings = dataclasses.replace(self._settings, protocol="grpc", protocol_is_guess=False)
            with self._lock:
                self._client, self._protocol = None, "grpc"
            rejected, message = self._connected().send_traces(request, self._settings.timeout_ms)
        if rejected:
            self.rejected_spans += rejected
            self._failures.report(OtlpExportError(f"{self._peer} left out {rejected} spans: {message[:_LONGEST_TEXT]}"))
        elif message:
            self._failures.report(OtlpExportError(f"{self._peer} took the spans and warns: {message[:_LONGEST_TEXT]}", retryable=True))

    def _connected(self) -> _service.OtlpClient:
        with self._lock:
            if self._client is None:
                self._client = self._make_client()
            return self._client

    def _make_client(self) -> _service.OtlpClient:
        from .. import _service

        settings = self._settings
        return _service.make_otlp_client(
            endpoint=settings.endpoint,
            protocol=settings.protocol,
            endpoint_is_complete=settings.endpoint_is_complete,
            headers=settings.headers,
            gzip=settings.gzip,
            ca_file=settings.ca_file,
            first_retry_ms=self._retry_delay,
        )

    def _fail(self, error: OtlpError) -> ExportResult:
        self.last_error = error
        self._failures.report(error)
        return ExportResult.FAILURE

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        self._client = None  # the parent's connection; the next export makes one of its own
        self._failures = FailureLog(type(self).__name__)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._peer} ({self._protocol}){', shut down' if self._is_shut_down else ''}>"


_EXPORTERS: weakref.WeakSet[OTLPExporter] = weakref.WeakSet()


def _renew_exporters() -> None:
    for exporter in list(_EXPORTERS):
        exporter._after_fork()


os.register_at_fork(after_in_child=_renew_exporters)


def _encode(spans: list[Any]) -> tuple[bytes, OtlpError | None]:
    """The request, and why it lacks spans if it does."""
    try:
        return _native.encode_spans(spans), None
    except OtlpExportError as error:
        return _native.encode_spans([span for span in spans if _is_encodable(span)]), error


def _is_encodable(span: object) -> bool:
    try:
        _native.encode_spans([span])
    except OtlpExportError:
        return False
    return True
