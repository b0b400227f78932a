#!/usr/bin/env python3
"""What does a span over OTLP/HTTP in protobuf cost the server, compared with the same over gRPC, and with rotel where it only discards?

    benchmarks/http_protobuf_benchmark.py [--quick] [--build build/release] [--rotel PROGRAM] [--rounds N] [--seconds S]

CPU seconds are all that a server used from the first request to its end: ours has written its last file then, rotel has thrown
everything away. Its program (rotel-agent of the Python package rotel) is named by --rotel or ROTEL_BIN; without it only our own two
protocols are compared, and a server that reads HTTP and discards. The aim is less CPU than rotel's.
"""

from receiving import cpu_per_million, discarding, in_turn, ours, parse, parser, print_runs, rotel, rotel_program

LOADS = {
    "4 connections, 100 spans a request": "--connections 4 --items 100",
    "64 connections, 100 spans a request": "--connections 64 --items 100",
    "4 connections, 1000 spans a request": "--connections 4 --items 1000 --distinct 50",
}


def main():
    arguments = parser(__doc__, rounds=3, seconds=2.0)
    arguments.add_argument("--rotel", metavar="PROGRAM", help="rotel-agent; else ROTEL_BIN")
    options = parse(arguments)
    program = rotel_program(options.rotel)
    if not program:
        print("there is no rotel to compare with: name its program with --rotel or in ROTEL_BIN")
    for title, load in LOADS.items():
        http, grpc = f"--protocol http {load}", f"--protocol grpc {load}"
        servers = {"otlp-arrow, HTTP": (ours(), http), "otlp-arrow, gRPC": (ours(), grpc), "discards, HTTP": (discarding, http)}
        if program:
            servers["rotel, HTTP"] = (rotel(program), http)
        runs_of = in_turn(servers, options.build, options.rounds, options.seconds)
        print_runs(title, runs_of)
        own = cpu_per_million(runs_of["otlp-arrow, HTTP"])
        print(f"  HTTP takes {own / cpu_per_million(runs_of['otlp-arrow, gRPC']):.2f} x the CPU of gRPC")
        if program:
            print(f"  storing over HTTP takes {own / cpu_per_million(runs_of['rotel, HTTP']):.2f} x the CPU of rotel, which discards (aim: less than 1)")


if __name__ == "__main__":
    main()
