#!/usr/bin/env python3
"""What does a stored item take on the disk and cost in CPU as Parquet, written at once or compacted later, compared with Arrow files?

    benchmarks/parquet_benchmark.py [--quick] [--build build/release] [--signals NAME …] [--rounds N] [--seconds S]

Sent over gRPC by 4 connections, 100 items a request, and stored with zstd; CPU is that of the service, with the compaction's for what is
compacted by `otlp-arrow compact`. The aim is 80 bytes a span or less. The requests are sent round and round: --distinct says how many
there are, so that what compresses is not that they repeat.
"""

import pathlib
import resource
import statistics
import tempfile

from forwarding import kill, run_load, start_ours
from receiving import bytes_of, command, parse, parser

WAYS = {  # name: the service's keys, whether it is compacted then
    "Arrow": ({}, False),
    "Parquet": ({"format": "parquet"}, False),
    "Arrow, then Parquet": ({}, True),
}


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(build, keys, compacts, flags, seconds):
    """Bytes and CPU seconds per item, and the service's peak in MiB."""
    with tempfile.TemporaryDirectory(prefix="otlp-arrow-benchmark-") as directory:
        server = start_ours(build, pathlib.Path(directory), keys={"trace_cleanup_interval_secs": 0} | keys)
        try:
            before = server.cpu()
            items = run_load(build, server.grpc, flags, seconds)["items_acked"]
            cpu, peak, _ = server.stop(120)
        finally:
            kill(server)
        cpu -= before
        if compacts:
            before = children_cpu()
            command(build, "compact", f"{directory}/data", "--format", "parquet", "--reader-grace", "0", "--quiet")
            cpu += children_cpu() - before
        stored = f"{directory}/data/otlp"
        return (bytes_of(stored, ".arrow") + bytes_of(stored, ".parquet")) / items, cpu / items * 1e6, peak


def main():
    arguments = parser(__doc__, rounds=3, seconds=2.0)
    arguments.add_argument("--signals", nargs="+", default=["traces", "metrics", "logs"], choices=["traces", "metrics", "logs"])
    arguments.add_argument("--distinct", type=int, default=5000, help="different requests")
    options = parse(arguments)
    if options.quick:
        options.distinct = 500
    for signal in options.signals:
        flags = f"--signal {signal} --connections 4 --items 100 --distinct {options.distinct}"
        runs = {name: [] for name in WAYS}
        for _ in range(options.rounds):
            for name, (keys, compacts) in WAYS.items():
                runs[name].append(run(options.build, keys, compacts, flags, options.seconds))
        print(f"{signal}\n  {'':22} {'B/item':>8} {'x Arrow':>8} {'CPU s/M':>8} {'x Arrow':>8} {'peak MiB':>9}")
        size, cpu = (statistics.median(r[i] for r in runs["Arrow"]) for i in (0, 1))
        for name, results in runs.items():
            own_size, own_cpu = (statistics.median(r[i] for r in results) for i in (0, 1))
            print(f"  {name:22} {own_size:>8.1f} {own_size / size:>8.2f} {own_cpu:>8.3f} {own_cpu / cpu:>8.2f} {max(r[2] for r in results):>9.1f}")
        if signal == "traces":
            print(f"  a span takes {statistics.median(r[0] for r in runs['Parquet']):.1f} bytes in Parquet (aim: 80)")


if __name__ == "__main__":
    main()
