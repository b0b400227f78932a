"""Small files become large ones, by `otlp-arrow compact` and beside a service at work, and readers see every row exactly once."""

import collections
import glob
import json
import pathlib
import shutil
import signal
import subprocess
import threading
import time

import duckdb
import pyarrow
import pyarrow.dataset
import pyarrow.parquet
import pytest

import otlp
from harness import BINARY, assert_balanced, environment, inspect, run, wait_for

KEEP = ("--trace-cleanup-interval-secs", "0", "--metric-cleanup-interval-secs", "0", "--log-cleanup-interval-secs", "0")
AUTOMATIC = ("--compaction-enabled", "true", "--compaction-interval-secs", "1", "--compaction-min-age-secs", "0", "--compaction-min-files", "2",
             "--write-interval-secs", "1")


def files(directory, signal_name="traces"):
    found = glob.glob(f"{directory}/otlp/{signal_name}/**/*.*", recursive=True)
    return sorted(f for f in found if f.endswith((".arrow", ".parquet")))


def read(directory, columns=("span_id",)):
    """By pyarrow, file by file, whatever format."""
    tables = []
    for path in files(directory):
        tables.append(pyarrow.dataset.dataset(path, format="parquet" if path.endswith(".parquet") else "arrow").to_table(columns=list(columns)))
    return [row for table in tables for row in zip(*(table[c].to_pylist() for c in columns))]


def fill(server, requests, items=10, first=1):
    """Each request in a file of its own, more or less."""
    with otlp.HttpSender(server.http) as sender:
        for i in range(requests):
            sender.export("traces", otlp.request("traces", items, first + i * items))
            time.sleep(0.02)


def spans(count):
    return collections.Counter((otlp.span_hex(n),) for n in range(1, count + 1))


@pytest.fixture
def stored(serve, directory):
    """A directory with at least 5 small files of 200 spans that nobody writes into any more."""
    for i in range(5):
        server = serve(directory, *KEEP)
        fill(server, 4, first=1 + 40 * i)
        server.stop()
    assert len(files(directory)) >= 5
    return directory


def compact(directory, *flags):
    result = run("compact", directory, "--json", "--reader-grace", "0", *flags)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_the_command_merges_and_tells_what_it_did(stored):
    before = len(files(stored))
    planned = compact(stored, "--dry-run")["signals"]["traces"]
    assert planned["files_merged"] == before and len(files(stored)) == before
    done = compact(stored)["signals"]["traces"]
    assert (done["files_before"], done["rows_merged"]) == (before, 200)
    assert done["files_after"] in (1, 2)  # a full hour may have passed meanwhile
    assert collections.Counter(read(stored)) == spans(200)
    again = run("compact", stored, "--reader-grace", "0")
    assert again.returncode == 0 and "nothing to merge" in again.stdout
    assert_balanced(inspect(stored)["ledger"])


def test_parquet_in_partitions_for_duckdb(stored):
    compact(stored, "--format", "parquet", "--partition", "hour")
    found = files(stored)
    assert all("/date=" in f and "/hour=" in f and f.endswith(".parquet") for f in found)
    count, dates = duckdb.sql(f"SELECT count(DISTINCT span_id), count(DISTINCT date) FROM read_parquet('{stored}/otlp/traces/**/*.parquet', hive_partitioning=true)").fetchall()[0]
    assert count == 200 and dates in (1, 2)
    metadata = pyarrow.parquet.ParquetFile(found[0]).metadata
    names = [metadata.row_group(0).column(i).path_in_schema for i in range(metadata.num_columns)]
    assert metadata.row_group(0).column(names.index("start_time")).statistics.has_min_max
    # What is not asked for stays as it is: no rewriting back.
    assert compact(stored)["signals"]["traces"]["files_merged"] == 0


def test_wrong_arguments_and_directories(directory, tmp_path):
    assert run("compact", tmp_path / "none").returncode == 1
    assert "no output directory" in run("compact", tmp_path).stderr
    (directory / "otlp").mkdir(parents=True)
    wrong = run("compact", directory, "--format", "csv")
    assert wrong.returncode == 2 and "parquet" in wrong.stderr
    assert "no data files" in run("compact", directory).stdout


def test_a_service_compacts_while_it_writes_and_readers_see_each_row_once(serve, directory):
    server = serve(directory, *KEEP, *AUTOMATIC, "--format", "parquet")
    stop, problems, whole = threading.Event(), [], [0]

    def watch():
        while not stop.is_set():
            try:
                rows = duckdb.connect().sql(f"SELECT span_id, count(*) FROM read_parquet('{directory}/otlp/traces/*.parquet') GROUP BY 1").fetchall()
            except duckdb.Error as error:
                if "No such file" not in str(error) and "No files found" not in str(error) and "Could not" not in str(error):
                    problems.append(str(error))
                continue
            whole[0] += 1
            twice = [r for r in rows if r[1] > 1]
            seen = {int(r[0], 16) for r in rows}
            missing = set(range(1, max(seen) + 1)) - seen if seen else set()
            if twice or missing:
                problems.append(f"{len(twice)} rows twice, {len(missing)} missing")

    reader = threading.Thread(target=watch)
    reader.start()
    try:
        for i in range(6):
            fill(server, 5, first=1 + 50 * i)
            time.sleep(0.7)
        wait_for(lambda: any("-merged" in f for f in files(directory)), timeout=20, what="a merged file")
    finally:
        stop.set()
        reader.join()
    assert not problems, problems[:3]
    assert whole[0] > 0
    server.stop()
    assert collections.Counter(read(directory)) == spans(300)
    assert_balanced(inspect(directory)["ledger"])


def test_retention_counts_what_was_merged(serve, directory):
    server = serve(directory, *AUTOMATIC, "--trace-cleanup-interval-secs", "4", "--compaction-window-secs", "60")
    fill(server, 30)
    wait_for(lambda: server.ledger()["traces"]["expired"] == 300, timeout=30, what="all rows to expire")
    assert files(directory) == []
    server.stop()
    ledger = inspect(directory)["ledger"]
    assert_balanced(ledger)
    assert (ledger["traces"]["stored"], ledger["traces"]["expired"]) == (0, 300)


def test_killed_again_and_again_while_it_compacts(serve, directory):
    """The service too: what it had acknowledged and merged is there once after recovery."""
    sent = 0
    for i in range(4):
        server = serve(directory, *KEEP, *AUTOMATIC)
        fill(server, 8, first=1 + sent)
        sent += 80
        time.sleep(0.3 * i)
        server.kill()
        subprocess.run([BINARY, "compact", directory, "--quiet"], env=environment(), timeout=60, check=False)
    for delay in (0.005, 0.01, 0.02, 0.04, 0.08):
        victim = subprocess.Popen([BINARY, "compact", directory, "--format", "parquet"], env=environment(), stdout=subprocess.DEVNULL)
        time.sleep(delay)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
    assert run("recover", directory).returncode == 0
    compact(directory)
    assert collections.Counter(read(directory)) == spans(sent)
    assert {p.name for p in (pathlib.Path(directory) / "compact").iterdir()} == {"lock", "work"}


def test_a_full_disk_changes_nothing(stored, tmp_path):
    mount_point = tmp_path / "disk"
    mount_point.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", mount_point], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting a file system is not permitted here: {mounted.stderr.strip()}")
    try:
        directory = mount_point / "telemetry"
        shutil.copytree(stored, directory)
        before = files(directory)
        with open(mount_point / "ballast", "wb", buffering=0) as ballast:
            try:
                while ballast.write(b"\xaa" * 4096):
                    pass
            except OSError:
                pass
        refused = run("compact", directory, "--reader-grace", "0")
        assert refused.returncode == 1 and "space" in refused.stderr, refused.stderr
        assert files(directory) == before and list((directory / "compact/work").iterdir()) == []
        (mount_point / "ballast").unlink()
        compact(directory)
        assert collections.Counter(read(directory)) == spans(200)
    finally:
        subprocess.run(["umount", "-l", mount_point], check=True)


def test_the_clock_may_be_set(serve, directory, clock):
    """Back and forth by days: files are merged by their names' times, and none is lost."""
    server = serve(directory, *KEEP, *AUTOMATIC, env=clock.environment)
    for i, shift in enumerate((0, -2 * 86400, 0, -3600)):
        clock.set(shift)
        fill(server, 5, first=1 + 50 * i)
        time.sleep(1.2)
    server.stop()
    compact(directory)
    assert collections.Counter(read(directory)) == spans(200)


def test_the_directory_is_removed_under_it(serve, directory):
    server = serve(directory, *KEEP, *AUTOMATIC)
    fill(server, 10)
    wait_for(lambda: files(directory), what="a file")
    shutil.rmtree(directory / "otlp")
    fill(server, 5, first=1001)
    wait_for(lambda: any(int(r[0], 16) >= 1041 for r in read(directory)), timeout=20, what="new files in a new folder")
    assert server.alive() and server.get("/healthz")[0] == 200
    server.stop()
