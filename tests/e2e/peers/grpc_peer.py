"""An OTLP/gRPC server that answers as it is told."""

import time
from concurrent import futures

import grpc
import otlp
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from peers.ports import free_port
from peers.receipts import Receipts, response
from peers.tcp_proxy import TcpProxy

SIGNAL_OF = {path: signal for signal, path in otlp.METHODS.items()}


def error_details(answer):
    """What grpc-status-details-bin holds: a Status with RetryInfo."""
    status = Status(code=answer.code.value[0], message=answer.message)
    detail = Any()
    detail.Pack(RetryInfo(retry_delay=Duration(seconds=int(answer.retry_after), nanos=int(answer.retry_after % 1 * 1e9))))
    status.details.append(detail)
    return status.SerializeToString()


class GrpcPeer(grpc.GenericRpcHandler):
    """Listens from the start; stop() and start() take it away and bring it back, at the same port. `tls`: an Identity. `proxied`: behind
    a TcpProxy, so that its connections can be broken."""

    protocol = "grpc"

    def __init__(self, tls=None, proxied=False):
        self.got = Receipts()
        self.port = free_port()
        self.tls, self.proxy = tls, TcpProxy(self.port) if proxied else None
        self.server = None
        self.start()

    @property
    def endpoint(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.proxy.port if self.proxy else self.port}"

    def start(self):
        self.server = grpc.server(futures.ThreadPoolExecutor(16), handlers=(self,), options=[("grpc.max_receive_message_length", 64 << 20)])
        address = f"127.0.0.1:{self.port}"
        if self.tls:
            credentials = grpc.ssl_server_credentials([(self.tls.key.read_bytes(), self.tls.certificate.read_bytes())],
                                                      self.tls.client_ca.read_bytes() if self.tls.client_ca else None, bool(self.tls.client_ca))
            assert self.server.add_secure_port(address, credentials) == self.port
        else:
            assert self.server.add_insecure_port(address) == self.port
        self.server.start()

    def stop(self):
        """Connections are refused from now on."""
        if self.server:
            self.server.stop(None).wait()
            self.server = None

    def close(self):
        if self.proxy:
            self.proxy.close()
        self.stop()

    def service(self, details):
        signal = SIGNAL_OF.get(details.method)
        if not signal:
            return None
        headers = {k: v for k, v in details.invocation_metadata}

        def export(body, context):
            answer = self.got.receive(signal, body, headers, details.method)
            time.sleep(answer.delay)
            if answer.cuts:
                self.proxy.cut()
            if answer.code is not grpc.StatusCode.OK:
                if answer.retry_after is not None:
                    context.set_trailing_metadata([("grpc-status-details-bin", error_details(answer))])
                context.abort(answer.code, answer.message)
            return response(signal, answer)

        return grpc.unary_unary_rpc_method_handler(export)
