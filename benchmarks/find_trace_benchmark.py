#!/usr/bin/env python3
"""How long does it take to find one trace id among 20 million spans, in a day of five-second files and after their compaction to Parquet, with our reader compared with DuckDB?

    benchmarks/find_trace_benchmark.py [--quick] [--build build/release] [--spans N] [--files N] [--keep DIR]

The day is written by the service: 20 million spans in 17,280 Arrow files, each span with ids of its own. Then `otlp-arrow compact --format
parquet` merges them; its time, memory and what is left are told. One trace of five spans was sent in the middle of the day. Each reader
looks for it several times, in a process of its own: the first time and the median are told. The aim is half a second after the compaction, whose
memory has a bound whatever the number of files. DuckDB reads Parquet alone; pyarrow reads the Arrow files for comparison.
"""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from forwarding import kill, start_ours
from receiving import parse, parser

TRACE = "feedfacecafebeef0123456789abcdef"
SPANS_A_RUN = 500_000  # that the load generator holds at a time, with different ids

READERS = {  # name: what is read, a program that prints how many rows it found and the seconds of each look
    "otlp_arrow_library": "len(store.traces(trace_id=trace).to_pyarrow())",
    "duckdb": "len(duckdb.execute(f\"SELECT * FROM read_parquet('{directory}/otlp/traces/**/*.parquet', union_by_name=true) WHERE trace_id = ?\", [trace]).fetchall())",
    "pyarrow.dataset": "pyarrow.dataset.dataset(f'{directory}/otlp/traces', format=kind, exclude_invalid_files=False).to_table(columns=['span_id', 'name'], "
                       "filter=pyarrow.dataset.field('trace_id') == trace).num_rows",
}
PROGRAM = """
import json, sys, time
directory, trace, kind = sys.argv[1:]
{imports}
seconds = []
for _ in range({looks}):
    begin = time.perf_counter()
    found = {look}
    seconds.append(time.perf_counter() - begin)
print(json.dumps([found, seconds]))
"""
IMPORTS = {"otlp_arrow_library": "import otlp_arrow_library, pyarrow\nstore = otlp_arrow_library.open(directory)", "duckdb": "import duckdb",
           "pyarrow.dataset": "import pyarrow.dataset"}


def the_one_request():
    """Five spans of the trace that is looked for."""
    spans = [{"traceId": TRACE, "spanId": f"{n:016x}", "name": "the one", "kind": 2, "startTimeUnixNano": "1700000000000000000",
              "endTimeUnixNano": "1700000001000000000"} for n in range(1, 6)]
    return json.dumps({"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                                          "scopeSpans": [{"spans": spans}]}]})


def write_day(build, directory, spans, files):
    """About `files` small files with this many spans."""
    otlp_bytes = 412 * spans // files
    server = start_ours(build, directory, keys={"trace_cleanup_interval_secs": 0, "max_file_bytes": otlp_bytes, "workers": 1})
    try:
        sent = 0
        for seed in range(1, 10_000):
            if sent >= spans:
                break
            now = min(SPANS_A_RUN, spans - sent)
            load = subprocess.run([build / "benchmarks/load_generator", "--address", server.grpc, "--connections", "8", "--once", "--seed", str(seed),
                                   "--distinct", str(max(now // 100, 1))], capture_output=True, text=True)
            if load.returncode != 0 or json.loads(load.stdout)["items_failed"]:
                raise SystemExit(f"the load generator failed: {load.stderr or load.stdout}")
            if sent < spans // 2 <= sent + now:
                subprocess.run(["curl", "-sSf", "-o", "/dev/null", "--json", the_one_request(), f"http://{server.http}/v1/traces"], check=True)
            sent += now
        server.stop(120)
    finally:
        kill(server)
    return directory / "data"


def compact(build, data):
    """Merges the files; seconds, CPU seconds, peak in MiB."""
    begin = time.monotonic()
    process = subprocess.Popen([build / "bin/otlp-arrow", "compact", data, "--format", "parquet", "--signal", "traces", "--reader-grace", "0", "--quiet"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with process.stderr:
        told = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"compaction failed: {told}")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def look(build, reader, data, kind, looks):
    """How many rows it found, and the seconds of each look."""
    program = PROGRAM.format(imports=IMPORTS[reader], look=READERS[reader], looks=looks)
    path = os.pathsep.join(filter(None, (str(build / "python"), os.environ.get("PYTHONPATH"))))
    told = subprocess.run([sys.executable, "-c", program, str(data), TRACE, kind], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    if told.returncode != 0:
        print(f"  {reader:22} failed: {(told.stderr.strip().splitlines() or ['?'])[-1]}")
        return
    found, seconds = json.loads(told.stdout)
    note = "" if found == 5 else f"   ! {found} rows instead of 5"
    print(f"  {reader:22} {seconds[0]:>9.3f} {statistics.median(seconds):>9.3f}{note}")


def files_in(data):
    """Number and bytes of the data files of traces, by ending."""
    found = {}
    for path in (data / "otlp/traces").rglob("*.*"):
        if path.is_file() and path.suffix in (".arrow", ".parquet"):
            count, size = found.get(path.suffix, (0, 0))
            found[path.suffix] = (count + 1, size + path.stat().st_size)
    return ", ".join(f"{count} {suffix} files, {size / 1e6:,.0f} MB" for suffix, (count, size) in sorted(found.items()))


def main():
    arguments = parser(__doc__, rounds=7, seconds=0)
    arguments.add_argument("--spans", type=int, default=20_000_000)
    arguments.add_argument("--files", type=int, default=17_280, help="about as many before the compaction")
    arguments.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="write the day there and leave it")
    options = parse(arguments)
    if options.quick:
        options.spans, options.files = 100_000, 100
    if options.keep:
        options.keep.mkdir(parents=True)
        place = contextlib.nullcontext(options.keep)
    else:
        place = tempfile.TemporaryDirectory(prefix="otlp-arrow-benchmark-")
    with place as directory:
        data = write_day(options.build, pathlib.Path(directory), options.spans, options.files)
        heading = f"  {'seconds to find it':22} {'first':>9} {'median':>9}"
        print(f"{options.spans:,} spans in {files_in(data)}\n{heading}")
        for reader in ("otlp_arrow_library", "pyarrow.dataset"):
            look(options.build, reader, data, "feather", min(options.rounds, 3))
        seconds, cpu, peak = compact(options.build, data)
        print(f"compacted in {seconds:.1f} s, {cpu:.1f} s of CPU ({cpu / options.spans * 1e6:.2f} s per million spans), peak {peak:.0f} MiB: {files_in(data)}\n{heading}")
        for reader in READERS:
            look(options.build, reader, data, "parquet", options.rounds)
        print("  (aim: 0.5 s)")


if __name__ == "__main__":
    main()
