"""Backends that show what an exporter sends them, and answer as a test says."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import threading
import time
from concurrent import futures

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

Request, Response = trace_service_pb2.ExportTraceServiceRequest, trace_service_pb2.ExportTraceServiceResponse


class Seen:
    """One request."""

    def __init__(self, path, headers, body):
        self.path, self.headers, self.time = path, headers, time.monotonic()
        self.request = Request.FromString(gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body)

    @property
    def names(self):
        return [span.name for group in self.request.resource_spans for scope in group.scope_spans for span in scope.spans]


def partial(rejected, message):
    response = Response()
    response.partial_success.rejected_spans, response.partial_success.error_message = rejected, message
    return response.SerializeToString()


@contextlib.contextmanager
def http_backend(answers=(), tls=None):
    """Answers with (status, headers, body) in turn, then with 200; `tls`: an SSLContext. Yields (its URL, what it has seen)."""
    seen, pending = [], list(answers)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(Seen(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status, headers, answer = pending.pop(0) if pending else (200, {}, b"")
            self.send_response(status)
            for name, value in {"Content-Type": "application/x-protobuf", "Content-Length": str(len(answer)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            """A client that leaves is none of a test's business."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def grpc_backend(answers=(), tls=None):
    """Aborts with (code, message, seconds to wait or None) in turn, then answers; `tls`: (key, certificate). Yields (its URL,
    what it has seen)."""
    seen, pending = [], list(answers)

    class Service(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request, context):
            seen.append(Seen("", dict(context.invocation_metadata()), request.SerializeToString()))
            if pending:
                code, message, delay = pending.pop(0)
                status = status_pb2.Status(code=code.value[0], message=message)
                if delay is not None:
                    info, detail = error_details_pb2.RetryInfo(), Any()
                    info.retry_delay.FromNanoseconds(int(delay * 1e9))
                    detail.Pack(info)
                    status.details.append(detail)
                context.abort_with_status(rpc_status.to_status(status))
            return Response()

    server = grpc.server(futures.ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Service(), server)
    if tls is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([tls]))
    server.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}", seen
    finally:
        server.stop(0).wait()
