#!/usr/bin/env python3
"""How much of its rate does the service keep when each of 64 connections waits until its data is on the device (`acknowledge: fsync`), compared with the journal?

    benchmarks/fsync_benchmark.py [--quick] [--build build/release] [--rounds N] [--seconds S]

Requests that wait at the same time share one sync of the device (group commit). Each connection has one request of 100 spans under way. The
files are in $TMPDIR; in memory a sync costs nothing, so set it to a directory on a disk. The aim is 60 % of the journal's rate.
"""

import os
import pathlib
import tempfile

from receiving import cpu_per_million, in_turn, items_per_second, ours, parse, parser, print_runs


def in_memory(path):
    """Whether the file system of this path is tmpfs."""
    path, best = pathlib.Path(path).resolve(), ("", "")
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, mount_point, kind, *_ = line.split()
        if path.is_relative_to(mount_point) and len(mount_point) > len(best[0]):
            best = (mount_point, kind)
    return best[1] == "tmpfs"


def main():
    options = parse(parser(__doc__, rounds=5, seconds=2.0))
    if in_memory(os.environ.get("TMPDIR", tempfile.gettempdir())):
        print("the files are in memory, where syncs cost nothing: set TMPDIR to a directory on a disk")
    for protocol in ("grpc", "http"):
        load = f"--protocol {protocol} --connections 64 --items 100"
        servers = {name: (ours(acknowledge=name), load) for name in ("journal", "fsync")}
        runs_of = in_turn(servers, options.build, options.rounds, options.seconds)
        print_runs(f"{protocol}, 64 connections, 100 spans a request", runs_of)
        journal, fsync = runs_of["journal"], runs_of["fsync"]
        print(f"  fsync has {items_per_second(fsync) / items_per_second(journal):.0%} of the journal's rate (aim: 60 %), "
              f"at {cpu_per_million(fsync) / cpu_per_million(journal):.2f} x its CPU")


if __name__ == "__main__":
    main()
