#!/usr/bin/env python3
"""How long does the service take from exec to its first yes at /readyz, on an empty directory (100 ms are wanted), compared with a server
that only loads gRPC, opens its ports and discards what comes?

    benchmarks/start_benchmark.py [--quick] [--build build/release] [-n 20]
"""

import argparse
import http.client
import os
import re
import resource
import statistics
import subprocess
import tempfile
import time

from servers import ROOT, build_directory

AIM_MS = 100


def is_ready(address):
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    finally:
        connection.close()


def start_once(command, directory):
    """Milliseconds until ready, and CPU milliseconds of the whole life."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OTLP_", "OTEL_"))}
    cpu = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])  # noqa: E731
    cpu_before = cpu()
    begin = time.perf_counter()
    process = subprocess.Popen([str(c) for c in command], cwd=directory, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if found := re.match(r"\s*OTLP/HTTP\s+(\S+)", line):
                break
        else:
            raise SystemExit(f"{command[0]} ended before it was ready")
        while not is_ready(found[1]):
            time.sleep(0.001)
        ready = time.perf_counter() - begin
    finally:
        process.terminate()
        process.communicate()
    return ready * 1e3, (cpu() - cpu_before) * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three starts instead of twenty")
    parser.add_argument("--build", type=build_directory, default=str(ROOT / "build/release"))
    parser.add_argument("-n", type=int, default=20, help="starts of each server")
    options = parser.parse_args()

    ports = ["127.0.0.1:0", "127.0.0.1:0"]
    commands = {"discards all": [options.build / "benchmarks/discard_server", *ports],
                "otlp-arrow": [options.build / "bin/otlp-arrow", "serve", "--no-flight", "--output-dir", "data", "--grpc-address", ports[0], "--http-address", ports[1],
                               "--flight-address", "127.0.0.1:0"]}
    times = {name: [] for name in commands}
    for _ in range(3 if options.quick else options.n):
        for name, command in commands.items():
            with tempfile.TemporaryDirectory(prefix="otlp-arrow-benchmark-") as directory:
                times[name].append(start_once(command, directory))
    floor = statistics.median(ready for ready, _ in times["discards all"])
    print(f"  {'':14} {'median ms':>10} {'fastest':>8} {'slowest':>8} {'x discarding':>13} {'CPU ms, whole life':>19}")
    for name, measured in times.items():
        ready = [r for r, _ in measured]
        print(f"  {name:14} {statistics.median(ready):>10.1f} {min(ready):>8.1f} {max(ready):>8.1f} {statistics.median(ready) / floor:>13.2f} "
              f"{statistics.median(c for _, c in measured):>19.1f}")
    ours = statistics.median(r for r, _ in times["otlp-arrow"])
    print(f"  {'within' if ours <= AIM_MS else 'beyond'} the aim of {AIM_MS} ms")


if __name__ == "__main__":
    main()
