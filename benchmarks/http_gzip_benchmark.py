#!/usr/bin/env python3
"""What does a gzipped request cost the service in CPU, compared with the same request uncompressed?

    benchmarks/http_gzip_benchmark.py [--quick] [--build build/release] [--rounds N] [--seconds S]

Over HTTP in protobuf and JSON, and over gRPC; 4 connections, 100 spans a request, stored with zstd either way. The requests are compressed
beforehand. CPU seconds are all that the service used from the first request to its end. The aim is 1.5 times over HTTP.
"""

from receiving import cpu_per_million, in_turn, ours, parse, parser, print_runs

LOADS = {
    "HTTP, protobuf": ("--protocol http", "1.5"),
    "HTTP, JSON": ("--protocol http --json", "1.5"),
    "gRPC": ("--protocol grpc", None),
}


def main():
    options = parse(parser(__doc__, rounds=3, seconds=2.0))
    for name, (protocol, aim) in LOADS.items():
        load = f"{protocol} --connections 4 --items 100"
        runs_of = in_turn({"plain": (ours(), load), "gzip": (ours(), f"{load} --gzip")}, options.build, options.rounds, options.seconds)
        print_runs(f"{name}, 4 connections, 100 spans a request", runs_of)
        ratio = cpu_per_million(runs_of["gzip"]) / cpu_per_million(runs_of["plain"])
        print(f"  gzip takes {ratio:.2f} x the CPU of uncompressed requests{f' (aim: {aim})' if aim else ''}")


if __name__ == "__main__":
    main()
