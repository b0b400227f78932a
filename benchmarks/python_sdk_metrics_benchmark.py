#!/usr/bin/env python3
"""What do a measurement and a log record of the native SDK cost from Python (15 times less than with the OpenTelemetry SDK is wanted), do four
threads measure at least as much as one, and does memory stay flat?

    benchmarks/python_sdk_metrics_benchmark.py [--quick] [--build build/release]

Both SDKs run in turns, in one thread, with the same instruments and 3 attributes; the OpenTelemetry SDK has a metric reader that nobody reads, and a
batch processor whose exporter discards. The processor time of the calling thread counts. The ring is moved on between rounds, as a collector
would: a record that finds no room would cost less than one that is written.
"""

import argparse
import json
import logging
import mmap
import pathlib
import resource
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CALLS = 10_000
MEASUREMENTS, EVENTS = 1 << 14, 1 << 14  # slots
AIM = 15


class Ring:
    """Its consumer, which takes everything and looks at nothing."""

    def __init__(self, path):
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.rings = [struct.unpack_from("<q", self.map, offset)[0] for offset in (8, 24)]  # events, measurements

    def move_on(self):
        for ring in self.rings:
            struct.pack_into("<q", self.map, ring + 16, struct.unpack_from("<q", self.map, ring + 24)[0])


def measured_us(function, value):
    begin = time.thread_time_ns()
    for _ in range(CALLS):
        function(value, {"http.route": "/users/{id}", "http.status": 200, "cached": True})
    return (time.thread_time_ns() - begin) / CALLS / 1e3


def logged_us(function):
    begin = time.thread_time_ns()
    for _ in range(CALLS):
        function()
    return (time.thread_time_ns() - begin) / CALLS / 1e3


class Nothing(logging.Handler):
    """What `logging` itself costs."""

    def emit(self, record):
        pass


def python_logger(name, handler):
    logger = logging.Logger(name, logging.INFO)
    logger.addHandler(handler)
    return lambda: logger.info("user %d has ordered", 7, extra={"order": 12})


def emitting(logger):
    emit = logger.emit
    return lambda: emit(body="user 7 has ordered", severity_number=9, severity_text="INFO", attributes={"order": 12, "user": "x", "new": True})


def theirs():
    from opentelemetry._logs import SeverityNumber
    from opentelemetry.instrumentation.logging.handler import LoggingHandler
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    class Discard(LogRecordExporter):
        def export(self, batch):
            return LogRecordExportResult.SUCCESS

        def shutdown(self):
            pass

        def force_flush(self, timeout_millis=0):
            return True

    meter = MeterProvider([InMemoryMetricReader()]).get_meter("benchmark")
    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(Discard()))
    emit = provider.get_logger("benchmark").emit

    def emitted():
        emit(body="user 7 has ordered", severity_number=SeverityNumber.INFO, severity_text="INFO", attributes={"order": 12, "user": "x", "new": True})

    return {
        "counter": (measured_us, meter.create_counter("orders").add, 1),
        "histogram": (measured_us, meter.create_histogram("duration").record, 0.25),
        "emit": (logged_us, emitted),
        "logging": (logged_us, python_logger("theirs", LoggingHandler(logger_provider=provider, log_code_attributes=True))),
    }


def ours(recorder):
    from otlp_arrow_library.sdk import LoggerProvider, LoggingHandler, MeterProvider

    meter = MeterProvider(recorder=recorder).get_meter("benchmark")
    provider = LoggerProvider(recorder=recorder)
    return {
        "counter": (measured_us, meter.create_counter("orders").add, 1),
        "histogram": (measured_us, meter.create_histogram("duration").record, 0.25),
        "emit": (logged_us, emitting(provider.get_logger("benchmark"))),
        "logging": (logged_us, python_logger("ours", LoggingHandler(logger_provider=provider))),
    }


def threads_per_second(add, count):
    """Calls a second of all threads together, while a consumer in another process keeps pace."""
    per_thread = 32 * MEASUREMENTS // count

    def work():
        for _ in range(per_thread):
            add(1, {"http.route": "/users/{id}", "http.status": 200, "cached": True})

    workers = [threading.Thread(target=work) for _ in range(count)]
    begin = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return per_thread * count / (time.perf_counter() - begin)


def library_per_second(calls):
    """Calls a second into a library of this process, whose thread takes from the ring on another core; nothing is dropped."""
    from otlp_arrow_library import OtlpLibrary
    from otlp_arrow_library.sdk import MeterProvider

    with tempfile.TemporaryDirectory() as directory, OtlpLibrary(output_dir=directory) as library, MeterProvider(library=library) as provider:
        add = provider.get_meter("benchmark").create_counter("orders").add
        begin = time.perf_counter()
        for _ in range(calls):
            add(1, {"http.route": "/users/{id}", "http.status": 200, "cached": True})
        seconds = time.perf_counter() - begin
        if provider.recorder.counters()["dropped"]:
            raise SystemExit(f"measurements were dropped: {provider.recorder.counters()}")
        return calls / seconds


def growth_of_memory(add, ring, calls):
    """Bytes that the process grew by, after a first round that touches all of the ring."""
    def some(count):
        for at in range(count):
            add(1, {"http.route": "/users/{id}", "http.status": at & 7, "cached": True})
            if at % (MEASUREMENTS // 2) == 0:
                ring.move_on()

    some(2 * MEASUREMENTS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    some(calls)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


def measure(rounds, calls):
    from otlp_arrow_library.sdk import Recorder

    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/measurements.mmap"
        recorder = Recorder.open_file(path, measurements_slots=MEASUREMENTS, events_slots=EVENTS)
        ring = Ring(path)
        mine, other = ours(recorder), theirs()
        best = {}
        for function, *arguments in list(mine.values()) * 3:  # touches all of the ring
            ring.move_on()
            function(*arguments)
        for _ in range(rounds):
            best["logging_bare_us"] = min(best.get("logging_bare_us", float("inf")), logged_us(python_logger("bare", Nothing())))
            for name in mine:
                for side, tasks in (("ours", mine), ("theirs", other)):
                    ring.move_on()
                    function, *arguments = tasks[name]
                    key = f"{name}_{side}_us"
                    best[key] = min(best.get(key, float("inf")), function(*arguments))
        for name in mine:
            best[f"{name}_ratio"] = best[f"{name}_theirs_us"] / best[f"{name}_ours_us"]
        best["handler_ratio"] = (best["logging_theirs_us"] - best["logging_bare_us"]) / (best["logging_ours_us"] - best["logging_bare_us"])
        add = mine["counter"][1]
        consumer = subprocess.Popen([sys.executable, __file__, "--consume", path])
        for _ in range(rounds):
            for count in (1, 4):
                key = f"per_second_of_{count}"
                best[key] = max(best.get(key, 0.0), threads_per_second(add, count))
        consumer.terminate()
        consumer.wait()
        best["library_per_second"] = library_per_second(calls // 10)
        best["memory_growth_bytes"] = growth_of_memory(add, ring, calls)
        best["dropped"] = recorder.counters()["dropped"]
        return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that it works")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--json", action="store_true", help="the figures as one line of JSON")
    parser.add_argument("--consume", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.consume:
        ring = Ring(options.consume)
        while True:
            ring.move_on()
            time.sleep(0.0005)
    package = options.build.resolve() / "python"
    if not (package / "otlp_arrow_library").is_dir():
        raise SystemExit(f"there is no Python package below {options.build}: configure with OTLP_ARROW_BUILD_PYTHON=ON and build")
    sys.path.insert(0, str(package))
    calls = 100_000 if options.quick else 10_000_000
    figures = measure(2 if options.quick else 10, calls)
    if options.json:
        print(json.dumps(figures))
        return
    titles = {"counter": "counter.add(1, 3 attributes)", "histogram": "histogram.record(…, 3 attributes)", "emit": "logger.emit(…)", "logging": "logging, 1 extra attribute"}
    for name, title in titles.items():
        aim = f" (at least {AIM} wanted)" if name in ("counter", "histogram") else ""
        print(f"{title:36} {figures[f'{name}_ours_us']:6.2f} us; OpenTelemetry SDK {figures[f'{name}_theirs_us']:6.2f} us, {figures[f'{name}_ratio']:.1f} times ours{aim}")
    print(f"`logging` itself takes {figures['logging_bare_us']:.2f} us; the OpenTelemetry SDK's handler takes {figures['handler_ratio']:.1f} times what ours takes")
    print(f"adds a second: 1 thread {figures['per_second_of_1']:,.0f}, 4 threads {figures['per_second_of_4']:,.0f}; dropped {figures['dropped']}")
    print(f"into a library of the process {figures['library_per_second']:,.0f} adds a second, and none is dropped")
    print(f"memory grew by {figures['memory_growth_bytes'] / 1e6:.1f} MB over {calls:,} adds")


if __name__ == "__main__":
    main()
