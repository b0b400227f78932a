#!/usr/bin/env python3
"""What does the whole way cost, from a request on the network to rows in a file, compared with a server that discards every request?

    benchmarks/end_to_end_benchmark.py [--quick] [--build build/release] [--loads NAME …] [--rounds N] [--seconds S] [--servers-alone]

Each server is started anew for each run, the servers in turn. CPU seconds are all that a server used from the first request to its end,
so writing the last file is in them. With OTELCOL_BIN naming an OpenTelemetry Collector (with the otlp receiver, the batch processor and
the file exporter), that is measured too, writing OTLP protobuf with zstd. --servers-alone also measures our servers in front of a
pipeline that discards. The load generator shares the machine, so items/s say less than CPU seconds per million items.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

from receiving import collector, discarding
from servers import ROOT, Server, build_directory, free_address

LOADS = {  # name: what it is, flags of the load generator
    "grpc-4x100": ("gRPC, 4 connections, 100 spans a request", "--protocol grpc --connections 4 --items 100"),
    "grpc-64x100": ("gRPC, 64 connections, 100 spans a request", "--protocol grpc --connections 64 --items 100"),
    "grpc-4x1000": ("gRPC, 4 connections, 1000 spans a request", "--protocol grpc --connections 4 --items 1000 --distinct 50"),
    "http-4x100": ("HTTP, 4 connections, 100 spans a request", "--protocol http --connections 4 --items 100"),
    "grpc-gzip-4x100": ("gRPC, gzip, 4 connections, 100 spans a request", "--protocol grpc --connections 4 --items 100 --gzip"),
    "metrics-4x100": ("gRPC, 4 connections, 100 data points a request", "--signal metrics --connections 4 --items 100"),
    "logs-4x100": ("gRPC, 4 connections, 100 log records a request", "--signal logs --connections 4 --items 100"),
}
DEFAULT_LOADS = ["grpc-4x100", "grpc-64x100", "grpc-4x1000", "http-4x100", "grpc-gzip-4x100"]


def start_ours(build, directory):
    return Server([build / "bin/otlp-arrow", "serve", "--no-flight", "--output-dir", directory / "data", "--grpc-address", "127.0.0.1:0", "--http-address",
                   "127.0.0.1:0", "--no-flight"], directory)


def start_ours_alone(build, directory):
    grpc, http = free_address(), free_address()
    return Server([build / "benchmarks/receive_only", grpc, http], directory, grpc, http)


def stored_items(build, data):
    """What `otlp-arrow inspect` says is in files."""
    told = subprocess.run([build / "bin/otlp-arrow", "inspect", "--json", data], capture_output=True, text=True, check=True)
    return sum(entry["stored"] for entry in json.loads(told.stdout)["ledger"].values() if "stored" in entry)


def run(name, start, build, flags, seconds):
    """One server under one load."""
    with tempfile.TemporaryDirectory(prefix="otlp-arrow-benchmark-") as directory:
        directory = pathlib.Path(directory)
        server = start(build, directory)
        try:
            address = server.http if "--protocol http" in flags else server.grpc
            cpu = server.cpu()
            load = subprocess.run([build / "benchmarks/load_generator", "--address", address, "--seconds", str(seconds), *flags.split()],
                                  capture_output=True, text=True)
            if not load.stdout:
                raise SystemExit(f"the load generator failed: {load.stderr}")
            result = json.loads(load.stdout)
            total_cpu, result["peak_mib"], result["exit"] = server.stop()
            result["cpu"] = total_cpu - cpu
        finally:
            if server.process.returncode is None:
                server.process.kill()
                server.process.wait()
        files = directory / "data"
        result["disk"] = sum(f.stat().st_size for f in files.rglob("*") if f.is_file())
        result["notes"] = [f"{count} x {reason}" for reason, count in result["why"].items()]
        if result["exit"] != 0:
            result["notes"].append(f"exit code {result['exit']}")
        if name == "otlp-arrow" and (stored := stored_items(build, files)) != result["items_acked"]:
            result["notes"].append(f"{result['items_acked']} items acknowledged, {stored} in files")
        return result


def cpu_per_million(runs):
    return sum(r["cpu"] for r in runs) / max(sum(r["items_acked"] for r in runs), 1) * 1e6


def print_load(title, runs_of):
    floor = cpu_per_million(runs_of["discards all"])
    print(f"{title}\n  {'':16} {'items/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'CPU s/M':>8} {'x discarding':>13} {'peak MiB':>9} {'B/item':>7} {'errors':>7}")
    for name, runs in runs_of.items():
        cpu = cpu_per_million(runs)
        middle = lambda key: statistics.median(r[key] for r in runs)  # noqa: E731
        per_item = sum(r["disk"] for r in runs) / max(sum(r["items_acked"] for r in runs), 1)
        print(f"  {name:16} {middle('items_per_s'):>10,.0f} {middle('p50_ms'):>8.2f} {middle('p99_ms'):>8.2f} {cpu:>8.3f} {cpu / floor:>13.2f} "
              f"{max(r['peak_mib'] for r in runs):>9.1f} {per_item:>7.1f} {sum(r['errors'] for r in runs):>7}")
        for note in sorted({note for r in runs for note in r["notes"]}):
            print(f"    ! {note}")
    if "collector" in runs_of:
        ours, theirs = cpu_per_million(runs_of["otlp-arrow"]), cpu_per_million(runs_of["collector"])
        print(f"  otlp-arrow takes {ours / theirs:.2f} x the CPU of the collector")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it works")
    parser.add_argument("--build", type=build_directory, default=str(ROOT / "build/release"))
    parser.add_argument("--loads", nargs="+", default=DEFAULT_LOADS, choices=LOADS, metavar="NAME", help=f"of {', '.join(LOADS)}")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0, help="of sending, each run")
    parser.add_argument("--servers-alone", action="store_true")
    options = parser.parse_args()
    rounds, seconds = (1, 0.3) if options.quick else (options.rounds, options.seconds)

    servers = {"discards all": discarding, "otlp-arrow": start_ours}
    if options.servers_alone:
        servers["servers alone"] = start_ours_alone
    if os.environ.get("OTELCOL_BIN"):
        servers["collector"] = collector
    for load in options.loads:
        title, flags = LOADS[load]
        runs_of = {name: [] for name in servers}
        for _ in range(rounds):
            for name, start in servers.items():
                runs_of[name].append(run(name, start, options.build, flags, seconds))
        print_load(title, runs_of)


if __name__ == "__main__":
    main()
