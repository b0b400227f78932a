"""The SDK in programs that fork, and whose interpreter ends in whatever state."""

from __future__ import annotations

import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request

import drained
import programs
import pytest

LONG = bool(os.environ.get("OTLP_ARROW_LONG_TESTS"))

WORKER = """
import multiprocessing, os, sys
from opentelemetry import metrics, trace
from otlp_arrow_library import sdk
def work(number):
    if trace._TRACER_PROVIDER is None:  # a spawned child begins with nothing
        sdk.configure(sys.argv[1] if len(sys.argv) > 1 else os.environ["RING"])
    for step in range(5):
        with trace.get_tracer("t").start_as_current_span(f"{number}.{step}"):
            metrics.get_meter("m").create_counter("steps").add(1, {"worker": number})
    return os.getpid()
"""


def write_program(tmp_path, code):
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(code))
    return path


def start(path, *arguments, **environment):
    return subprocess.run([sys.executable, str(path), *map(str, arguments)], capture_output=True, text=True, timeout=120, env={**os.environ, **environment})


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(tmp_path, method):
    """Each process has a ring file of its own; nothing is lost and nothing is there twice."""
    path = write_program(
        tmp_path,
        WORKER
        + textwrap.dedent(
            f"""
            if __name__ == "__main__":
                sdk.configure(os.environ["RING"])
                work("parent")
                context = multiprocessing.get_context("{method}")
                with context.Pool(4) as pool:
                    pool.map(work, range(20), chunksize=1)
                    pool.close()
                    pool.join()
                work("again")
            """
        ),
    )
    rings = tmp_path / "rings"
    rings.mkdir()
    done = start(path, RING=str(rings / "ring-{pid}.mmap"))
    assert done.returncode == 0, done.stderr
    directory = drained.drain(rings, tmp_path / "telemetry")
    expected = sorted(f"{number}.{step}" for number in ["parent", *range(20), "again"] for step in range(5))
    assert drained.names(directory) == expected
    counted = sum(row["value_int"] or row["value_double"] for row in drained.rows(directory, "metrics"))
    assert counted == len(expected)


def test_a_span_of_the_parent_ends_in_the_parent_alone(tmp_path):
    code = """
        import os, sys
        from opentelemetry import trace
        from otlp_arrow_library import sdk
        sdk.configure(sys.argv[1])
        tracer = trace.get_tracer("t")
        with tracer.start_as_current_span("parent") as span:
            child = os.fork()
            if child == 0:
                span.set_attribute("from", "child")
                with tracer.start_as_current_span("child"):
                    pass
                span.end()
                os._exit(0)
            os.waitpid(child, 0)
            span.set_attribute("from", "parent")
    """
    rings = tmp_path / "rings"
    rings.mkdir()
    programs.run(code, rings / "{pid}.mmap")
    rows = {row["name"]: row for row in drained.rows(drained.drain(rings, tmp_path / "telemetry"))}
    assert set(rows) == {"parent", "child"} and rows["child"]["parent_span_id"] == rows["parent"]["span_id"]
    assert dict(rows["parent"]["attributes"]) == {"from": "parent"}


GUNICORN = """
import os
import flask
from opentelemetry import trace
from otlp_arrow_library import sdk

sdk.configure(os.environ["RING"], service_name="shop")  # in the master: the workers are forked later
app = flask.Flask("shop")
with trace.get_tracer("shop").start_as_current_span("preload"):
    pass

@app.get("/<name>")
def answer(name):
    with trace.get_tracer("shop").start_as_current_span(name):
        return str(os.getpid())
"""


def test_gunicorn_with_four_preforked_workers(tmp_path):
    (tmp_path / "shop.py").write_text(GUNICORN)
    rings = tmp_path / "rings"
    rings.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "4", "--bind", f"127.0.0.1:{port}", "shop:app"]
    environment = {**os.environ, "RING": str(rings / "shop-{pid}.mmap"), "OTLP_OUTPUT_DIR": str(tmp_path / "unused")}
    log = open(tmp_path / "log", "w")
    server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    workers, asked = {}, 0
    try:
        deadline = time.monotonic() + 60
        while len(workers) < 4 or asked < 40:
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/request-{asked}", timeout=10) as answer:
                    workers.setdefault(answer.read(), []).append(asked)
                asked += 1
            except OSError:
                time.sleep(0.02)  # it does not listen yet
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        log.close()
    files = list(rings.glob("*.mmap"))
    assert len(files) == 5, files  # the master's and four workers'
    names = drained.names(drained.drain(rings, tmp_path / "telemetry"))
    assert names == sorted(["preload", *(f"request-{number}" for number in range(asked))])


def test_a_fork_while_other_threads_record(tmp_path):
    """Whatever they held at that moment, the child records and ends."""
    code = """
        import os, signal, sys, threading
        from opentelemetry import metrics, trace
        from otlp_arrow_library import sdk
        sdk.configure(sys.argv[1])
        tracer, counter = trace.get_tracer("t"), metrics.get_meter("m").create_counter("c")
        stop = threading.Event()
        def work():
            while not stop.is_set():
                with tracer.start_as_current_span("thread"):
                    counter.add(1)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads: thread.start()
        for number in range(20):
            child = os.fork()
            if child == 0:
                signal.alarm(20)
                with trace.get_tracer(f"t{number}").start_as_current_span(f"child {number}"):
                    counter.add(1)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0, number
        stop.set()
        for thread in threads: thread.join()
    """
    rings = tmp_path / "rings"
    rings.mkdir()
    programs.run(code, rings / "{pid}.mmap")
    names = drained.names(drained.drain(rings, tmp_path / "telemetry"))
    assert sorted(name for name in names if name != "thread") == sorted(f"child {number}" for number in range(20))


ENDINGS = {
    "falls off": "pass",
    "exit": "sys.exit(3)",
    "exception": "raise RuntimeError('the end')",
    "in atexit": "atexit.register(record, 'late')",
    "after shutdown": "configuration.shutdown(); record('late')",
    "with daemon threads": "[threading.Thread(target=forever, daemon=True).start() for _ in range(4)]; begun.wait()",
    "a span is open": "tracer.start_as_current_span('open').__enter__()",
    "in a generator": "generator = traced_generator(); next(generator)",
    "observable that hangs": "meter.create_observable_counter('o', [lambda options: threading.Event().wait()])",
    "_exit": "os._exit(3)",
    "killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "terminated": "os.kill(os.getpid(), signal.SIGTERM)",
    "aborted": "os.abort()",
}


SHORT = ("falls off", "with daemon threads", "observable that hangs", "killed", "terminated")
CASES = [("mmap_file", ending) for ending in ENDINGS] + [("output_dir", ending) for ending in (ENDINGS if LONG else SHORT)]


@pytest.mark.parametrize(("sink", "ending"), CASES)
def test_the_interpreter_ends_soon_however_it_ends(tmp_path, ending, sink):
    code = f"""
        import atexit, os, signal, sys, threading
        from opentelemetry import _logs, metrics, trace
        from otlp_arrow_library import sdk
        from otlp_arrow_library.telemetry import traced
        os.environ["OTEL_METRIC_EXPORT_TIMEOUT"] = "500"
        configuration = sdk.configure({sink}=sys.argv[1])
        tracer, meter, logger = trace.get_tracer("t"), metrics.get_meter("m"), _logs.get_logger("l")
        counter = meter.create_counter("c")
        begun = threading.Event()
        def record(name):
            with tracer.start_as_current_span(name):
                counter.add(1)
                logger.emit(_logs.LogRecord(body=name))
        def forever():
            while True:
                record("thread")
                begun.set()
        @traced
        def traced_generator():
            while True:
                yield 1
        record("first")
        {ENDINGS[ending]}
    """
    place = tmp_path / "place"
    begun = time.monotonic()
    done = programs.run(code, place, check=False, timeout=60)
    assert time.monotonic() - begun < 50
    expected = {"exit": 3, "exception": 1, "_exit": 3, "killed": -signal.SIGKILL, "terminated": -signal.SIGTERM, "aborted": -signal.SIGABRT}
    assert done.returncode == expected.get(ending, 0), done.stderr
    directory = drained.drain(place) if sink == "mmap_file" else recovered(place)
    assert "first" in drained.names(directory) and "first" in drained.names(directory, "logs")


def recovered(directory):
    """What a killed program left in its ring and journal is stored by the next start, or by this."""
    command = [sys.executable, "-m", "otlp_arrow_library._cli", "recover", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


def test_killed_at_any_moment(tmp_path):
    """What a program had told before its death is in the files; a span that it had begun too."""
    rounds = 100 if LONG else 3
    code = """
        import sys
        from opentelemetry import trace
        from otlp_arrow_library import sdk
        sdk.configure(sys.argv[1])
        tracer = trace.get_tracer("t")
        number = 0
        while True:
            with tracer.start_as_current_span(f"span {number}"):
                pass
            print(number, flush=True)
            number += 1
    """
    for number in range(rounds):
        ring = tmp_path / f"{number}.mmap"
        program = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code), str(ring)], stdout=subprocess.PIPE, text=True)
        told = [program.stdout.readline()]
        for _ in range(random.randrange(1000)):
            told.append(program.stdout.readline())
        program.kill()
        told += program.stdout.readlines()
        program.wait()
        last = int([line for line in told if line.endswith("\n")][-1])
        names = drained.names(drained.drain(ring))
        assert len(names) == len(set(names)) and {f"span {n}" for n in range(last + 1)} <= set(names) <= {f"span {n}" for n in range(last + 3)}


def test_a_second_interpreter_is_refused():
    done = programs.run(
        """
        import sys
        import otlp_arrow_library
        import _xxsubinterpreters as interpreters
        other = interpreters.create()
        try:
            interpreters.run_string(other, f"import sys; sys.path[:] = {sys.path!r}; import otlp_arrow_library")
        except interpreters.RunFailedError as error:
            print(error)
        interpreters.destroy(other)
        otlp_arrow_library.OtlpLibrary
        """
    )
    assert "works in the main interpreter alone" in done.stdout and "mod_wsgi" in done.stdout


def test_a_second_copy_is_refused(tmp_path):
    """Reloading the package's Python parts does no harm; a second copy of the native one is refused, the first goes on."""
    done = programs.run(
        """
        import importlib, sys
        import otlp_arrow_library
        from otlp_arrow_library import sdk, telemetry
        provider = sdk.TracerProvider(mmap_file=sys.argv[1])
        importlib.reload(otlp_arrow_library); importlib.reload(sdk); importlib.reload(telemetry)
        kept = sys.modules.pop("otlp_arrow_library._native")
        try:
            import otlp_arrow_library._native
            importlib.import_module("otlp_arrow_library._native")
        except ImportError as error:
            print(error)
        sys.modules["otlp_arrow_library._native"] = kept
        with provider.get_tracer("t").start_as_current_span("goes on") as span:
            print(span.is_recording())
        """,
        tmp_path / "ring.mmap",
    )
    assert "cannot be loaded a second time" in done.stdout and done.stdout.endswith("True\n")
