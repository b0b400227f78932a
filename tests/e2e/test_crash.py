"""kill -9 at random moments, many times over, on one directory: while requests come in, while files are written, while
an earlier death is recovered from. What was acknowledged is stored exactly once, and the ledger says so."""

import os
import random
import subprocess
import time

import pytest

import store
from harness import BINARY, SIGNALS, assert_balanced, environment, inspect, run
from load import Load, assert_nothing_lost

KILLS = int(os.environ.get("OTLP_ARROW_KILLS", "50"))
CHECK_EVERY = 10

# Small files and short intervals, so that a random moment is often one at which something is being written or freed.
FLAGS = ("--max-file-bytes", "48KiB", "--write-interval-secs", "1", "--trace-cleanup-interval-secs", "0", "--metric-cleanup-interval-secs", "0",
         "--log-cleanup-interval-secs", "0")


def kill_a_recovery(directory, moment):
    """Starts `recover` and kills it after so many seconds, unless it was quicker."""
    process = subprocess.Popen([BINARY, "recover", directory], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment())
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()


def kill_a_start(serve, directory, moment):
    server = serve(directory, ready=False)
    time.sleep(moment)
    server.kill()


def recover_and_check(directory, loads):
    result = run("recover", directory)
    assert result.returncode == 0 and "damaged" not in result.stderr, result.stdout + result.stderr
    assert_nothing_lost(directory, loads, SIGNALS)
    found = inspect(directory)
    assert found["damaged"] == [] and found["journals"]["left"] == 0
    assert_balanced(found["ledger"])
    for signal in SIGNALS:
        ledger = found["ledger"][signal]
        assert ledger["stored"] == found["signals"][signal]["rows"] == store.count_rows(directory, signal)
        assert ledger["in_flight"] == 0 and ledger["expired"] == 0
        assert "damaged" not in ledger["invalid"], ledger
    assert list((directory / "journal").iterdir()) == []


@pytest.mark.timeout(60 + 6 * KILLS)
def test_kill_at_any_moment(serve, directory):
    seed = int(os.environ.get("OTLP_ARROW_SEED", random.randrange(1 << 32)))
    print(f"OTLP_ARROW_SEED={seed}")
    source = random.Random(seed)
    loads = []
    for kill in range(1, KILLS + 1):
        acknowledge = "fsync" if kill % 4 == 0 else "journal"
        server = serve(directory, *FLAGS, "--acknowledge", acknowledge, "--workers", source.choice("12"))
        load = Load(server, threads=2, items=source.choice((1, 20, 100)), signals=SIGNALS, padding="x" * source.choice((0, 10, 1000)))
        time.sleep(source.uniform(0.02, 0.6))
        server.kill()
        loads.append(load.stop())
        server.close()
        if kill % 3 == 0:
            for _ in range(source.randrange(1, 4)):
                kill_a_recovery(directory, source.uniform(0.002, 0.04))
        if kill % 5 == 0:
            kill_a_start(serve, directory, source.uniform(0.005, 0.06))
        if kill % CHECK_EVERY == 0:
            recover_and_check(directory, loads)
    recover_and_check(directory, loads)
    print(f"{KILLS} kills, {sum(load.count() for load in loads)} items acknowledged, {sum(len(load.undecided[s]) for load in loads for s in SIGNALS)} undecided")


def test_kill_under_a_full_load_of_large_requests(serve, directory):
    """Enough bytes that journal segments are filled, freed and used again."""
    loads = []
    for seconds in (1.5, 1.0, 0.7):
        server = serve(directory, "--max-file-bytes", "8MiB", "--write-interval-secs", "1")
        load = Load(server, threads=4, items=50, padding="y" * 20_000)
        time.sleep(seconds)
        server.kill()
        loads.append(load.stop())
    recover_and_check(directory, loads)
    print(f"{sum(load.count() for load in loads) * 20 // 1000} MB")
