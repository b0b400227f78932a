"""An OTLP/HTTP server that answers as it is told."""

import gzip
import http.server
import math
import socket
import ssl
import threading
import time

import pyarrow
from google.rpc.status_pb2 import Status

from peers.ports import free_port
from peers.receipts import SIGNALS, Receipts, response
from peers.tcp_proxy import TcpProxy

DECODERS = {"": bytes, "gzip": gzip.decompress, "zstd": lambda body: pyarrow.CompressedInputStream(pyarrow.BufferReader(body), "zstd").read()}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.peer = self.server.peer
        with self.peer.lock:
            self.peer.connections.add(self.connection)
            self.peer.accepted += 1

    def finish(self):
        with self.peer.lock:
            self.peer.connections.discard(self.connection)
        super().finish()

    def handle(self):
        try:
            super().handle()
        except OSError:  # the client went away, or the connection was cut
            self.close_connection = True

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # the connection broke in the middle of the request
            self.close_connection = True
            return None
        signal = self.path.rsplit("/", 1)[-1]
        if signal not in SIGNALS:
            self.send_error(404)
            return None
        headers = {k.lower(): v for k, v in self.headers.items()}
        answer = self.peer.got.receive(signal, DECODERS[headers.get("content-encoding", "")](body), headers, self.path)
        time.sleep(answer.delay)
        if answer.cuts:
            self.peer.proxy.cut()
            return None
        if answer.body is not None:
            content = answer.body
        elif answer.status == 200:
            content = response(signal, answer)
        else:
            content = Status(code=answer.code.value[0], message=answer.message).SerializeToString()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(content)))
        if answer.retry_after is not None:
            self.send_header("Retry-After", str(math.ceil(answer.retry_after)))
        if answer.location:
            self.send_header("Location", answer.location)
        self.end_headers()
        self.wfile.write(content)
        return None

    def log_message(self, *_):
        pass


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # what clients do to their connections is part of the tests


class HttpPeer:
    """Listens from the start; stop() and start() take it away and bring it back, at the same port. `tls`: an Identity. `proxied`: behind
    a TcpProxy, so that its connections can be broken."""

    protocol = "http"

    def __init__(self, tls=None, proxied=False):
        self.got = Receipts()
        self.port = free_port()
        self.tls, self.proxy = tls, TcpProxy(self.port) if proxied else None
        self.lock = threading.Lock()
        self.connections = set()
        self.accepted = 0  # connections since the beginning
        self.listener = None
        self.start()

    @property
    def endpoint(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.proxy.port if self.proxy else self.port}"

    def start(self):
        self.listener = Listener(("127.0.0.1", self.port), Handler)
        self.listener.peer = self
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.tls.certificate, self.tls.key)
            if self.tls.client_ca:
                context.load_verify_locations(self.tls.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
            self.listener.socket = context.wrap_socket(self.listener.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.listener.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        """Connections are refused from now on, and those there are break."""
        if not self.listener:
            return
        self.listener.shutdown()
        self.listener.server_close()
        self.listener = None
        with self.lock:
            for connection in self.connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it is broken already

    def close(self):
        if self.proxy:
            self.proxy.close()
        self.stop()
