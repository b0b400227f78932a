"""What the benchmarks of receiving share: our server and its peers under one load, each run on its own."""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile

from forwarding import collector_program, kill, run_load, start_ours
from servers import ROOT, Server, build_directory, free_address

COLLECTOR_CONFIG = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{grpc}", max_recv_msg_size_mib: 64}}, http: {{endpoint: "{http}"}}}}}}}}
processors: {{batch: {{}}}}
exporters: {{file: {{path: "{path}", format: proto, compression: zstd}}}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [file]}}
    metrics: {{receivers: [otlp], processors: [batch], exporters: [file]}}
    logs: {{receivers: [otlp], processors: [batch], exporters: [file]}}
"""


def ours(**keys):
    """Starts our server with these keys of the configuration."""
    return lambda build, directory: start_ours(build, directory, keys=keys)


def discarding(build, directory):
    directory.mkdir(parents=True, exist_ok=True)
    return Server([build / "benchmarks/discard_server", "127.0.0.1:0", "127.0.0.1:0"], directory)


def collector(_, directory):
    """The OpenTelemetry Collector with its batch processor and its file exporter, OTLP protobuf with zstd."""
    (directory / "data").mkdir(parents=True)
    grpc, http = free_address(), free_address()
    config = directory / "collector.yaml"
    config.write_text(COLLECTOR_CONFIG.format(grpc=grpc, http=http, path=directory / "data/otlp"))
    # What its batch processor and queue hold must reach the file before SIGTERM.
    return Server([collector_program(), "--config", config], directory, grpc, http, settle_secs=1)


def rotel(program):
    """Starts rotel, which takes all and discards it."""

    def start(_, directory):
        directory.mkdir(parents=True, exist_ok=True)
        grpc, http = free_address(), free_address()
        return Server([program, "start", "--exporter", "blackhole", "--otlp-grpc-endpoint", grpc, "--otlp-http-endpoint", http,
                       "--otlp-grpc-max-recv-msg-size-mib", "64"], directory, grpc, http, settle_secs=1)

    return start


def rotel_program(argument):
    """The argument, else $ROTEL_BIN; None where there is neither."""
    named = argument or os.environ.get("ROTEL_BIN")
    if named and not os.access(named, os.X_OK):
        raise SystemExit(f"{named} is no program; name rotel's (rotel-agent of the Python package rotel) with --rotel or in ROTEL_BIN")
    return named


def run(start, build, flags, seconds):
    """One server under one load, from its start to its end. `cpu`: seconds from the first request to the end of the process."""
    with tempfile.TemporaryDirectory(prefix="otlp-arrow-benchmark-") as directory:
        directory = pathlib.Path(directory)
        server = start(build, directory / "server")
        try:
            before = server.cpu()
            result = run_load(build, server.http if "--protocol http" in flags else server.grpc, flags, seconds)
            cpu, result["peak_mib"], exit_code = server.stop(60)
        finally:
            kill(server)
        result["cpu"] = cpu - before
        result["notes"] = [f"{count} x {reason}" for reason, count in result["why"].items()]
        if exit_code != 0:
            result["notes"].append(f"exit code {exit_code}")
        data = directory / "server/data"
        result["disk"] = sum(f.stat().st_size for f in data.rglob("*") if f.is_file())
        return result


def in_turn(servers, build, rounds, seconds):
    """The runs of each server (name: its start and the flags of its load), one after the other in each round."""
    runs_of = {name: [] for name in servers}
    for _ in range(rounds):
        for name, (start, flags) in servers.items():
            runs_of[name].append(run(start, build, flags, seconds))
    return runs_of


def cpu_per_million(runs):
    return sum(r["cpu"] for r in runs) / max(sum(r["items_acked"] for r in runs), 1) * 1e6


def items_per_second(runs):
    return statistics.median(r["items_per_s"] for r in runs)


def print_runs(title, runs_of):
    width = max(map(len, runs_of)) + 2
    print(f"{title}\n  {'':{width}} {'items/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'CPU s/M':>8} {'peak MiB':>9} {'B/item':>7} {'errors':>7}")
    for name, runs in runs_of.items():
        middle = lambda key: statistics.median(r[key] for r in runs)  # noqa: E731
        per_item = sum(r["disk"] for r in runs) / max(sum(r["items_acked"] for r in runs), 1)
        print(f"  {name:{width}} {middle('items_per_s'):>10,.0f} {middle('p50_ms'):>8.2f} {middle('p99_ms'):>8.2f} {cpu_per_million(runs):>8.3f} "
              f"{max(r['peak_mib'] for r in runs):>9.1f} {per_item:>7.1f} {sum(r['errors'] for r in runs):>7}")
        for note in sorted({note for r in runs for note in r["notes"]}):
            print(f"    ! {note}")


def collector_or_say_so():
    """Whether there is a Collector to compare with."""
    if collector_program():
        return True
    print("there is no Collector to compare with: tools/collector/build.sh builds one, or name one in OTELCOL_BIN")
    return False


def parser(question, rounds, seconds):
    """The arguments that each benchmark takes."""
    parser = argparse.ArgumentParser(description=question, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it works")
    parser.add_argument("--build", type=build_directory, default=str(ROOT / "build/release"))
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seconds", type=float, default=seconds, help="of sending, each run")
    return parser


def parse(parser):
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 0.3
    return options


def bytes_of(directory, ending):
    """Of the files in it with this ending."""
    return sum(f.stat().st_size for f in pathlib.Path(directory).rglob(f"*{ending}") if f.is_file())


def command(build, *arguments):
    """Runs a command of ours to its end; what it printed."""
    told = subprocess.run([build / "bin/otlp-arrow", *map(str, arguments)], capture_output=True, text=True)
    if told.returncode != 0:
        raise SystemExit(f"otlp-arrow {' '.join(map(str, arguments))} failed: {told.stderr}")
    return told.stdout
