"""A disk that fills up, on a real small file system: senders are told to try again, nothing acknowledged is lost, and
the server goes on by itself when there is room again."""

import os
import shutil
import subprocess
import time

import grpc
import pytest

import otlp
import store
from harness import SIGNALS, assert_balanced, inspect, run, wait_for
from load import Load, assert_nothing_lost


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 16 MiB. Servers on it must have ended when the test does."""
    mount_point = tmp_path / "disk"
    mount_point.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", mount_point], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting a file system is not permitted here: {mounted.stderr.strip()}")
    yield mount_point
    subprocess.run(["umount", "-l", mount_point], check=True)


def free(path):
    return shutil.disk_usage(path).free


def fill(path, leave=0):
    """A file that takes all the room but `leave` bytes."""
    with open(path, "wb", buffering=0) as file:
        try:
            while (room := free(path.parent) - leave) > 0:
                file.write(b"\xaa" * min(room, 1 << 16))
        except OSError:
            pass


def random_text():
    return os.urandom(500).hex()  # compresses to no less than half


def assert_all_is_there(directory, loads):
    assert_nothing_lost(directory, loads)
    found = inspect(directory)
    assert_balanced(found["ledger"])
    assert found["damaged"] == []
    assert found["ledger"]["traces"]["stored"] == found["signals"]["traces"]["rows"] == store.count_rows(directory, "traces")
    return found["ledger"]["traces"]


KEEP = ("--trace-cleanup-interval-secs", "0")


def test_a_full_disk_refuses_and_recovers_by_itself(serve, small_disk):
    ballast, directory = small_disk / "ballast", small_disk / "telemetry"
    fill(ballast, leave=8 << 20)
    server = serve(directory, *KEEP, "--write-interval-secs", "1", "--max-file-bytes", "1MiB")
    load = Load(server, threads=4, items=20, padding=random_text)
    wait_for(lambda: {"UNAVAILABLE", 503} & load.refusals.keys() or {"RESOURCE_EXHAUSTED", 429} & load.refusals.keys(), timeout=30, what="a refusal")
    status, text = wait_for(lambda: (answer := server.get("/readyz"))[0] == 503 and answer, what="/readyz to say no")
    print(text)
    assert "space" in text and str(directory) in text
    wait_for(lambda: load.refusals.keys() >= {503} and load.refusals.keys() & {"UNAVAILABLE", "RESOURCE_EXHAUSTED"}, what="refusals on both ways")
    assert server.alive() and server.get("/healthz")[0] == 200
    refused_before = sum(load.refusals.values())
    wait_for(lambda: sum(load.refusals.values()) > refused_before + 50, what="more refusals")

    acknowledged = load.count()
    ballast.unlink()
    load.wait_for(acknowledged + 500, timeout=10)  # nobody had to do anything else
    load.stop()
    wait_for(lambda: server.get("/readyz")[0] == 200, what="/readyz to say yes")
    assert_balanced(server.ledger())
    assert sum(server.ledger()["traces"]["refused"].values()) == len(load.refused["traces"])
    server.stop()
    ledger = assert_all_is_there(directory, [load])
    assert ledger["in_flight"] == 0 and ledger["refused"].keys() == {"disk"}


def test_a_disk_filled_by_others_to_the_last_byte(serve, small_disk):
    """The room that the server keeps for writing out its journal is taken away too: files cannot be written."""
    ballast, directory = small_disk / "ballast", small_disk / "telemetry"
    server = serve(directory, *KEEP, "--write-interval-secs", "1", "--max-file-bytes", "256KiB")
    load = Load(server, threads=2, items=20, padding=random_text, pause=0.005)
    load.wait_for(1000)
    fill(ballast)
    wait_for(lambda: server.get("/readyz")[0] == 503, what="/readyz to say no")
    deadline = time.monotonic() + 2.5  # some rounds of trying in vain
    while time.monotonic() < deadline:
        fill(small_disk / "more")
        assert server.get("/readyz")[0] == 503
        assert_balanced(server.ledger())
        time.sleep(0.05)
    assert server.alive()
    acknowledged = load.count()
    (small_disk / "more").unlink()
    ballast.unlink()
    load.wait_for(acknowledged + 200, timeout=15)
    load.stop()
    server.stop()
    assert assert_all_is_there(directory, [load])["in_flight"] == 0


def test_the_end_on_a_full_disk_keeps_the_journal(serve, small_disk):
    ballast, directory = small_disk / "ballast", small_disk / "telemetry"
    server = serve(directory, *KEEP, "--write-interval-secs", "3600", "--shutdown-timeout-secs", "2")
    load = Load(server, threads=2, items=20, padding=random_text)
    load.wait_for(1000)
    load.stop()
    fill(ballast)
    log = server.stop(code=1)
    assert "items are not in files yet" in log and "otlp-arrow recover" in log
    result = run("recover", directory)  # the disk is still full
    assert result.returncode == 1 and "space" in result.stderr.lower()
    ballast.unlink()
    assert run("recover", directory).returncode == 0
    assert_all_is_there(directory, [load])


def test_death_on_a_full_disk(serve, small_disk):
    ballast, directory = small_disk / "ballast", small_disk / "telemetry"
    fill(ballast, leave=6 << 20)
    server = serve(directory, *KEEP, "--write-interval-secs", "1", "--max-file-bytes", "512KiB")
    load = Load(server, threads=2, items=20, padding=random_text)
    wait_for(lambda: sum(load.refusals.values()) > 20, timeout=30, what="refusals")
    server.kill()
    load.stop()
    # The room that was kept suffices to write out the journal on the disk as it is.
    result = run("recover", directory)
    assert result.returncode == 0, result.stderr
    assert_all_is_there(directory, [load])
    restarted = serve(directory, *KEEP)
    restarted.stop()
    ballast.unlink()


def test_a_full_disk_does_not_hinder_the_start_that_frees_it(serve, small_disk):
    """Retention of a server that starts on a full disk makes room, and then it takes data."""
    directory = small_disk / "telemetry"
    server = serve(directory, *KEEP, "--write-interval-secs", "1", "--max-file-bytes", "1MiB")
    load = Load(server, threads=4, items=50, padding=random_text)
    wait_for(lambda: sum(load.refusals.values()) > 5, timeout=40, what="refusals")
    load.stop()
    server.stop()
    assert_all_is_there(directory, [load])
    server = serve(directory, "--max-total-bytes", "4MiB", ready=False)
    wait_for(lambda: server._find_addresses(), what="the start")
    wait_for(lambda: server.get("/readyz")[0] == 200, what="/readyz to say yes")
    with otlp.GrpcSender(server.grpc) as sender:

        def taken():
            try:
                sender.export("logs", otlp.request("logs", 10))
                return True
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.UNAVAILABLE, error
                return False

        wait_for(taken, every=0.1, what="room")
    server.stop()
    assert store.count_rows(directory, "logs") == 10
    found = inspect(directory)
    assert_balanced(found["ledger"])
    for name in SIGNALS:
        assert found["ledger"][name]["stored"] == found["signals"][name]["rows"]
