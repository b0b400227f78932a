"""HTTP/2 frame by frame, for clients that no library would let be."""

import socket
import struct
import threading

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A header in HPACK, neither compressed nor remembered."""

    def text(data):
        length = bytes((len(data),)) if len(data) < 127 else b"\x7f" + varint(len(data) - 127)
        return length + data

    return b"\x00" + text(name.encode()) + text(value.encode())


def varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes((value,)))


def call_headers(path, **more):
    names = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "test", "content-type": "application/grpc", "te": "trailers"}
    return b"".join(literal(name, value) for name, value in (names | more).items())


class RawHttp2:
    """One connection. What the server sends is read on a thread: windows grow, and its other frames are kept in `seen`."""

    def __init__(self, address, preface=PREFACE + frame(SETTINGS)):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        self.changed = threading.Condition()
        self.windows = {0: 65535}
        self.initial_window = 65535
        self.seen = []
        self.closed = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.send(preface)

    def send(self, data):
        """False where the server has closed the connection."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def send_data(self, stream, size, timeout=5):
        """Up to `size` bytes of a stream as its windows allow; how many were sent until nothing went for `timeout` seconds."""
        sent = 0
        while sent < size:
            with self.changed:
                own = self.windows.setdefault(stream, self.initial_window)
                if not self.changed.wait_for(lambda: self.closed or min(self.windows[0], self.windows[stream]) > 0, timeout) or self.closed:
                    return sent
                own = min(self.windows[0], self.windows[stream], 16384, size - sent)
                self.windows[0] -= own
                self.windows[stream] -= own
            if not self.send(frame(DATA, 0, stream, bytes(own))):
                return sent
            sent += own
        return sent

    def wait_closed(self, timeout=20):
        with self.changed:
            return self.changed.wait_for(lambda: self.closed, timeout)

    def saw(self, kind, timeout=20):
        """The payload of the first frame of a kind that comes."""
        with self.changed:
            self.changed.wait_for(lambda: self.closed or any(k == kind for k, _, _ in self.seen), timeout)
            return next((payload for k, _, payload in self.seen if k == kind), None)

    def close(self):
        self.socket.close()

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def _read(self):
        try:
            while True:
                head = self._exactly(9)
                kind, flags, stream = head[3], head[4], struct.unpack(">I", head[5:])[0]
                self._take(kind, flags, stream, self._exactly(int.from_bytes(head[:3], "big")))
        except (OSError, EOFError):
            with self.changed:
                self.closed = True
                self.changed.notify_all()

    def _take(self, kind, flags, stream, payload):
        with self.changed:
            if kind == WINDOW_UPDATE:
                self.windows[stream] = self.windows.get(stream, self.initial_window) + struct.unpack(">I", payload)[0]
            elif kind == SETTINGS and not flags & ACK:
                for i in range(0, len(payload), 6):
                    name, value = struct.unpack(">HI", payload[i : i + 6])
                    if name == 4:
                        for key in self.windows.keys() - {0}:
                            self.windows[key] += value - self.initial_window
                        self.initial_window = value
            else:
                self.seen.append((kind, stream, payload))
            self.changed.notify_all()
        if kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK))
        if kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
