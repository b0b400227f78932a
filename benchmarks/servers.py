"""Servers under measurement: processes on free ports, watched through /proc and ended with SIGTERM."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")


def build_directory(text):
    """The build whose programs are measured, as an argument of argparse."""
    path = pathlib.Path(text).resolve()
    if not (path / "bin/otlp-arrow").exists():
        raise SystemExit(f"{path}/bin/otlp-arrow is missing; build it: cmake --preset release && cmake --build --preset release")
    return path


def free_address():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % s.getsockname()[1]


def connects(address):
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), 1).close()
        return True
    except OSError:
        return False


class Server:
    """A process that serves OTLP. `grpc` and `http` are its addresses; where they are not given, it tells them on standard error.
    `settle_secs`: how long it is left alone before it is told to end."""

    def __init__(self, command, directory, grpc=None, http=None, settle_secs=0):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("OTLP_", "OTEL_"))}
        self.log_path = pathlib.Path(directory) / "server.log"
        self.grpc, self.http, self.settle_secs = grpc, http, settle_secs
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([str(c) for c in command], cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait_until_it_listens()

    def _wait_until_it_listens(self, timeout=20):
        deadline = time.monotonic() + timeout
        asks = self.grpc is None
        while not self._listens(asks):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{self.process.args[0]} does not serve:\n{self.log_path.read_text()}")
            time.sleep(0.005)

    def _listens(self, asks):
        if not asks:
            return connects(self.grpc) and connects(self.http)
        found = dict(re.findall(r"^\s*OTLP/(gRPC|HTTP)\s+(\S+)", self.log_path.read_text(), re.MULTILINE))
        self.grpc, self.http = found.get("gRPC"), found.get("HTTP")
        return self.http is not None

    def cpu(self):
        """CPU seconds so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_mib(self):
        """The largest resident set so far, in MiB; 0 when the process has ended."""
        found = re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0

    def stop(self, timeout=30):
        """Ends the process in an orderly way: its CPU seconds, its peak in MiB, and its exit code."""
        time.sleep(self.settle_secs)
        peak = self.peak_mib()
        self.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while True:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                return usage.ru_utime + usage.ru_stime, peak, self.process.returncode
            if time.monotonic() > deadline:
                self.process.kill()
            peak = max(peak, self.peak_mib())
            time.sleep(0.005)
