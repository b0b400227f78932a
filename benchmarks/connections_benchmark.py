#!/usr/bin/env python3
"""What do 1,000 clients that are connected and silent cost 64 busy ones in throughput, and the service in memory, compared with the 64 alone?

    benchmarks/connections_benchmark.py [--quick] [--build build/release] [--idle N] [--rounds N] [--seconds S]

Each idle client has sent one request before and stays connected. Alone and with the others in turn, on one running service per protocol;
the resident memory is the largest over all of it. The aims are a throughput within 10 % and less than 250 MiB.
"""

import pathlib
import statistics
import tempfile

from forwarding import kill, run_load, start_ours
from receiving import parse, parser


def measure(build, protocol, idle, rounds, seconds):
    """The runs of 64 connections alone, those with idle clients beside them, and the service's peak in MiB."""
    load = f"--protocol {protocol} --connections 64 --items 100"
    alone, beside = [], []
    with tempfile.TemporaryDirectory(prefix="otlp-arrow-benchmark-") as directory:
        server = start_ours(build, pathlib.Path(directory))
        try:
            address = server.http if protocol == "http" else server.grpc
            run_load(build, address, load, seconds)  # its memory grows to its usual size
            for _ in range(rounds):
                alone.append(run_load(build, address, load, seconds))
                beside.append(run_load(build, address, f"{load} --idle {idle}", seconds))
            _, peak, _ = server.stop(60)
        finally:
            kill(server)
    return alone, beside, peak


def main():
    arguments = parser(__doc__, rounds=7, seconds=1.5)
    arguments.add_argument("--idle", type=int, default=1000, help="silent clients")
    options = parse(arguments)
    for protocol in ("grpc", "http"):
        alone, beside, peak = measure(options.build, protocol, options.idle, options.rounds, options.seconds)
        print(f"{protocol}, 64 busy connections, 100 spans a request\n  {'':24} {'items/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'errors':>7}")
        for name, runs in (("alone", alone), (f"and {options.idle} idle ones", beside)):
            middle = lambda key: statistics.median(r[key] for r in runs)  # noqa: B023, E731
            print(f"  {name:24} {middle('items_per_s'):>10,.0f} {middle('p50_ms'):>8.2f} {middle('p99_ms'):>8.2f} {sum(r['errors'] for r in runs):>7}")
            for reason in sorted({reason for r in runs for reason in r["why"]}):
                print(f"    ! {reason}")
        kept = statistics.median(b["items_per_s"] / a["items_per_s"] for a, b in zip(alone, beside))
        print(f"  the busy ones keep {kept:.0%} of their rate (aim: 90 %); peak of the service {peak:.1f} MiB (aim: 250)")


if __name__ == "__main__":
    main()
