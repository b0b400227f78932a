#!/usr/bin/env python3
"""How fast does Flight's DoGet hand out stored spans, compared with a bare Flight server that sends the same batches from memory?

    benchmarks/flight_get_benchmark.py [--quick] [--build build/release] [--spans N] [--rounds N] [--compression none|lz4|zstd]

Spans are stored over gRPC first (5 million unless told otherwise, about 500 bytes each), then both servers are read over loopback in turn by one
client that counts bytes and throws them away. CPU is the server's own. The peak is the resident memory of our server while it is read, without the
pages of files that the kernel keeps.
"""

import argparse
import json
import multiprocessing
import multiprocessing.pool
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

import pyarrow as pa
import pyarrow.flight as flight
from servers import Server, build_directory


def start_ours(build, directory, compression):
    return Server([build / "bin/otlp-arrow", "serve", "--output-dir", directory / "data", "--grpc-address", "127.0.0.1:0", "--http-address",
                   "127.0.0.1:0", "--flight-address", "127.0.0.1:0", "--compression", compression, "--trace-cleanup-interval-secs", "0"], directory)


def flight_address(server):
    return re.search(r"^\s*Flight\s+(\S+)", server.log_path.read_text(), re.MULTILINE)[1]


def fill(build, server, client, spans):
    """Sends requests until so many spans are in files."""
    stored, started = 0, time.monotonic()
    while stored < spans:
        command = [build / "benchmarks/load_generator", "--address", server.grpc, "--items", "1000", "--distinct", "200", "--seconds", "2"]
        told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        stored += told["items_acked"]
        if time.monotonic() - started > 600:
            raise SystemExit(f"only {stored} spans after 600 s")
    list(client.do_action(flight.Action("flush", b'{"timeout_secs":120}')))
    return stored


def read(client):
    """Rows, Arrow bytes and seconds of one DoGet of everything."""
    started = time.perf_counter()
    rows = size = 0
    for chunk in client.do_get(flight.Ticket(b"traces")):
        rows += chunk.data.num_rows
        size += chunk.data.nbytes
    return rows, size, time.perf_counter() - started


class FromMemory(flight.FlightServerBase):
    """Sends the batches of the first files round and round until as many rows are sent as there are in all."""

    def __init__(self, files, rows):
        super().__init__("grpc://127.0.0.1:0")
        self.rows, self.batches = rows, []
        for path in files[:4]:
            self.batches += pa.ipc.open_file(path).read_all().to_batches()

    def do_get(self, context, ticket):
        def batches():
            left = self.rows
            while left > 0:
                for batch in self.batches:
                    yield batch.slice(0, min(left, batch.num_rows))
                    left -= batch.num_rows
                    if left <= 0:
                        return

        return flight.RecordBatchStream(pa.RecordBatchReader.from_batches(self.batches[0].schema, batches()))


def serve_from_memory(files, rows, pipe):
    with FromMemory(files, rows) as server:
        pipe.send(server.port)
        pipe.recv()


def resident_mib(process):
    """Its memory now, without the pages of files."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", status)[1]) / 1024


def read_watched(client, server, out):
    """As read(), while the server's memory is looked at."""
    with multiprocessing.pool.ThreadPool(1) as pool:
        task = pool.apply_async(read, (client,))
        while not task.ready():
            out.append(resident_mib(server.process))
            task.wait(0.05)
        return task.get()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="100 000 spans, one round")
    parser.add_argument("--build", type=build_directory, default="build/release")
    parser.add_argument("--spans", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compression", choices=["none", "lz4", "zstd"], default="none")
    options = parser.parse_args()
    if options.quick:
        options.spans, options.rounds = 100_000, 1
    with tempfile.TemporaryDirectory(prefix="otlp-arrow-benchmark-") as directory:
        directory = pathlib.Path(directory)
        server = start_ours(options.build, directory, options.compression)
        client = flight.connect(f"grpc://{flight_address(server)}")
        fill(options.build, server, client, options.spans)
        client.close()
        server.stop(60)
        server = start_ours(options.build, directory, options.compression)  # so that the memory is that of reading
        client = flight.connect(f"grpc://{flight_address(server)}")
        rows, size, _ = read(client)
        files = sorted((directory / "data/otlp/traces").glob("*.arrow"))
        ours_pipe, theirs = multiprocessing.get_context("spawn").Pipe()
        bare = multiprocessing.get_context("spawn").Process(target=serve_from_memory, args=(files, rows, theirs))
        bare.start()
        bare_client = flight.connect(f"grpc://127.0.0.1:{ours_pipe.recv()}")
        read(bare_client)
        idle, memory, ours, bares, cpu = resident_mib(server.process), [], [], [], []
        for _ in range(options.rounds):
            before = server.cpu()
            got, size, seconds = read_watched(client, server, memory)
            assert got == rows, f"{got} rows instead of {rows}"
            ours.append(size / seconds / 1e9)
            cpu.append((server.cpu() - before) / (size / 1e9))
            _, bare_size, seconds = read(bare_client)
            bares.append(bare_size / seconds / 1e9)
        ours_pipe.send("end")
        bare.join(20)
        server.stop()
        print(f"{rows} spans, {size / 1e9:.2f} GB of Arrow, compression {options.compression}")
        print(f"ours {statistics.median(ours):.2f} GB/s ({statistics.median(cpu):.2f} CPU s/GB)   from memory {statistics.median(bares):.2f} GB/s   "
              f"ratio {statistics.median(ours) / statistics.median(bares):.2f}   peak {max(memory):.0f} MiB, idle {idle:.0f} MiB")


if __name__ == "__main__":
    main()
