"""The otlp-arrow program under test: server processes, one-shot commands, and the ledger that both tell."""

import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("OTLP_ARROW_BIN", ROOT / "build/release/bin/otlp-arrow")).absolute()
SIGNALS = ("traces", "metrics", "logs")


def environment(**extra):
    """The environment of a program: nothing of ours or of OpenTelemetry's, unless the test says so."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OTLP_", "OTEL_"))}
    return clean | {k: str(v) for k, v in extra.items()}


def run(*arguments, timeout=60, cwd=None, **env):
    """Runs one command to its end."""
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, cwd=cwd, env=environment(**env))


def inspect(path):
    result = run("inspect", "--json", path)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


class Server:
    """`otlp-arrow serve` on free ports of the loopback interface, with what it says on standard error in a file. `tls`: the context to ask
    it with over HTTPS; `token`: the bearer token that /metrics asks for."""

    def __init__(self, directory, *flags, env=None, ready=True, cwd=None, preexec_fn=None, grpc="127.0.0.1:0", flight="127.0.0.1:0", tls=None, token=None):
        self.directory, self.tls, self.token = pathlib.Path(directory), tls, token
        self.started = time.monotonic()
        command = [BINARY, "serve", "--output-dir", directory, "--grpc-address", grpc, "--http-address", "127.0.0.1:0", "--flight-address", flight,
                   *flags]
        self.log_file = tempfile.NamedTemporaryFile("w+", prefix="otlp-arrow-", suffix=".log")
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stderr=self.log_file, env=environment(**(env or {})),
                                        cwd=cwd, preexec_fn=preexec_fn)
        self.grpc = self.http = self.flight = None
        if ready:
            self.wait_ready()

    def log(self):
        return pathlib.Path(self.log_file.name).read_text()

    def wait_ready(self, timeout=20):
        """Waits until /readyz says yes; returns the seconds since the process was started."""
        deadline = time.monotonic() + timeout
        while not self._find_addresses() or self.get("/readyz")[0] != 200:
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}: {self.log()}"
            assert time.monotonic() < deadline, f"the server is not ready after {timeout} s: {self.log()}"
            time.sleep(0.002)
        return time.monotonic() - self.started

    def _find_addresses(self):
        found = dict(re.findall(r"^\s*OTLP/(gRPC|HTTP)\s+(\S+)", self.log(), re.MULTILINE))
        self.grpc, self.http = found.get("gRPC"), found.get("HTTP")
        if flight := re.search(r"^\s*Flight\s+(\S+)", self.log(), re.MULTILINE):
            self.flight = flight[1]
        return self.http is not None

    def get(self, path):
        """GET on the HTTP server: status and text."""
        if self.tls:
            connection = http.client.HTTPSConnection(self.http, timeout=10, context=self.tls)
        else:
            connection = http.client.HTTPConnection(self.http, timeout=10)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"} if self.token else {})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def ledger(self):
        """The ledger since the start of this process, from /metrics."""
        status, text = self.get("/metrics")
        assert status == 200
        return parse_metrics(text)

    def stop(self, number=signal.SIGTERM, timeout=50, code=0):
        """Ends the server in an orderly way, and returns what it had said."""
        self.process.send_signal(number)
        assert self.process.wait(timeout) == code, self.log()
        return self.log()

    def kill(self):
        self.process.kill()
        self.process.wait(20)

    def alive(self):
        return self.process.poll() is None

    def close(self):
        if self.alive():
            self.kill()
        self.log_file.close()


def parse_metrics(text):
    """Prometheus text as a ledger, in the form of `inspect --json`."""
    ledger = {s: {"received": 0, "stored": 0, "in_flight": 0, "expired": 0, "refused": {}, "invalid": {}} for s in SIGNALS}
    ledger["unreadable_requests"] = {}
    for line in text.splitlines():
        found = re.fullmatch(r"otlp_arrow_(\w+)\{(.*)\} (\S+)", line)
        if not found or not found[1].startswith(("items_", "unreadable_requests_")):
            continue
        labels, value = dict(re.findall(r'(\w+)="([^"]*)"', found[2])), int(found[3])
        if found[1] == "items_total" and labels["state"] in ("refused", "invalid"):
            if value:
                ledger[labels["signal"]][labels["state"]][labels["reason"]] = value
        elif found[1] == "items_total":
            ledger[labels["signal"]][labels["state"]] = value
        elif found[1] in ("items_stored", "items_in_flight"):
            ledger[labels["signal"]][found[1].removeprefix("items_")] = value
        elif found[1] == "unreadable_requests_total":
            ledger["unreadable_requests"][labels["reason"]] = value
    return ledger


def assert_balanced(ledger):
    """received = stored + relayed + in flight + refused + invalid + expired, and no count is negative."""
    for name in SIGNALS:
        entry = ledger[name]
        counts = [entry["stored"], entry.get("relayed", 0), entry["in_flight"], entry["expired"], *entry["refused"].values(), *entry["invalid"].values()]
        assert entry["received"] == sum(counts), f"{name} does not balance: {entry}"
        assert min(counts) >= 0, f"{name} has a negative count: {entry}"


def wait_for(condition, timeout=10, every=0.02, what="the condition"):
    """Waits until condition() is true, and returns its value."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come true within {timeout} s"
        time.sleep(every)
    return value
