#!/usr/bin/env python3
"""What does forwarding cost a server that stores, in CPU, compared with one that only stores?

    benchmarks/forward_store_benchmark.py [--quick] [--build build/release] [--loads NAME …] [--rounds N] [--seconds S]

Both take the same load, the two in turn; one sends it on over OTLP/gRPC to a server that discards all. CPU seconds are all that a server
used from the first request to its end, so the last file and the last request sent are in them. The aim is 1.4 times at most.
"""

import argparse
import pathlib
import statistics
import tempfile

from forwarding import kill, received_bytes, run_load, start_destination, start_ours
from servers import ROOT, build_directory

LOADS = {  # name: what it is, flags of the load generator
    "4x100": ("4 connections, 100 spans a request", "--connections 4 --items 100"),
    "64x100": ("64 connections, 100 spans a request", "--connections 64 --items 100"),
    "4x1000": ("4 connections, 1000 spans a request", "--connections 4 --items 1000 --distinct 50"),
}


def run(forwards, build, flags, seconds):
    with tempfile.TemporaryDirectory(prefix="otlp-arrow-benchmark-") as directory:
        directory = pathlib.Path(directory)
        destination = server = None
        try:
            destination = start_destination(build, directory / "destination")
            server = start_ours(build, directory / "server", destination.grpc if forwards else None)
            before = server.cpu()
            result = run_load(build, server.grpc, flags, seconds)
            cpu, result["peak_mib"], exit_code = server.stop(60)
            result["cpu"] = cpu - before
            destination.stop()
        finally:
            kill(server, destination)
        result["bytes_out"] = received_bytes(destination)
        result["notes"] = [f"{count} x {reason}" for reason, count in result["why"].items()]
        if exit_code != 0:
            result["notes"].append(f"exit code {exit_code}")
        if forwards and not result["bytes_out"]:
            result["notes"].append("nothing was sent on")
        return result


def cpu_per_million(runs):
    return sum(r["cpu"] for r in runs) / max(sum(r["items_acked"] for r in runs), 1) * 1e6


def print_load(title, runs_of):
    print(f"{title}\n  {'':20} {'items/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'CPU s/M':>8} {'B/item out':>11} {'peak MiB':>9}")
    for name, runs in runs_of.items():
        middle = lambda key: statistics.median(r[key] for r in runs)  # noqa: E731
        out = sum(r["bytes_out"] for r in runs) / max(sum(r["items_acked"] for r in runs), 1)
        print(f"  {name:20} {middle('items_per_s'):>10,.0f} {middle('p50_ms'):>8.2f} {middle('p99_ms'):>8.2f} {cpu_per_million(runs):>8.3f} "
              f"{out:>11.1f} {max(r['peak_mib'] for r in runs):>9.1f}")
        for note in sorted({note for r in runs for note in r["notes"]}):
            print(f"    ! {note}")
    alone, both = (cpu_per_million(runs) for runs in runs_of.values())
    print(f"  storing and forwarding takes {both / alone:.2f} x the CPU of storing alone (aim: 1.4)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it works")
    parser.add_argument("--build", type=build_directory, default=str(ROOT / "build/release"))
    parser.add_argument("--loads", nargs="+", default=["4x100", "4x1000"], choices=LOADS, metavar="NAME", help=f"of {', '.join(LOADS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of sending, each run")
    options = parser.parse_args()
    rounds, seconds = (1, 0.3) if options.quick else (options.rounds, options.seconds)
    for load in options.loads:
        title, flags = LOADS[load]
        runs_of = {"stores": [], "stores and forwards": []}
        for _ in range(rounds):
            for name, runs in runs_of.items():
                runs.append(run("forwards" in name, options.build, flags, seconds))
        print_load(title, runs_of)


if __name__ == "__main__":
    main()
