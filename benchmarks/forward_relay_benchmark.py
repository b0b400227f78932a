#!/usr/bin/env python3
"""How many items does a pure relay pass on per CPU second, OTLP/gRPC in and out, compared with the OpenTelemetry Collector with its batch processor?

    benchmarks/forward_relay_benchmark.py [--quick] [--build build/release] [--loads NAME …] [--rounds N] [--seconds S] [--gzip]

Ours acknowledges from its journal, the Collector from memory. Both send to a server that discards all, uncompressed unless --gzip is given.
CPU seconds are all that a relay used from the first request to its end, sending the last one included. The Collector is the one that
OTELCOL_BIN names, or that tools/collector/build.sh has built. The load generator and the destination share the machine, so items/s say less
than items per CPU second. The aim is 2.5 times the Collector's.
"""

import argparse
import pathlib
import statistics
import tempfile

from forwarding import collector_program, kill, received_bytes, run_load, start_collector, start_destination, start_ours
from servers import ROOT, build_directory

LOADS = {  # name: what it is, flags of the load generator
    "4x100": ("4 connections, 100 spans a request", "--connections 4 --items 100"),
    "64x100": ("64 connections, 100 spans a request", "--connections 64 --items 100"),
    "4x1000": ("4 connections, 1000 spans a request", "--connections 4 --items 1000 --distinct 50"),
    "metrics-4x100": ("4 connections, 100 data points a request", "--signal metrics --connections 4 --items 100"),
    "logs-4x100": ("4 connections, 100 log records a request", "--signal logs --connections 4 --items 100"),
}


def run(name, build, flags, seconds, compression):
    """One relay under one load."""
    with tempfile.TemporaryDirectory(prefix="otlp-arrow-benchmark-") as directory:
        directory = pathlib.Path(directory)
        destination = relay = None
        try:
            destination = start_destination(build, directory / "destination")
            if name == "otlp-arrow":
                relay = start_ours(build, directory / "relay", destination.grpc, {"store": False}, compression=compression)
            else:
                relay = start_collector(directory / "relay", destination.grpc, compression)
            before = relay.cpu()
            result = run_load(build, relay.grpc, flags, seconds)
            cpu, result["peak_mib"], exit_code = relay.stop(60)
            result["cpu"] = cpu - before
            destination.stop()
        finally:
            kill(relay, destination)
        result["bytes_out"] = received_bytes(destination)
        result["notes"] = [f"{count} x {reason}" for reason, count in result["why"].items()]
        if exit_code != 0:
            result["notes"].append(f"exit code {exit_code}")
        log = relay.log_path.read_text()
        if name != "otlp-arrow" and ("ropping" in log or "\terror\t" in log):
            result["notes"].append("its log tells of errors: " + next(l for l in log.splitlines() if "ropping" in l or "\terror\t" in l)[:200])
        return result


def items_per_cpu_second(runs):
    return sum(r["items_acked"] for r in runs) / max(sum(r["cpu"] for r in runs), 0.01)


def print_load(title, runs_of):
    print(f"{title}\n  {'':12} {'items/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'items/CPU s':>12} {'B/item out':>11} {'peak MiB':>9} {'errors':>7}")
    for name, runs in runs_of.items():
        middle = lambda key: statistics.median(r[key] for r in runs)  # noqa: E731
        out = sum(r["bytes_out"] for r in runs) / max(sum(r["items_acked"] for r in runs), 1)
        print(f"  {name:12} {middle('items_per_s'):>10,.0f} {middle('p50_ms'):>8.2f} {middle('p99_ms'):>8.2f} {items_per_cpu_second(runs):>12,.0f} "
              f"{out:>11.1f} {max(r['peak_mib'] for r in runs):>9.1f} {sum(r['errors'] for r in runs):>7}")
        for note in sorted({note for r in runs for note in r["notes"]}):
            print(f"    ! {note}")
    if len(runs_of) > 1:
        ours, theirs = (items_per_cpu_second(runs) for runs in runs_of.values())
        print(f"  otlp-arrow passes on {ours / theirs:.2f} x the items of the Collector per CPU second (aim: 2.5)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it works")
    parser.add_argument("--build", type=build_directory, default=str(ROOT / "build/release"))
    parser.add_argument("--loads", nargs="+", default=["4x100", "64x100", "4x1000"], choices=LOADS, metavar="NAME", help=f"of {', '.join(LOADS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of sending, each run")
    parser.add_argument("--gzip", action="store_true", help="compress what is sent on")
    options = parser.parse_args()
    rounds, seconds = (1, 0.3) if options.quick else (options.rounds, options.seconds)
    names = ["otlp-arrow"]
    if collector_program():
        names.append("Collector")
    else:
        print("there is no Collector to compare with: tools/collector/build.sh builds one, or name one in OTELCOL_BIN")
    for load in options.loads:
        title, flags = LOADS[load]
        runs_of = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                runs_of[name].append(run(name, options.build, flags, seconds, "gzip" if options.gzip else "none"))
        print_load(title, runs_of)


if __name__ == "__main__":
    main()
