#!/usr/bin/env python3
"""How many items sent as OTLP/JSON does the service store per CPU second, compared with the OpenTelemetry Collector with its file exporter?

    benchmarks/http_json_benchmark.py [--quick] [--build build/release] [--signals NAME …] [--rounds N] [--seconds S]

Both take the same JSON over HTTP, 100 items a request on 4 connections, and write files with zstd. Beside them the same requests to us in
protobuf, to see what JSON adds. The Collector is the one that OTELCOL_BIN names, or that tools/collector/build.sh has built; it acknowledges
from memory, we from the journal. CPU seconds are all that a server used from the first request to its end. The aim is 3 times the
Collector's items.
"""

from receiving import collector, collector_or_say_so, cpu_per_million, in_turn, ours, parse, parser, print_runs


def main():
    arguments = parser(__doc__, rounds=3, seconds=2.0)
    arguments.add_argument("--signals", nargs="+", default=["traces", "metrics", "logs"], choices=["traces", "metrics", "logs"])
    options = parse(arguments)
    with_collector = collector_or_say_so()
    for signal in options.signals:
        load = f"--protocol http --signal {signal} --connections 4 --items 100"
        servers = {"otlp-arrow, JSON": (ours(), f"{load} --json"), "otlp-arrow, protobuf": (ours(), load)}
        if with_collector:
            servers["Collector, JSON"] = (collector, f"{load} --json")
        runs_of = in_turn(servers, options.build, options.rounds, options.seconds)
        print_runs(f"{signal}, HTTP, 4 connections, 100 items a request", runs_of)
        json = cpu_per_million(runs_of["otlp-arrow, JSON"])
        print(f"  JSON takes {json / cpu_per_million(runs_of['otlp-arrow, protobuf']):.2f} x the CPU of protobuf")
        if with_collector:
            print(f"  otlp-arrow stores {cpu_per_million(runs_of['Collector, JSON']) / json:.2f} x the items of the Collector per CPU second (aim: 3)")


if __name__ == "__main__":
    main()
