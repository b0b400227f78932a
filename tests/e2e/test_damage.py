"""Bytes that changed on the disk: recovery and `inspect` tell which file it is, keep what is left of it, and go on."""

import pathlib
import shutil

import pytest

import otlp
import store
from harness import assert_balanced, inspect, run

REQUESTS = 40


@pytest.fixture
def journal(serve, directory):
    """The only journal segment of a killed server that took REQUESTS requests of one span each."""
    server = serve(directory, "--write-interval-secs", "3600", "--workers", "1")
    with otlp.GrpcSender(server.grpc) as sender:
        for n in range(1, REQUESTS + 1):
            sender.export("traces", otlp.traces([otlp.span(n, attributes={"marker": f"<<{n}>>"})]))
    server.kill()
    (segment,) = directory.glob("journal/*/*.journal")
    return segment


def stored_numbers(directory):
    return sorted(int(i, 16) for i in store.column(directory, "traces", "span_id"))


def flip(path, text):
    """Changes a byte of the only place where `text` stands."""
    content = bytearray(path.read_bytes())
    assert content.count(text) == 1
    content[content.index(text)] ^= 0x55
    path.write_bytes(content)


def recover_reports(directory, segment):
    """Recovery tells of the damage, keeps the segment aside as it was, and then has no more to do."""
    content = segment.read_bytes()
    result = run("recover", directory)
    assert result.returncode == 1
    assert "damaged" in result.stderr and str(segment) in result.stderr, result.stderr
    (kept,) = (directory / "damaged").iterdir()
    assert kept.read_bytes() == content
    again = run("recover", directory)
    assert again.returncode == 0 and "0 journals" in again.stdout
    found = inspect(directory)
    assert [d["path"] for d in found["damaged"]] == [str(kept)]
    assert_balanced(found["ledger"])
    assert found["ledger"]["traces"]["stored"] == store.count_rows(directory, "traces")
    return result.stderr


def test_a_flipped_byte_in_the_middle(journal, directory):
    flip(journal, b"<<20>>")
    message = recover_reports(directory, journal)
    assert stored_numbers(directory) == [n for n in range(1, REQUESTS + 1) if n != 20]
    assert "bytes" in message


def test_many_flipped_bytes(journal, directory):
    for n in (1, 7, 8, 9, 30):
        flip(journal, b"<<%d>>" % n)
    recover_reports(directory, journal)
    assert stored_numbers(directory) == [n for n in range(1, REQUESTS + 1) if n not in (1, 7, 8, 9, 30)]


def test_zeros_in_the_middle(journal, directory):
    """A hole of some records, as a lost page leaves it."""
    content = bytearray(journal.read_bytes())
    start, end = content.index(b"<<10>>"), content.index(b"<<14>>")
    content[start:end] = bytes(end - start)
    journal.write_bytes(content)
    recover_reports(directory, journal)
    assert stored_numbers(directory) == [n for n in range(1, REQUESTS + 1) if not 10 <= n <= 14]


def test_the_next_start_reports_and_goes_on(serve, journal, directory):
    flip(journal, b"<<20>>")
    server = serve(directory)
    assert str(journal) in server.log() and "damaged" in server.log()
    with otlp.GrpcSender(server.grpc) as sender:
        sender.export("traces", otlp.traces([otlp.span(1000)]))
    server.stop()
    assert stored_numbers(directory) == [n for n in range(1, REQUESTS + 1) if n != 20] + [1000]
    assert len(list((directory / "damaged").iterdir())) == 1


def test_a_torn_last_record_is_no_damage(journal, directory):
    """What a death in the middle of a write leaves: it was never acknowledged."""
    content = journal.read_bytes()
    journal.write_bytes(content[: content.index(b"<<40>>")])
    assert run("recover", directory).returncode == 0
    assert stored_numbers(directory) == list(range(1, REQUESTS))
    assert inspect(directory)["damaged"] == []


@pytest.mark.parametrize("keep", [0, 10, 64], ids=["empty", "half a header", "only the header"])
def test_a_new_segment_without_records_is_no_damage(journal, directory, keep):
    """What a death right after the start leaves."""
    journal.write_bytes(journal.read_bytes()[:keep])
    assert run("recover", directory).returncode == 0
    assert stored_numbers(directory) == []


def test_a_truncated_older_segment(serve, directory):
    """Its tail is missing, and the next segment shows that it should have been there."""
    server = serve(directory, "--write-interval-secs", "3600", "--workers", "1")
    with otlp.GrpcSender(server.grpc) as sender:
        for n in range(1, 41):
            sender.export("traces", otlp.traces([otlp.span(n, attributes={"marker": f"<<{n}>>", "padding": "z" * 600_000})]))
    server.kill()
    first, second = sorted(directory.glob("journal/*/*.journal"))
    content = first.read_bytes()
    first.write_bytes(content[: content.index(b"<<11>>")])
    in_second = [n for n in range(1, 41) if b"<<%d>>" % n in second.read_bytes()]
    assert 1 < len(in_second) < 30
    recover_reports(directory, first)
    assert stored_numbers(directory) == list(range(1, 11)) + in_second


def test_a_missing_segment(serve, directory):
    server = serve(directory, "--write-interval-secs", "3600", "--workers", "1")
    with otlp.GrpcSender(server.grpc) as sender:
        for n in range(1, 61):
            sender.export("traces", otlp.traces([otlp.span(n, attributes={"marker": f"<<{n}>>", "padding": "z" * 600_000})]))
    server.kill()
    first, second, third = sorted(directory.glob("journal/*/*.journal"))
    left = [n for n in range(1, 61) if any(b"<<%d>>" % n in path.read_bytes() for path in (first, third))]
    second.unlink()
    result = run("recover", directory)
    assert result.returncode == 1 and "missing" in result.stderr
    assert stored_numbers(directory) == left
    assert_balanced(inspect(directory)["ledger"])


def damaged_copies(path):
    content = path.read_bytes()
    middle = len(content) // 2
    return {
        "footer": content[:-20] + bytes(20),
        "cut": content[:middle],
        "empty": b"",
        "noise": bytes(1000),
        "batch": content[:400] + bytes(b ^ 0xFF for b in content[400:1400]) + content[1400:],
    }


@pytest.mark.parametrize("what", ["footer", "cut", "empty", "noise", "batch"])
def test_a_damaged_data_file(serve, directory, what):
    """`inspect` names it and counts the rest; `replay` sends the rest and says that it was not all."""
    for start in (1, 101):
        server = serve(directory, "--compression", "none")
        with otlp.GrpcSender(server.grpc) as sender:
            sender.export("traces", otlp.request("traces", 100, first=start))
        server.stop()
    bad, good = map(pathlib.Path, sorted(store.files(directory, "traces"), key=lambda f: otlp.span_hex(150) in store.pyarrow.ipc.open_file(f).read_all()["span_id"].to_pylist()))
    bad.write_bytes(damaged_copies(bad)[what])
    result = run("inspect", directory)
    assert result.returncode == 0 and str(bad) in result.stdout
    found = inspect(directory)
    assert [d["path"] for d in found["damaged"]] == [str(bad)] and found["damaged"][0]["reason"]
    assert found["signals"]["traces"]["rows"] == 100 and found["signals"]["traces"]["files"] == 1
    assert run("inspect", bad).returncode == 1
    assert run("inspect", good).returncode == 0
    # A server starts beside it, and replay sends what can be read.
    target = directory.parent / "target"
    server = serve(target)
    result = run("replay", directory, "--endpoint", f"http://{server.grpc}")
    assert result.returncode == 1 and str(bad) in result.stderr
    server.stop()
    assert stored_numbers(target) == list(range(101, 201))
    serve(directory).stop()
    assert bad.exists()
    shutil.rmtree(target)
