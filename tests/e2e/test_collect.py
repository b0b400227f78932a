"""`otlp-arrow collect`: what programs left in OTLP-MMAP files is stored, once, whoever dies on the way."""

import collections
import contextlib
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import time

import pytest

import store
from harness import BINARY, Server, environment, run

PRODUCER = BINARY.parents[1] / "tests" / "ring_producer"
KILLS = int(os.environ.get("OTLP_ARROW_RING_KILLS", "12"))
KEEP = ("--trace-cleanup-interval-secs", "0", "--metric-cleanup-interval-secs", "0", "--log-cleanup-interval-secs", "0")


class Producer:
    """A program that records spans until it is stopped, and tells how many."""

    def __init__(self, file, threads=1, spans=0, forks=0):
        self.progress_file = pathlib.Path(f"{file}.progress")
        self.process = subprocess.Popen([PRODUCER, file, self.progress_file, str(threads), str(spans), str(forks)], stdout=subprocess.PIPE, text=True,
                                        start_new_session=True)
        assert self.process.stdout.readline() == "ready\n"

    def recorded(self):
        """Spans by thread: those before are recorded, the next one may be."""
        return struct.unpack("64Q", self.progress_file.read_bytes())

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)
        self.process.stdout.close()

    def wait(self):
        assert self.process.wait(60) == 0
        self.process.stdout.close()


class Collecting:
    def __init__(self, file, directory, *flags, **env):
        self.log_path = pathlib.Path(f"{directory}.log")
        self.log = open(self.log_path, "a+")
        self.log_start = self.log_path.stat().st_size
        self.process = subprocess.Popen([str(c) for c in (BINARY, "collect", "--input", file, "--output-dir", directory, *KEEP, *flags)], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, env=environment(**env))

    def said(self):
        return self.log_path.read_bytes()[self.log_start:].decode()

    def wait_ready(self):
        """Waits until it says what it does: signals are looked for by then."""
        wait_until(lambda: self.said())

    def stop(self):
        self.wait_ready()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.log.close()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait(20)
        self.log.close()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "telemetry.mmap"


@pytest.fixture(autouse=True)
def no_process_is_left(file):
    yield
    subprocess.run(["pkill", "-9", "-f", str(file)], check=False)


def wait_until(holds, timeout=30):
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def collect_once(file, directory, *flags, **env):
    result = run("collect", "--input", file, "--output-dir", directory, "--once", *KEEP, *flags, **env)
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def span_id(thread, n):
    return f"{thread + 1:02x}{n:014x}"


def assert_whole(directory, recorded):
    """Every span that was recorded is there once and whole; at most one more of each thread is, as far as it came."""
    spans = store.table(directory, "traces", ["span_id", "name", "end_time", "attributes", "events"]).to_pylist()
    count = collections.Counter(s["span_id"] for s in spans)
    twice = [i for i, n in count.items() if n > 1]
    assert twice == [], f"{len(twice)} spans are stored twice"
    by_id = {s["span_id"]: s for s in spans}
    expected = 0
    for thread, spans_of_thread in enumerate(recorded):
        for n in range(spans_of_thread):
            span = by_id.pop(span_id(thread, n), None)
            assert span is not None, f"span {n} of thread {thread} is lost; {spans_of_thread} were recorded"
            assert span["name"] == f"span {n}" and span["end_time"] is not None
            attributes = dict(span["attributes"])
            assert attributes == {"number": str(n), "text": "some text"}
            assert [e["name"] for e in span["events"] or []] == (["tenth"] if n % 10 == 0 else [])
            expected += 1
        by_id.pop(span_id(thread, spans_of_thread), None)
    assert by_id == {}
    return expected


def assert_logs_and_counts(directory, recorded):
    """Log records and counts of the spans that were recorded; the next one's may be there too."""
    logs = collections.Counter(store.column(directory, "logs", "span_id"))
    assert set(logs.values()) <= {1}
    measured = collections.Counter()
    if store.count_rows(directory, "metrics"):
        for row in store.table(directory, "metrics", ["metric_name", "value_int", "attributes"]).to_pylist():
            assert row["metric_name"] == "hundreds"
            measured[int(dict(row["attributes"])["number"])] += row["value_int"]
    for thread, spans in enumerate(recorded):
        hundreds = (spans + 99) // 100
        for n in range(0, spans, 100):
            assert logs.pop(span_id(thread, n), 0) == 1, f"the log record of span {n} of thread {thread} is lost"
        more = logs.pop(span_id(thread, spans), 0)
        assert hundreds <= measured[thread] <= hundreds + 1, (thread, spans, measured[thread])
        assert more <= 1
    assert not logs


def test_a_program_that_ended(file, directory):
    producer = Producer(file, threads=2, spans=500)
    collecting = Collecting(file, directory)
    producer.wait()
    wait_until(lambda: "collecting from" in collecting.said())
    assert collecting.stop() == 0, collecting.said()
    assert assert_whole(directory, producer.recorded()) == 1000
    assert_logs_and_counts(directory, producer.recorded())
    assert "collected 1,000 spans" in collecting.said()


def test_once_ends_when_nobody_writes(file, directory):
    producer = Producer(file, spans=300)
    result = collect_once(file, directory)
    producer.wait()
    assert "300 spans" in result.stdout
    assert_whole(directory, producer.recorded())
    assert "0 spans" in collect_once(file, directory).stdout


def test_unfinished_spans_of_a_killed_program(file, directory):
    """`kill -9` of the producer: what its calls had returned from is stored, what was open is marked."""
    producer = Producer(file, threads=2)
    collecting = Collecting(file, directory)
    wait_until(lambda: min(producer.recorded()[:2]) > 2000)
    producer.kill()
    assert collecting.process.poll() is None
    assert collecting.stop() == 0
    collect_once(file, directory)
    assert_whole(directory, producer.recorded())
    assert_logs_and_counts(directory, producer.recorded())


@pytest.mark.timeout(60 + 10 * KILLS)
def test_whoever_is_killed_nothing_is_lost(file, directory):
    """`kill -9` of the collector, of the producers, or of both, again and again on one file."""
    seed = int(os.environ.get("OTLP_ARROW_SEED", random.randrange(1 << 32)))
    print(f"OTLP_ARROW_SEED={seed}")
    source = random.Random(seed)
    producer = Producer(file, threads=2, forks=1)
    for kill in range(KILLS):
        collecting = Collecting(file, directory, "--metric-interval", "0.05", "--write-interval-secs", "1")
        time.sleep(source.uniform(0.02, 0.5))
        victim = source.choice(("collector", "collector", "producer", "both"))
        if victim in ("producer", "both"):
            producer.kill()
        if victim in ("collector", "both") or kill % 3 == 0:
            collecting.kill()
        else:
            assert collecting.stop() == 0, collecting.said()
        if victim in ("producer", "both"):
            skip_the_undecided(producer)
            producer = Producer(file, threads=2, forks=1)
    producer.kill()
    collect_once(file, directory)
    assert_whole_but(directory, producer.recorded())
    assert "left aside" not in pathlib.Path(f"{directory}.log").read_text()
    print(f"{KILLS} kills, {sum(producer.recorded())} spans recorded")


UNDECIDED = collections.defaultdict(set)


def skip_the_undecided(producer):
    """The span at which a producer died may or may not be there: the next one begins behind it."""
    recorded = list(producer.recorded())
    for thread in range(4):
        UNDECIDED[producer.progress_file].add(span_id(thread, recorded[thread]))
        recorded[thread] += 1
    producer.progress_file.write_bytes(struct.pack("64Q", *recorded))


def assert_whole_but(directory, recorded):
    undecided = set().union(*UNDECIDED.values())
    spans = store.column(directory, "traces", "span_id")
    names = collections.Counter(spans)
    assert [i for i, n in names.items() if n > 1] == []
    for thread in range(4):
        for n in range(recorded[thread]):
            i = span_id(thread, n)
            assert i in names or i in undecided, f"span {n} of thread {thread} is lost; {recorded[thread]} were recorded"
    logs = collections.Counter(store.column(directory, "logs", "span_id"))
    assert set(logs.values()) <= {1}, "log records are stored twice"
    for thread in range(4):
        for n in range(0, recorded[thread], 100):
            assert span_id(thread, n) in logs or span_id(thread, n) in undecided, f"the log record of span {n} of thread {thread} is lost"
    measured = collections.Counter()
    for row in store.table(directory, "metrics", ["value_int", "attributes"]).to_pylist():
        measured[int(dict(row["attributes"])["number"])] += row["value_int"]
    for thread in range(4):
        certain = sum(span_id(thread, n) not in undecided for n in range(0, recorded[thread], 100))
        possible = len(range(0, recorded[thread], 100)) + 1
        assert certain <= measured[thread] <= possible, (thread, certain, measured[thread], possible)


def test_to_a_backend(file, directory, serve):
    server = serve(directory)
    producer = Producer(file, spans=200)
    result = run("collect", "--input", file, "--once", "--otlp-endpoint", f"http://{server.grpc}")
    producer.wait()
    assert result.returncode == 0, result.stderr
    server.stop()
    assert_whole(directory, producer.recorded())


def test_the_variables_of_the_specification(file, directory, serve):
    server = serve(directory)
    producer = Producer(file, spans=100)
    producer.wait()
    result = run("collect", "--once", SDK_MMAP_EXPORTER_FILE=file, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{server.grpc}")
    assert result.returncode == 0, result.stderr
    server.stop()
    assert_whole(directory, producer.recorded())


def test_a_backend_that_is_away_gets_it_later(file, directory, serve):
    producer = Producer(file, spans=100)
    producer.wait()
    server = serve(directory)
    address = server.grpc
    server.kill()
    away = subprocess.Popen([str(c) for c in (BINARY, "collect", "--input", file, "--once", "--otlp-endpoint", f"http://{address}", "--timeout", "1")],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(), text=True)
    time.sleep(0.5)
    assert away.poll() is None
    back = Server(directory, "--grpc-address", address)
    output, _ = away.communicate(timeout=60)
    assert away.returncode == 0, output
    back.stop()
    assert_whole(directory, producer.recorded())


def test_a_directory_is_watched(tmp_path, directory):
    folder = tmp_path / "rings"
    folder.mkdir()
    (folder / "notes.txt").write_text("no telemetry in here, whatever its length may be: " + "x" * 100)
    collecting = Collecting(folder, directory)
    producers = [Producer(folder / f"{i}.mmap", spans=50) for i in range(3)]
    for producer in producers:
        producer.wait()
    wait_until(lambda: collecting.said().count("collecting from") == 3)
    assert collecting.stop() == 0
    assert store.count_rows(directory, "traces") == 150
    assert "notes.txt" in collecting.said()


def test_a_file_that_is_not_there_yet(file, directory):
    collecting = Collecting(file, directory)
    wait_until(lambda: "waiting for it" in collecting.said())
    Producer(file, spans=20).wait()
    wait_until(lambda: "collecting from" in collecting.said())
    assert collecting.stop() == 0
    assert store.count_rows(directory, "traces") == 20


@pytest.mark.parametrize("content", [b"", b"x" * 40, b"\x07" + b"\0" * 200, b"\xff" * 4096])
def test_a_file_that_is_none(file, directory, content):
    file.write_bytes(content)
    result = run("collect", "--input", file, "--output-dir", directory, "--once")
    assert result.returncode == 1
    assert str(file) in result.stderr


def test_wrong_use_is_explained(file, directory):
    assert "--input" in run("collect").stderr
    both = run("collect", "--input", file, "--output-dir", directory, "--otlp-endpoint", "http://127.0.0.1:4317")
    assert both.returncode == 2 and "exclude each other" in both.stderr
    bad = run("collect", "--input", file, OTEL_EXPORTER_OTLP_ENDPOINT="ftp://x")
    assert bad.returncode == 2 and "OTEL_EXPORTER_OTLP_ENDPOINT" in bad.stderr and "ftp" in bad.stderr


def test_a_second_collector_is_refused(file, directory):
    producer = Producer(file, spans=10)
    collecting = Collecting(file, directory)
    wait_until(lambda: "collecting from" in collecting.said())
    second = run("collect", "--input", file, "--output-dir", directory, "--once")
    assert second.returncode == 1 and str(file) in second.stderr
    producer.wait()
    assert collecting.stop() == 0


def test_idling_costs_next_to_nothing(file, directory):
    producer = Producer(file, spans=10)
    producer.wait()
    collecting = Collecting(file, directory)
    wait_until(lambda: "collecting from" in collecting.said())
    time.sleep(1)

    def ticks():
        fields = pathlib.Path(f"/proc/{collecting.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    time.sleep(3)
    assert ticks() - before <= 0.05 * 3 * os.sysconf("SC_CLK_TCK"), "more than 5 % of a core while idle"
    assert collecting.stop() == 0


def test_inspecting_a_ring_file(file, directory):
    producer = Producer(file, threads=1, spans=101)
    producer.wait()
    text = run("inspect", file, "--records", "2")
    assert text.returncode == 0, text.stderr
    assert "0 writers alive" in text.stdout and "no collector is reading" in text.stdout
    assert 'start 01000000000000000000000000000064/0100000000000064 "span 100"' in text.stdout and 'number=100 text="some text"' in text.stdout
    for entry in ('resource service.name="producer"', 'scope "ring_producer"', 'sum "hundreds"', '"tenth"'):
        assert entry in text.stdout, text.stdout
    found = json.loads(run("inspect", file, "--json", "--records", "1000").stdout)
    assert found["rings"]["spans"]["waiting"] == 202 == sum(r["ring"] == "spans" for r in found["records"])
    collect_once(file, directory)
    assert json.loads(run("inspect", file, "--json").stdout)["rings"]["spans"]["waiting"] == 0
    file.write_bytes(file.read_bytes()[:300])
    damaged = run("inspect", file)
    assert damaged.returncode == 1 and str(file) in damaged.stderr


def test_inspecting_beside_a_writer_and_a_collector(file, directory):
    producer = Producer(file, threads=2)
    collecting = Collecting(file, directory)
    wait_until(lambda: "collecting from" in collecting.said())
    for _ in range(20):
        found = run("inspect", file, "--json")
        assert found.returncode == 0, found.stderr
        state = json.loads(found.stdout)
        assert state["live_writers"] == [1] and state["has_consumer"]
    producer.kill()
    assert collecting.stop() == 0


# --- rings below a store's directory


@pytest.fixture
def ring(tmp_path):
    """Where a program that records into the directory has its ring."""
    ring = tmp_path / "telemetry" / "rings" / "0123456789ab.ring"
    ring.parent.mkdir(parents=True)
    return ring


@pytest.fixture
def producer(ring):
    producer = Producer(ring)
    yield producer
    if producer.process.returncode is None:
        producer.kill()


def rings_left(ring):
    return [path.name for path in ring.parent.iterdir() if not path.name.endswith(".progress")]


def test_recover_takes_over_the_ring_of_a_killed_program_once(ring, producer):
    directory = ring.parents[1]
    wait_until(lambda: sum(producer.recorded()) >= 500)
    alive = run("recover", directory)
    assert alive.returncode == 0 and f"left alone, its program is at work: {ring}" in alive.stdout, alive.stdout + alive.stderr
    producer.kill()
    recovered = run("recover", directory)
    assert recovered.returncode == 0 and "1 ring adopted" in recovered.stdout, recovered.stdout + recovered.stderr
    assert assert_whole(directory, producer.recorded()) >= 500
    assert rings_left(ring) == []
    again = run("recover", directory)
    assert again.returncode == 0 and "ring" not in again.stdout
    assert_whole(directory, producer.recorded())


def test_a_service_takes_over_rings_in_its_directory(ring, producer):
    directory = ring.parents[1]
    wait_until(lambda: sum(producer.recorded()) >= 500)
    with contextlib.closing(Server(directory, *KEEP)) as server:
        assert rings_left(ring) != []
        producer.kill()
        wait_until(lambda: rings_left(ring) == [])
        server.stop()
    assert assert_whole(directory, producer.recorded()) >= 500


def test_a_damaged_ring_is_told_of(ring):
    ring.write_bytes(b"x" * 4096)
    result = run("recover", ring.parents[1])
    assert result.returncode == 1
    assert f"damaged: {ring}: " in result.stderr
    assert ring.exists()
