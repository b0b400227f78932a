"""Restarts, kill -9, full disks and clocks that jump, while there is something to forward: what was acknowledged arrives."""

import os
import random
import subprocess
import time

import pytest
from harness import SIGNALS, assert_balanced, inspect, wait_for
from load import NUMBERS, Load, assert_nothing_lost
from peers.answers import TAKE, UNAVAILABLE, Answer, always, every
from peers.forwarding import (Sent, assert_all_balanced, assert_arrived, destination, destinations, finish, forwarding_flags, only, unique_spans,
                              wait_until_sent)

KILLS = int(os.environ.get("OTLP_ARROW_FORWARD_KILLS", "8"))


def acknowledged(loads):
    return sum(load.count() for load in loads)


def wait_for_arrival(peer, loads, signals=SIGNALS, timeout=30):
    wanted = {s: {n for load in loads for n in load.acknowledged.get(s, ())} for s in signals}
    wait_for(lambda: all(peer.got.unique(s) >= wanted[s] for s in signals), timeout, what="the arrival of all that was acknowledged")


def assert_nothing_is_left(directory):
    """No process has anything to send or to store any more."""
    assert not [p for name in ("journal", "forward") if (directory / name).exists() for p in (directory / name).iterdir()]


def assert_written_down(directory, loads):
    """The ledger of all processes together, after their end: what was taken is stored, and sent."""
    ledger = inspect(directory)["ledger"]
    assert_balanced(ledger)
    for signal in SIGNALS:
        total = sum(len(load.acknowledged.get(signal, ())) for load in loads)
        undecided = sum(len(load.undecided.get(signal, ())) for load in loads)
        assert total <= ledger[signal]["stored"] <= total + undecided
        told = ledger["destinations"]["backend"].get(signal, {})
        assert told.get("sent", 0) == ledger[signal]["stored"], (signal, told, ledger[signal])


# --- kill -9 --------------------------------------------------------------------------------------------------------


def test_kill_during_an_outage(serve, directory, tmp_path, start_peer, protocol):
    """The next process sends what the killed one had acknowledged, and stores it."""
    peer = start_peer(protocol)
    peer.stop()
    flags = forwarding_flags(tmp_path, destination(peer, name="backend"))
    loads = []
    for _ in range(3):
        server = serve(directory, *flags)
        load = Load(server, items=10, signals=SIGNALS, pause=0.001)
        load.wait_for(300)
        server.kill()
        loads.append(load.stop())
    server = serve(directory, *flags)
    assert peer.got.count() == 0
    peer.start()
    wait_for_arrival(peer, loads)
    wait_until_sent(server)
    assert_all_balanced(server)
    server.stop()
    assert_arrived([peer.got], loads, SIGNALS)
    assert_nothing_lost(directory, loads, SIGNALS)
    assert_written_down(directory, loads)
    assert_nothing_is_left(directory)


@pytest.mark.timeout(60 + 10 * KILLS)
@pytest.mark.parametrize("stores", [True, False], ids=["store", "relay"])
def test_kill_at_any_moment(serve, directory, tmp_path, start_peer, stores):
    """Also while it sends, so that what was under way may come twice."""
    seed = int(os.environ.get("OTLP_ARROW_SEED", random.randrange(1 << 32)))
    print(f"OTLP_ARROW_SEED={seed}")
    source = random.Random(seed)
    peer = start_peer("grpc")
    flags = forwarding_flags(tmp_path, destination(peer, name="backend", batch_bytes=5000), store=stores)
    loads = []
    for _ in range(KILLS):
        peer.got.rule = source.choice([always(TAKE), every(2, UNAVAILABLE), always(UNAVAILABLE), always(Answer(takes=True, delay=0.05))])
        server = serve(directory, *flags)
        load = Load(server, items=source.choice((1, 20, 100)), signals=SIGNALS)
        time.sleep(source.uniform(0.02, 0.5))
        server.kill()
        loads.append(load.stop())
        server.close()
    peer.got.rule = always(TAKE)
    server = serve(directory, *flags)
    wait_for_arrival(peer, loads)
    wait_until_sent(server)
    assert_all_balanced(server)
    server.stop()
    assert_arrived([peer.got], loads, SIGNALS, once=False)
    assert_balanced(inspect(directory)["ledger"])
    if stores:
        assert_nothing_lost(directory, loads, SIGNALS)
    else:
        assert not list(directory.glob("otlp/*/*.arrow"))
    assert_nothing_is_left(directory)
    print(f"{KILLS} kills, {acknowledged(loads)} items acknowledged, {peer.got.count()} arrived")


def test_the_peer_is_killed_instead(serve, tmp_path):
    """A second instance of ours as the destination dies again and again; what it had acknowledged it has."""
    second = serve(tmp_path / "second")
    server = serve(tmp_path / "first", *forwarding_flags(tmp_path, destination(f"http://{second.grpc}", protocol="grpc", batch_bytes=5000)))
    load = Load(server, items=10, signals=SIGNALS, pause=0.001)
    for _ in range(4):
        load.wait_for(load.count() + 200)
        second.kill()
        second = serve(tmp_path / "second", grpc=second.grpc)
    load.stop()
    finish(server, [], [load])
    second.stop()
    for signal in SIGNALS:
        assert set(load.acknowledged[signal]) <= set(NUMBERS[signal](tmp_path / "second"))


# --- restarts -------------------------------------------------------------------------------------------------------


def test_a_restart_during_an_outage_resumes(serve, directory, tmp_path, start_peer, protocol):
    """Each process sends a part and leaves the rest to the next one; nothing comes twice, as no answer was lost."""
    peer = start_peer(protocol)
    flags = forwarding_flags(tmp_path, destination(peer, name="backend", batch_bytes=4000), shutdown_timeout_secs=1)
    loads = []
    for _ in range(3):
        server = serve(directory, *flags)
        load = Load(server, items=10, signals=SIGNALS, pause=0.001)
        before = peer.got.count()
        wait_for(lambda before=before: peer.got.count() > before, what="an arrival")
        peer.got.rule = always(UNAVAILABLE)
        load.wait_for(load.count() + 200)
        loads.append(load.stop())
        assert only(server).backlog > 0
        server.stop()
        peer.got.rule = always(TAKE)
    server = serve(directory, *flags)
    wait_for_arrival(peer, loads)
    wait_until_sent(server)
    assert_all_balanced(server)
    server.stop()
    assert_arrived([peer.got], loads, SIGNALS)
    assert_nothing_lost(directory, loads, SIGNALS)
    assert_written_down(directory, loads)
    assert_nothing_is_left(directory)


def test_what_is_left_comes_first_and_in_order(serve, directory, tmp_path, start_peer):
    peer = start_peer("grpc")
    peer.stop()
    flags = forwarding_flags(tmp_path, destination(peer, max_in_flight=1, batch_bytes=1024), shutdown_timeout_secs=1)
    sent = Sent()
    for number in range(3):
        server = serve(directory, *flags)
        sent.spans(server, *(unique_spans(5) for _ in range(20)))
        server.kill() if number == 1 else server.stop()
    server = serve(directory, *flags)
    sent.spans(server, *(unique_spans(5) for _ in range(20)))
    peer.start()
    wait_for(lambda: peer.got.count() >= len(sent.acknowledged["traces"]), what="the arrival of all")
    assert peer.got.order["traces"] == sent.acknowledged["traces"]
    server.stop()


def test_a_shutdown_sends_what_there_is(serve, directory, tmp_path, start_peer, protocol):
    """SIGTERM waits for a destination that takes data, and not for one that does not."""
    peer, away = start_peer(protocol), start_peer(protocol)
    away.stop()
    peer.got.rule = always(Answer(takes=True, delay=0.05))
    server = serve(directory, *forwarding_flags(tmp_path, destination(peer, batch_delay_ms=5000), destination(away, name="away")))
    sent = Sent().spans(server, *(unique_spans(20) for _ in range(20)))
    server.stop()
    assert_arrived([peer.got], [sent])
    away.start()
    server = serve(directory, *forwarding_flags(tmp_path, destination(peer), destination(away, name="away")))
    wait_for(lambda: away.got.count() >= 400, what="the arrival of all")
    server.stop()
    assert_arrived([peer.got], [sent])
    assert_arrived([away.got], [sent])
    assert_nothing_is_left(directory)


def test_what_another_destination_is_owed_waits_for_it(serve, directory, tmp_path, start_peer):
    """A process that does not send to it leaves it on the disk, and says so."""
    away, stays = start_peer("grpc"), start_peer("grpc")
    away.stop()
    stays.stop()
    both = [destination(away, name="away"), destination(stays, name="stays")]
    server = serve(directory, *forwarding_flags(tmp_path, *both, shutdown_timeout_secs=1))
    sent = Sent().spans(server, unique_spans(50))
    server.stop()
    away.start()
    stays.start()
    server = serve(directory, *forwarding_flags(tmp_path, destination(stays, name="stays")))
    wait_for(lambda: stays.got.count() == 50, what="the arrival of all")
    wait_for(lambda: "holds records for 'away'" in server.log(), what="the word of what stays")
    server.stop()
    assert away.got.count() == 0 and [*(directory / "forward").glob("*")]
    server = serve(directory, *forwarding_flags(tmp_path, *both))
    wait_for(lambda: away.got.count() == 50, what="the arrival of the rest")
    wait_for(lambda: not [*(directory / "forward").glob("*")], what="the end of what was left")
    server.stop()
    assert_arrived([stays.got], [sent])
    assert_arrived([away.got], [sent])
    assert_nothing_is_left(directory)


# --- several processes ----------------------------------------------------------------------------------------------


def test_two_processes_on_one_directory(serve, directory, tmp_path, start_peer):
    """Each sends its own; what a killed one left is sent by the one that lives, while it lives, and only once."""
    peer = start_peer("grpc")
    flags = forwarding_flags(tmp_path, destination(peer, name="backend"))
    first, second = serve(directory, *flags), serve(directory, *flags)
    loads = [Load(first, items=10, signals=SIGNALS, pause=0.001), Load(second, items=10, signals=SIGNALS, pause=0.001)]
    for load in loads:
        load.wait_for(200)
    peer.got.rule = always(UNAVAILABLE)
    for load in loads:
        load.wait_for(load.count() + 200)
        load.stop()
    wait_for(lambda: destinations(first)["backend"].backlog and destinations(second)["backend"].backlog, what="a backlog of both")
    first.kill()
    third = serve(directory, *flags)
    peer.got.rule = always(TAKE)
    wait_for_arrival(peer, loads)
    for server in (second, third):
        wait_until_sent(server)
        assert_all_balanced(server)
        server.stop()
    # The one that was killed may have been told of what it had sent, but too late to write it down.
    assert_arrived([peer.got], loads, SIGNALS, once=False)
    assert_nothing_lost(directory, loads, SIGNALS)
    assert_nothing_is_left(directory)


# --- full disks -----------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MiB. Servers on it must have ended when the test does."""
    mount_point = tmp_path / "disk"
    mount_point.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", mount_point], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting a file system is not permitted here: {mounted.stderr.strip()}")
    yield mount_point
    subprocess.run(["umount", "-l", mount_point], check=True)


@pytest.mark.parametrize("stores", [True, False], ids=["store", "relay"])
def test_a_disk_full_of_what_waits(serve, small_disk, tmp_path, start_peer, stores):
    """The budget is larger than the disk: senders are refused, and all goes on by itself when the destination is back."""
    peer = start_peer("grpc")
    peer.stop()
    directory = small_disk / "telemetry"
    flags = forwarding_flags(tmp_path, destination(peer, name="backend"), store=stores, max_file_bytes=1 << 20, max_total_bytes=6 << 20)
    server = serve(directory, *flags)
    load = Load(server, threads=2, items=20, padding=lambda: os.urandom(500).hex())
    wait_for(lambda: sum(load.refusals.values()) > 20, timeout=40, what="refusals")
    assert server.alive() and not only(server).total("given_up")
    assert_all_balanced(server)
    peer.start()
    load.wait_for(load.count() + 500, timeout=30)
    load.stop()
    wait_until_sent(server)
    assert_all_balanced(server)
    server.stop()
    assert_arrived([peer.got], [load])
    assert_balanced(inspect(directory)["ledger"])


def test_death_on_a_full_disk(serve, small_disk, tmp_path, start_peer):
    peer = start_peer("grpc")
    peer.stop()
    directory = small_disk / "telemetry"
    flags = forwarding_flags(tmp_path, destination(peer, name="backend"), store=False)
    server = serve(directory, *flags)
    load = Load(server, threads=2, items=20, padding=lambda: os.urandom(500).hex())
    wait_for(lambda: sum(load.refusals.values()) > 20, timeout=40, what="refusals")
    server.kill()
    load.stop()
    peer.start()
    server = serve(directory, *flags, ready=False)
    wait_for_arrival(peer, [load], ["traces"])
    wait_for(lambda: server._find_addresses() and server.get("/readyz")[0] == 200, what="/readyz to say yes")
    server.stop()
    assert_arrived([peer.got], [load], once=False)


# --- clocks ---------------------------------------------------------------------------------------------------------


def test_a_wall_clock_that_jumps(serve, directory, tmp_path, start_peer, clock):
    """A day back, ten years back, ten years forward, during an outage and after it: nothing is lost, nor sent twice. Never ahead of the
    kernel's clock, which is not moved: threads that wait by it for a time that was read here would wait for years."""
    clock.set(0)
    peer = start_peer("grpc")
    server = serve(directory, *forwarding_flags(tmp_path, destination(peer, name="backend")), env=clock.environment)
    load = Load(server, items=10, signals=SIGNALS, pause=0.001)
    for seconds in (-86_400, -10 * 365 * 86_400, 0):
        load.wait_for(load.count() + 100)
        peer.got.rule = always(UNAVAILABLE)
        clock.set(seconds)
        load.wait_for(load.count() + 100)
        peer.got.rule = always(TAKE)
        arrived = peer.got.count()
        wait_for(lambda arrived=arrived: peer.got.count() > arrived, what="an arrival after the jump")
    load.stop()
    finish(server, [peer.got], [load])


def test_a_restart_with_another_clock(serve, directory, tmp_path, start_peer, clock):
    """What is left is found and sent by a process whose clock is a year behind."""
    clock.set(-365 * 86_400)
    peer = start_peer("grpc")
    peer.stop()
    flags = forwarding_flags(tmp_path, destination(peer, name="backend", max_in_flight=1), shutdown_timeout_secs=1)
    server = serve(directory, *flags)
    sent = Sent().spans(server, unique_spans(20), unique_spans(20))
    server.kill()
    server = serve(directory, *flags, env=clock.environment)
    sent.spans(server, unique_spans(20))
    peer.start()
    wait_for(lambda: peer.got.count() >= 60, what="the arrival of all")
    wait_until_sent(server)
    assert peer.got.order["traces"] == sent.acknowledged["traces"]
    assert_all_balanced(server)
    server.stop()
