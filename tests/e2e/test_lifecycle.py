"""Start, work, end: nothing that was acknowledged gets lost on the way, and files come and go when they should."""

import collections
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import pytest

import otlp
import store
from harness import BINARY, SIGNALS, assert_balanced, environment, inspect, run, wait_for
from load import Load, assert_nothing_lost


def assert_stored_is_counted(directory):
    """The directory's ledger balances and tells what the files hold; returns it."""
    found = inspect(directory)
    assert_balanced(found["ledger"])
    for name in SIGNALS:
        assert found["ledger"][name]["stored"] == found["signals"][name]["rows"] == store.count_rows(directory, name)
    assert found["damaged"] == []
    return found["ledger"]


# --- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("acknowledge", ["memory", "journal", "fsync"])
def test_an_orderly_end_under_load_loses_nothing(serve, directory, number, acknowledge):
    server = serve(directory, "--acknowledge", acknowledge, "--max-file-bytes", "256k")
    load = Load(server, threads=4, signals=SIGNALS)
    load.wait_for(2000)
    server.stop(number)
    load.stop()
    assert_nothing_lost(directory, [load], SIGNALS)
    ledger = assert_stored_is_counted(directory)
    assert all(ledger[s]["in_flight"] == 0 for s in SIGNALS)
    assert list((directory / "journal").iterdir()) == []


def test_a_second_signal_ends_at_once_and_recover_finds_the_rest(serve, directory):
    server = serve(directory, "--write-interval-secs", "3600")
    with otlp.GrpcSender(server.grpc) as sender:
        for i in range(20):
            sender.export("traces", otlp.request("traces", 1000, first=i * 1000 + 1))
    server.process.send_signal(signal.SIGTERM)
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(5)
    assert run("recover", directory).returncode == 0
    assert sorted(store.column(directory, "traces", "span_id")) == [otlp.span_hex(n) for n in range(1, 20_001)]
    assert_stored_is_counted(directory)


def test_an_idle_server_ends_quickly(serve, directory):
    server = serve(directory)
    with otlp.GrpcSender(server.grpc) as by_grpc, otlp.HttpSender(server.http) as by_http:  # connections left open
        by_grpc.export("traces", otlp.request("traces", 1))
        by_http.export("traces", otlp.request("traces", 1))
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 3


# --- while it runs ----------------------------------------------------------------------------------------------------


def test_files_appear_by_themselves(serve, directory):
    server = serve(directory, "--write-interval-secs", "1")
    with otlp.GrpcSender(server.grpc) as sender:
        for round_number in range(2):
            for name in SIGNALS:
                sender.export(name, otlp.request(name, 10))
            start = time.monotonic()
            for name in SIGNALS:
                wait_for(lambda: store.count_rows(directory, name) == 10 * (round_number + 1), timeout=2.5, what=f"a file of {name}")
            print(f"readable after {time.monotonic() - start:.2f} s")
    assert server.ledger()["traces"] == {"received": 20, "stored": 20, "relayed": 0, "in_flight": 0, "expired": 0, "refused": {}, "invalid": {}}
    assert inspect(directory)["ledger"]["traces"]["stored"] == 20
    server.stop()


def test_every_file_that_can_be_seen_is_whole(serve, directory):
    """A reader that opens files all the time, while they are written."""
    server = serve(directory, "--max-file-bytes", "32k", "--write-interval-secs", "1")
    load = Load(server)
    opened, deadline = set(), time.monotonic() + 2
    while time.monotonic() < deadline:
        for path in store.files(directory, "traces"):
            if path not in opened:
                assert store.pyarrow.ipc.open_file(path).read_all().num_rows > 0
                opened.add(path)
    load.stop()
    server.stop()
    assert len(opened) > 10
    assert_nothing_lost(directory, [load])


def test_the_ledger_balances_at_every_moment(serve, directory):
    server = serve(directory, "--max-file-bytes", "16k", "--write-interval-secs", "1")
    load = Load(server, threads=4, items=5, signals=SIGNALS)
    for _ in range(300):
        assert_balanced(server.ledger())
    load.stop()
    server.stop()
    assert_stored_is_counted(directory)


# --- retention --------------------------------------------------------------------------------------------------------


def test_files_that_are_too_old_go(serve, directory):
    server = serve(directory, "--write-interval-secs", "1", "--trace-cleanup-interval-secs", "2", "--log-cleanup-interval-secs", "0")
    with otlp.GrpcSender(server.grpc) as sender:
        sender.export("traces", otlp.request("traces", 7))
        sender.export("logs", otlp.request("logs", 3))
    start = time.monotonic()
    wait_for(lambda: store.files(directory, "traces"), what="a file of traces")
    wait_for(lambda: not store.files(directory, "traces"), what="the end of the file of traces")
    assert 1.5 < time.monotonic() - start < 7
    assert server.ledger()["traces"] == {"received": 7, "stored": 0, "relayed": 0, "in_flight": 0, "expired": 7, "refused": {}, "invalid": {}}
    # The directory says so too, with no further write: `inspect` looks at it while the server runs.
    wait_for(lambda: inspect(directory)["ledger"]["traces"]["expired"] == 7, timeout=3, what="the ledger file to tell of the expiry")
    server.kill()
    assert run("recover", directory).returncode == 0
    ledger = assert_stored_is_counted(directory)
    assert ledger["traces"]["expired"] == 7 and ledger["logs"]["stored"] == 3


def test_files_that_a_dead_writer_left_grow_old_too(serve, directory):
    server = serve(directory, "--trace-cleanup-interval-secs", "1")
    with otlp.GrpcSender(server.grpc) as sender:
        sender.export("traces", otlp.request("traces", 7))
    server.stop()
    server = serve(directory, "--trace-cleanup-interval-secs", "1")
    wait_for(lambda: not store.files(directory, "traces"), what="the end of the file")
    server.stop()
    assert assert_stored_is_counted(directory)["traces"]["expired"] == 7


def test_the_oldest_files_go_when_there_is_too_much(serve, directory):
    limit = 200_000
    server = serve(directory, "--write-interval-secs", "1", "--max-file-bytes", "64KiB", "--max-total-bytes", limit, "--compression", "none",
                   "--trace-cleanup-interval-secs", "1000")

    def size():
        """Of all files; one may go while it is looked at."""
        total = 0
        for file in store.files(directory, "traces"):
            with contextlib.suppress(FileNotFoundError):
                total += pathlib.Path(file).stat().st_size
        return total

    load = Load(server, threads=1, padding="x" * 300)
    load.wait_for(5000)
    load.stop()
    wait_for(lambda: server.ledger()["traces"]["in_flight"] == 0, what="the last file")
    wait_for(lambda: size() <= limit, timeout=15, what="a total below the limit")
    server.stop()
    ledger = assert_stored_is_counted(directory)["traces"]
    assert ledger["expired"] > 0 and ledger["stored"] > 0
    assert ledger["stored"] + ledger["expired"] == len(load.acknowledged["traces"])
    # What is left is the newest.
    left = {int(i, 16) for i in store.column(directory, "traces", "span_id")}
    last_second = {n for n in load.acknowledged["traces"][-100:]}
    assert last_second <= left


# --- several processes ------------------------------------------------------------------------------------------------


def test_several_processes_share_a_directory_and_one_dies(serve, directory):
    servers = [serve(directory, "--max-file-bytes", "128k", "--write-interval-secs", "2") for _ in range(3)]
    loads = [Load(s, threads=1) for s in servers]
    for load in loads:
        load.wait_for(1000)
    servers[1].kill()
    # The next one to start adopts the dead one's journal, and leaves those of the living alone.
    newcomer = serve(directory)
    assert inspect(directory)["journals"]["left"] == 0
    for load in loads:
        load.stop()
    for server in (servers[0], servers[2], newcomer):
        server.stop()
    assert_nothing_lost(directory, loads)
    assert_stored_is_counted(directory)


def test_a_journal_is_adopted_once_whoever_tries(serve, directory):
    """Recoveries and starts at the same time."""
    expected = []
    for round_number in range(3):
        server = serve(directory, "--write-interval-secs", "3600")
        with otlp.GrpcSender(server.grpc) as sender:
            for _ in range(10):
                numbers = [next(otlp.unique_numbers) for _ in range(500)]
                sender.export("traces", otlp.traces([otlp.span(n) for n in numbers]))
                expected += map(otlp.span_hex, numbers)
        server.kill()
        recoveries = [subprocess.Popen([BINARY, "recover", directory], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()) for _ in range(4)]
        starts = [serve(directory) for _ in range(2)]
        for recovery in recoveries:
            output = recovery.communicate(timeout=30)[0]
            assert recovery.returncode == 0, output
        for server in starts:
            server.stop()
        assert collections.Counter(store.column(directory, "traces", "span_id")) == collections.Counter(expected)
    assert_stored_is_counted(directory)


def test_many_starts_and_ends_at_once(serve, directory):
    """Servers that come and go on one directory never take each other for dead."""
    for _ in range(4):
        servers = [serve(directory, "--workers", "2", ready=False) for _ in range(6)]
        for server in servers:
            server.wait_ready()
        enders = [threading.Thread(target=server.process.send_signal, args=(signal.SIGTERM,)) for server in servers]
        for ender in enders:
            ender.start()
        for server in servers:
            assert server.process.wait(20) == 0, server.log()
    assert list((directory / "journal").iterdir()) == []


def test_deaths_during_the_start_leave_nothing_behind(serve, directory):
    survivor = serve(directory)
    for i in range(60):
        server = serve(directory, ready=False)
        time.sleep(0.004 + 0.0002 * i)
        server.kill()
        server.close()
    assert run("recover", directory).returncode == 0
    assert inspect(directory)["journals"]["left"] == 0
    survivor.stop()
    assert list((directory / "journal").iterdir()) == []


def test_a_writer_directory_that_was_never_finished_is_cleared_away(directory):
    """The state that a death between two steps of the start leaves, of which the test above finds one now and then."""
    (directory / "journal" / ".0123456789ab").mkdir(parents=True)
    (directory / "journal" / ".0123456789ac").mkdir()
    (directory / "journal" / ".0123456789ac" / "lock").touch()
    assert inspect(directory)["journals"] == {"live": 0, "left": 0, "left_items": 0}
    assert run("recover", directory).returncode == 0
    assert list((directory / "journal").iterdir()) == []


# --- the start --------------------------------------------------------------------------------------------------------


def test_start_on_an_empty_directory_is_quick(serve, tmp_path):
    times = []
    for i in range(5):
        server = serve(tmp_path / f"d{i}", ready=False)
        times.append(server.wait_ready())
        server.stop()
    print("seconds to readiness:", *(f"{t:.3f}" for t in sorted(times)))
    assert min(times) < 2


def assert_refuses_to_start(directory, *words, code=1):
    start = time.monotonic()
    result = run("serve", "--output-dir", directory, "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0",
                 "--flight-address", "127.0.0.1:0", timeout=20)
    assert result.returncode == code, result.stderr
    assert time.monotonic() - start < 5
    for word in words:
        assert str(word) in result.stderr, result.stderr
    return result.stderr


def test_a_read_only_directory_is_named(tmp_path):
    mount_point = tmp_path / "read-only"
    mount_point.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", mount_point], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting is not permitted here: {mounted.stderr.strip()}")
    try:
        assert_refuses_to_start(mount_point / "telemetry", mount_point, "Read-only file system")
        assert_refuses_to_start(mount_point, mount_point, "Read-only file system")
    finally:
        subprocess.run(["umount", "-l", mount_point], check=True)


def test_an_unusable_path_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert_refuses_to_start(tmp_path / "file" / "telemetry", tmp_path / "file", "Not a directory")
    assert_refuses_to_start(tmp_path / "file", tmp_path / "file")
    assert_refuses_to_start("/proc/no/such/place", "/proc/no")


def test_a_directory_without_rights_is_named(tmp_path):
    """As a user without rights, for root may write anywhere."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    place = pathlib.Path("/tmp") / f"otlp-arrow-e2e-{os.getpid()}"
    place.mkdir(mode=0o755)
    try:
        command = [BINARY, "serve", "--output-dir", place / "telemetry", "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0",
                   "--flight-address", "127.0.0.1:0"]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=20, env=environment(), user=65534, group=65534, extra_groups=[], cwd="/")
        except PermissionError:
            pytest.skip("another user cannot run the program where it stands")
        assert result.returncode == 1 and str(place) in result.stderr and "Permission denied" in result.stderr
    finally:
        place.rmdir()


@pytest.mark.parametrize("which", ["grpc", "http"])
def test_a_port_in_use_is_named(directory, which):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        other = "http" if which == "grpc" else "grpc"
        result = run("serve", "--output-dir", directory, f"--{which}-address", address, f"--{other}-address", "127.0.0.1:0", timeout=20)
    assert result.returncode == 1
    assert f"{which}.address" in result.stderr and address in result.stderr and "Address already in use" in result.stderr
    assert list((directory / "journal").iterdir()) == []


# --- settings that change how data get to the files ---------------------------------------------------------------------


@pytest.mark.parametrize("acknowledge", ["memory", "journal", "fsync"])
@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_every_way_of_writing(serve, directory, acknowledge, compression):
    server = serve(directory, "--acknowledge", acknowledge, "--compression", compression)
    with otlp.GrpcSender(server.grpc) as sender:
        for i in range(10):
            for name in SIGNALS:
                sender.export(name, otlp.request(name, 100, first=i * 100 + 1))
    server.stop()
    for name, read in store.READERS.items():
        assert sorted(r["span_id"] for r in read(directory, "traces")) == [otlp.span_hex(n) for n in range(1, 1001)], name
        assert sorted(r["value_int"] for r in read(directory, "metrics")) == list(range(1, 1001)), name
        assert sorted(r["body"] for r in read(directory, "logs")) == sorted(f"line {n}" for n in range(1, 1001)), name
    assert_stored_is_counted(directory)


def test_compression_makes_smaller_files(serve, tmp_path):
    sizes = {}
    for compression in ("none", "lz4", "zstd"):
        server = serve(tmp_path / compression, "--compression", compression)
        with otlp.GrpcSender(server.grpc) as sender:
            sender.export("traces", otlp.traces([otlp.span(n, attributes={"http.url": f"https://example.com/items/{n % 50}"}) for n in range(1, 5001)]))
        server.stop()
        (path,) = store.files(tmp_path / compression, "traces")
        sizes[compression] = pathlib.Path(path).stat().st_size
    assert sizes["zstd"] < sizes["lz4"] < sizes["none"], sizes


@pytest.mark.parametrize("acknowledge", ["journal", "fsync"])
def test_what_is_acknowledged_survives_the_process(serve, directory, acknowledge):
    server = serve(directory, "--acknowledge", acknowledge, "--write-interval-secs", "3600", "--workers", "1")
    with otlp.GrpcSender(server.grpc) as sender:
        for name in SIGNALS:
            sender.export(name, otlp.request(name, 50))
    server.kill()
    assert all(store.count_rows(directory, name) == 0 for name in SIGNALS)
    assert inspect(directory)["journals"] == {"live": 0, "left": 1, "left_items": 150}
    result = run("recover", directory)
    assert result.returncode == 0 and "150 items written" in result.stdout
    assert [store.count_rows(directory, name) for name in SIGNALS] == [50, 50, 50]
    assert_stored_is_counted(directory)


def test_what_was_only_in_memory_is_not_claimed(serve, directory):
    """acknowledge=memory: the death of the process loses what is in no file yet, and the directory is none the worse."""
    server = serve(directory, "--acknowledge", "memory", "--write-interval-secs", "1")
    with otlp.GrpcSender(server.grpc) as sender:
        sender.export("logs", otlp.request("logs", 30))
        wait_for(lambda: store.count_rows(directory, "logs") == 30, what="a file")
        sender.export("traces", otlp.request("traces", 50))
        server.kill()
    assert run("recover", directory).returncode == 0
    ledger = assert_stored_is_counted(directory)
    assert ledger["logs"]["stored"] == 30 and ledger["traces"]["stored"] == 0
    assert list((directory / "journal").iterdir()) == []
    serve(directory).stop()
