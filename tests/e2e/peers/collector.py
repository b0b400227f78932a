"""The OpenTelemetry Collector as a peer, and what its file exporter wrote."""

import collections
import json
import pathlib
import signal
import socket
import subprocess
import tempfile

import harness

from peers.ports import free_port

BUILD = harness.ROOT / "tools/collector/build.sh"

# How the items of a line of the file exporter's JSON are found, and their numbers.
ITEMS = {
    "traces": ("resourceSpans", "scopeSpans", lambda scope: [int(s["spanId"], 16) for s in scope["spans"]]),
    "metrics": ("resourceMetrics", "scopeMetrics", lambda scope: [int(p["asInt"]) for m in scope["metrics"] for p in m["gauge"]["dataPoints"]]),
    "logs": ("resourceLogs", "scopeLogs", lambda scope: [int(l["body"]["stringValue"].removeprefix("line ")) for l in scope["logRecords"]]),
}


def program():
    """The path of the Collector, which is built where it is missing."""
    built = subprocess.run([BUILD], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return pathlib.Path(built.stdout.strip())


class Collector:
    """The Collector with an otlp receiver, the batch processor, and a file of JSON lines for each signal. `tls`: an Identity of its
    own, with client_ca for mutual TLS."""

    def __init__(self, directory, tls=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.grpc_port, self.http_port = free_port(), free_port()
        self.scheme = "https" if tls else "http"
        security = {"tls": {"cert_file": str(tls.certificate), "key_file": str(tls.key)}} if tls else {}
        if tls and tls.client_ca:
            security["tls"]["client_ca_file"] = str(tls.client_ca)
        config = {
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{self.grpc_port}", "max_recv_msg_size_mib": 64} | security,
                                                 "http": {"endpoint": f"127.0.0.1:{self.http_port}"} | security}}},
            "processors": {"batch": {"timeout": "50ms"}},
            "exporters": {f"file/{s}": {"path": str(self._path(s)), "append": True, "flush_interval": "50ms"} for s in ITEMS},
            "service": {"telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}},
                        "pipelines": {s: {"receivers": ["otlp"], "processors": ["batch"], "exporters": [f"file/{s}"]} for s in ITEMS}},
        }
        self.config_path = self.directory / "collector.yaml"
        self.config_path.write_text(json.dumps(config))
        self.log_file = tempfile.NamedTemporaryFile("w+", prefix="otelcol-", suffix=".log")
        self.start()

    def start(self):
        self.process = subprocess.Popen([program(), "--config", self.config_path], stdin=subprocess.DEVNULL, stdout=self.log_file,
                                        stderr=self.log_file, env=harness.environment())
        harness.wait_for(self._listens, timeout=30, what="the Collector to listen")

    def endpoint(self, protocol):
        return f"{self.scheme}://127.0.0.1:{self.grpc_port if protocol == 'grpc' else self.http_port}"

    def log(self):
        return pathlib.Path(self.log_file.name).read_text()

    def _path(self, name):
        return self.directory / f"{name}.json"

    def _listens(self):
        assert self.process.poll() is None, f"the Collector ended with {self.process.returncode}: {self.log()}"
        for port in (self.grpc_port, self.http_port):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) != 0:
                    return False
        return True

    def counter(self, name):
        """The numbers of the items that are in its file by now."""
        numbers = collections.Counter()
        outer, inner, read = ITEMS[name]
        path = self._path(name)
        for line in path.read_text().splitlines(keepends=True) if path.exists() else ():
            if line.endswith("\n"):
                for resource in json.loads(line)[outer]:
                    for scope in resource[inner]:
                        numbers.update(read(scope))
        return numbers

    def unique(self, name):
        return self.counter(name).keys()

    def stop(self):
        """In an orderly way: what it has acknowledged is in its files then."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def close(self):
        self.stop()
        self.log_file.close()
