"""A network that fails: connections to a peer go through it, and break or hang when a test says so."""

import socket
import threading
import time

from peers.ports import free_port


class TcpProxy:
    """Passes bytes between its port and that of the peer, `target`. Each setting applies to the connections that come after it."""

    def __init__(self, target):
        self.target = target
        self.port = free_port()
        self.limits = []  # client bytes after which the next connections break, one for each
        self.garbage = b""  # what every connection gets instead of the peer
        self.holds = False  # nothing is passed on
        self.broken = 0  # connections that a limit has ended
        self._pairs = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Breaks all connections at once."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            self._break(pair)

    def close(self):
        self._shut(self._listener)
        self._listener.close()
        self.cut()

    @staticmethod
    def _shut(connection):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is broken already

    def _break(self, pair):
        for connection in pair:
            self._shut(connection)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            try:
                if self.garbage:
                    client.sendall(self.garbage)
                    client.recv(1 << 16)
                    return
                with socket.create_connection(("127.0.0.1", self.target), 5) as server:
                    self._pass_on(client, server)
            except OSError:
                return

    def _pass_on(self, client, server):
        pair = (client, server)
        with self._lock:
            self._pairs.add(pair)
            limit = self.limits.pop(0) if self.limits else None
        back = threading.Thread(target=self._copy, args=(server, client, None), daemon=True)
        back.start()
        if self._copy(client, server, limit):
            self.broken += 1
        self._break(pair)
        back.join()
        with self._lock:
            self._pairs.discard(pair)

    def _copy(self, source, target, limit):
        """Until either end closes; true where the limit was reached."""
        passed = 0
        try:
            while data := source.recv(1 << 16):
                while self.holds:
                    time.sleep(0.01)
                if limit is not None and passed + len(data) >= limit:
                    target.sendall(data[: limit - passed])
                    return True
                passed += len(data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return False
