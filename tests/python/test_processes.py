"""Forks, servers that fork, programs that end in every way, signals, gevent."""

import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

import programs
import stored
from otlp_arrow_library import OtlpLibrary

# Every program begins with this. Files are written at flush and at the end alone.
BEGIN = """
import os, sys, threading, time
import otlp_arrow_library, stored
directory = sys.argv[1]
library = otlp_arrow_library.OtlpLibrary(output_dir=directory, write_interval_secs=3600)
def record(*names):
    library.export_otlp("traces", stored.trace_request(*names))
"""


def run(code: str, directory, **options):
    begin = BEGIN.replace("3600)", f"3600, {options.pop('settings')})") if "settings" in options else BEGIN
    return programs.run(begin + code, directory, **options)


# --- the end of the interpreter, without a shutdown ---


@pytest.mark.parametrize(
    "end, code",
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise SystemExit(4)", 4),
        ("import atexit; atexit.register(record, 'at exit')", 0),
        ("import signal; signal.raise_signal(signal.SIGINT)", -signal.SIGINT),
        ("class Holder: pass\nh = Holder(); h.self = h; h.library = library; del library", 0),
        ("sys.modules['kept'] = library", 0),
    ],
)
def test_what_was_recorded_is_written_at_the_end(directory, end, code):
    done = run(f"record('a', 'b')\n{end}", directory, check=False)
    assert done.returncode == code, done.stderr
    expected = ["a", "at exit", "b"] if "at exit" in end else ["a", "b"]
    assert stored.names(directory) == expected
    assert stored.writers(directory) == 0
    assert "leak" not in done.stderr


def test_the_sdks_provider_may_flush_at_the_very_end(directory):
    """Its exit function runs late where the provider was made before this package was imported."""
    programs.run(
        """
        import sys
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        provider = TracerProvider()
        import otlp_arrow_library
        library = otlp_arrow_library.OtlpLibrary(output_dir=sys.argv[1], write_interval_secs=3600)
        provider.add_span_processor(BatchSpanProcessor(library.span_exporter(), schedule_delay_millis=3_600_000))
        with provider.get_tracer("test").start_as_current_span("batched"):
            pass
        """,
        directory,
    )
    assert stored.names(directory) == ["batched"]


def test_the_end_comes_while_a_daemon_thread_records(directory):
    done = run(
        """
begun = threading.Event()
def work():
    i = 0
    while True:
        record(f"daemon-{i}")
        i += 1
        if i == 20: begun.set()
for _ in range(4): threading.Thread(target=work, daemon=True).start()
begun.wait()
""",
        directory,
    )
    assert done.stderr == ""
    assert len(stored.names(directory)) >= 20
    assert stored.writers(directory) == 0


def test_a_disk_that_refuses_keeps_no_program_from_ending(directory):
    begin = time.monotonic()
    done = run("record('kept')\nstored.break_store(directory)", directory, settings="shutdown_timeout_secs=1", timeout=30)
    assert time.monotonic() - begin < 20
    assert "journal" in done.stderr
    stored.mend_store(directory)
    OtlpLibrary(output_dir=directory).shutdown()
    assert stored.names(directory) == ["kept"]


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)", "import ctypes; ctypes.string_at(0)"])
def test_a_sudden_end_loses_nothing(directory, end):
    run(f"record('a', 'b')\n{end}", directory, check=False)
    assert stored.names(directory) == []
    OtlpLibrary(output_dir=directory).shutdown()
    assert stored.names(directory) == ["a", "b"]


# --- Ctrl-C ---


@pytest.mark.parametrize(
    "blocks",
    [
        "library.flush(60)",
        "library.shutdown(60)",
        "library.export_otlp('traces', stored.trace_request('no room', padding=60_000))",
    ],
)
def test_ctrl_c_ends_a_call_that_blocks(directory, blocks):
    run(
        f"""
import _thread, signal
record("kept")
stored.break_store(directory)
try:
    library.flush(0.05)
except otlp_arrow_library.OtlpError:
    pass
record(*("kept" for _ in range(1000)))  # more than memory_budget
blocked = threading.Timer(0.3, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
blocked.start()
begin = time.monotonic()
try:
    {blocks}
    sys.exit("it did not block")
except KeyboardInterrupt:
    took = time.monotonic() - begin
assert 0.2 < took < 10, took
stored.mend_store(directory)
""",
        directory,
        settings="memory_budget=1024, admission_timeout_ms=60000",
    )
    assert stored.names(directory).count("kept") == 1001


# --- forks ---


def test_parent_and_child_record_both(directory):
    run(
        """
record("before")
child = os.fork()
record("child" if child == 0 else "parent")
if child == 0:
    assert library.stats().traces.received == 1
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
library.flush()
record("after")
""",
        directory,
    )
    assert stored.names(directory) == ["after", "before", "child", "parent"]
    assert stored.writers(directory) == 0


def test_a_fork_before_the_first_use(directory):
    run(
        """
children = [os.fork() for _ in range(1)]
record("parent" if children[0] else "child")
if children[0]: assert os.waitpid(children[0], 0)[1] == 0
""",
        directory,
    )
    assert stored.names(directory) == ["child", "parent"]


def test_a_fork_of_a_program_with_a_batch_processor(directory):
    """What the SDK had gathered at the fork is the parent's; both flush at their end."""
    run(
        """
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(library.span_exporter(), schedule_delay_millis=3_600_000))
tracer = provider.get_tracer("test")
tracer.start_span("before").end()
child = os.fork()
tracer.start_span("parent" if child else "child").end()
if child: assert os.waitpid(child, 0)[1] == 0
""",
        directory,
    )
    assert stored.names(directory) == ["before", "child", "parent"]
    assert stored.writers(directory) == 0


def test_a_fork_while_threads_record(directory):
    """Whatever the threads are at when the fork comes, nobody hangs."""
    run(
        """
stop = threading.Event()
sent = []
def work(thread):
    i = 0
    while not stop.is_set():
        record(f"thread-{thread}-{i}")
        sent.append(f"thread-{thread}-{i}")
        i += 1
threads = [threading.Thread(target=work, args=(t,)) for t in range(3)]
for t in threads: t.start()
for c in range(15):
    pid = os.fork()
    if pid == 0:
        record(f"child-{c}")
        if c % 3 == 0: library.flush()
        if c % 3 == 1: library.shutdown()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for t in threads: t.join()
library.shutdown()
wanted = sorted(sent + [f"child-{c}" for c in range(15)])
assert stored.names(directory) == wanted
""",
        directory,
        settings="max_file_bytes=65536",
    )
    assert stored.writers(directory) == 0


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(tmp_path, directory, method):
    program = tmp_path / "program.py"
    program.write_text(
        BEGIN
        + f"""
import multiprocessing
def work(number):
    record(f"child-{{number:02}}")
    return os.getpid()
if __name__ == "__main__":
    record("parent")
    with multiprocessing.get_context("{method}").Pool(4) as pool:
        assert os.getpid() not in pool.map(work, range(40), chunksize=1)
        pool.close()
        pool.join()
    record("parent, later")
"""
    )
    done = subprocess.run([sys.executable, program, directory], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    OtlpLibrary(output_dir=directory).shutdown()  # adopts what spawned children left
    assert stored.names(directory) == sorted(["parent", "parent, later", *(f"child-{i:02}" for i in range(40))])
    assert stored.writers(directory) == 0


def test_what_forked_children_left_is_written_by_the_parents_end(directory):
    run(
        """
import multiprocessing
context = multiprocessing.get_context("fork")
children = [context.Process(target=record, args=(f"child-{i}",)) for i in range(5)]
for child in children: child.start()
for child in children: child.join()
assert [child.exitcode for child in children] == [0] * 5
""",
        directory,
    )
    assert stored.names(directory) == [f"child-{i}" for i in range(5)]
    assert stored.writers(directory) == 0


def test_programs_that_are_started_are_not_kept_from_their_work(directory):
    """subprocess forks too, on some ways."""
    run(
        """
import subprocess
record("a")
for _ in range(3):
    assert subprocess.run(["true"], preexec_fn=lambda: None, close_fds=False).returncode == 0
    assert subprocess.run(["true"]).returncode == 0
record("b")
""",
        directory,
    )
    assert stored.names(directory) == ["a", "b"]


# --- servers ---

APPLICATION = """
import os, sys
sys.path[:0] = os.environ["PYTHONPATH"].split(os.pathsep)
import otlp_arrow_library, stored
library = otlp_arrow_library.OtlpLibrary(output_dir=os.environ["DIRECTORY"], write_interval_secs=3600)
library.export_otlp("traces", stored.trace_request(f"start {os.getpid()}"))
def application(environ, start_response):
    name = environ["PATH_INFO"][1:]
    library.export_otlp("traces", stored.trace_request(name))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""


def start_gunicorn(tmp_path, directory, *arguments):
    (tmp_path / "application.py").write_text(APPLICATION)
    log = tmp_path / "gunicorn.log"
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", *arguments, "application:application"],
        cwd=tmp_path, env={**os.environ, "DIRECTORY": str(directory)}, stdout=subprocess.DEVNULL, stderr=log.open("wb"),
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while "Listening at: " not in (text := log.read_text()):
        assert server.poll() is None and time.monotonic() < deadline, text
        time.sleep(0.02)
    return server, text.split("Listening at: ")[1].split()[0], log


@pytest.mark.parametrize("arguments", [[], ["--preload"], ["--worker-class", "gthread", "--threads", "4"], ["--preload", "--worker-class", "gevent"]])
def test_gunicorn(tmp_path, directory, arguments):
    server, url, log = start_gunicorn(tmp_path, directory, *arguments)
    wanted, pids = [], set()
    try:
        deadline = time.monotonic() + 60
        while len(wanted) < 60 or len(pids) < 2:
            assert time.monotonic() < deadline, (pids, log.read_text())
            name = f"request-{len(wanted):05}"
            with urllib.request.urlopen(f"{url}/{name}", timeout=30) as response:
                pids.add(int(response.read()))
            wanted.append(name)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0, log.read_text()
    names = stored.names(directory)
    assert [name for name in names if not name.startswith("start ")] == wanted
    starts = {int(name.split()[1]) for name in names if name.startswith("start ")}
    assert starts == ({server.pid} if "--preload" in arguments else pids)
    assert stored.writers(directory) == 0
    assert "Traceback" not in log.read_text()


def test_gevent(directory):
    programs.run(
        "from gevent import monkey; monkey.patch_all()\nimport gevent, gevent.pool"
        + BEGIN
        + """
def work(i):
    record(f"greenlet-{i:02}")
    gevent.sleep(0)
    record(f"greenlet-{i:02}, later")
gevent.joinall([gevent.spawn(work, i) for i in range(50)], raise_error=True)
gevent.get_hub().threadpool.apply(record, ("thread pool",))
threading.Thread(target=record, args=("patched thread",)).start()
pid = os.fork()
if pid == 0:
    gevent.spawn(record, "child").join()
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
library.flush()
""",
        directory,
    )
    greenlets = [f"greenlet-{i:02}{later}" for i in range(50) for later in ("", ", later")]
    assert stored.names(directory) == sorted([*greenlets, "thread pool", "patched thread", "child"])
