"""Senders at work while something happens to the server: every item has a number of its own, and what became of each
request is known: acknowledged, refused, or undecided (the connection broke before the answer)."""

import collections
import http.client
import threading
import time

import grpc

import otlp
import store

# How a number is carried by an item of each signal, and found again in the files.
ITEMS = {
    "traces": (lambda n, padding: otlp.span(n, attributes={"padding": padding} if padding else {})),
    "metrics": (lambda n, padding: otlp.gauge(n)),
    "logs": (lambda n, padding: otlp.log(n, severity_text=padding)),
}
NUMBERS = {
    "traces": lambda directory: [int(i, 16) for i in store.column(directory, "traces", "span_id")],
    "metrics": lambda directory: store.column(directory, "metrics", "value_int"),
    "logs": lambda directory: [int(b.removeprefix("line ")) for b in store.column(directory, "logs", "body")],
}


class Load:
    """Threads that send until stop(), half of them over gRPC and half over HTTP."""

    def __init__(self, server, threads=2, items=20, signals=("traces",), padding="", pause=0.0, until_refused=False):
        self.server, self.items, self.signals, self.padding, self.pause, self.until_refused = server, items, signals, padding, pause, until_refused
        self.acknowledged = {s: [] for s in signals}
        self.undecided = {s: [] for s in signals}
        self.refused = {s: [] for s in signals}
        self.refusals = collections.Counter()  # by gRPC code or HTTP status
        self.surprises = []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._end.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), "a sender hangs"
        assert not self.surprises, self.surprises[:3]
        return self

    def count(self):
        return sum(map(len, self.acknowledged.values()))

    def wait_for(self, count, timeout=20):
        """Until this many items were acknowledged."""
        deadline = time.monotonic() + timeout
        while self.count() < count:
            assert time.monotonic() < deadline, f"only {self.count()} of {count} items were acknowledged; refusals: {self.refusals}"
            time.sleep(0.01)

    def _run(self, index):
        send = self._send_grpc if index % 2 == 0 else self._send_http
        sender = otlp.GrpcSender(self.server.grpc) if index % 2 == 0 else otlp.HttpSender(self.server.http)
        try:
            with sender:
                turn = index
                while not self._end.is_set():
                    signal = self.signals[turn % len(self.signals)]
                    turn += 1
                    numbers = [next(otlp.unique_numbers) for _ in range(self.items)]
                    request = otlp.MAKERS[signal][0]([ITEMS[signal](n, self.padding() if callable(self.padding) else self.padding) for n in numbers])
                    outcome = send(sender, signal, request.SerializeToString())
                    getattr(self, outcome)[signal].extend(numbers)
                    if outcome == "undecided" or (outcome == "refused" and self.until_refused):
                        return
                    if self.pause or outcome == "refused":
                        time.sleep(self.pause or 0.01)
        except Exception as error:  # noqa: BLE001  (told by stop())
            self.surprises.append(repr(error))

    def _send_grpc(self, sender, signal, body):
        try:
            sender.export(signal, body)
            return "acknowledged"
        except grpc.RpcError as error:
            # A server that answers says when to try again; a broken connection does not.
            if any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata() or ()):
                self.refusals[error.code().name] += 1
                return "refused"
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                return "undecided"
            raise

    def _send_http(self, sender, signal, body):
        try:
            status, headers, answer = sender.post(f"/v1/{signal}", body)
        except (OSError, http.client.HTTPException):
            return "undecided"
        if status == 200:
            return "acknowledged"
        assert status in (429, 503) and headers["Retry-After"], (status, answer)
        self.refusals[status] += 1
        return "refused"


def assert_nothing_lost(directory, loads, signals=("traces",)):
    """Every acknowledged item is in the files exactly once, an undecided one at most once, and nothing else is there."""
    for signal in signals:
        stored = collections.Counter(NUMBERS[signal](directory))
        acknowledged = {n for load in loads for n in load.acknowledged.get(signal, ())}
        undecided = {n for load in loads for n in load.undecided.get(signal, ())}
        twice = [n for n, count in stored.items() if count > 1]
        lost = acknowledged - stored.keys()
        strange = stored.keys() - acknowledged - undecided
        assert not twice, f"{len(twice)} {signal} are stored more than once, such as {twice[:3]}"
        assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged {signal} are lost, such as {sorted(lost)[:3]}"
        assert not strange, f"{len(strange)} {signal} are stored that were refused or never sent, such as {sorted(strange)[:3]}"
