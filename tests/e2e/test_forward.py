"""Forwarding where all goes well: what arrives, how it is sent, in which order, to several destinations, and as a relay."""

import base64

import grpc
import otlp
import pytest
import store
from harness import SIGNALS, assert_balanced, inspect, run, wait_for
from load import Load, assert_nothing_lost
from peers.answers import TAKE, UNAVAILABLE, Answer, always, every
from peers.forwarding import (Sent, assert_all_balanced, assert_arrived, config_file, destination, destinations, finish, forwarding_flags, only, unique_spans,
                              wait_until_sent)


@pytest.fixture
def forward(serve, directory, tmp_path):
    """Starts a server that forwards to these destinations."""
    return lambda *destinations, **keys: serve(directory, *forwarding_flags(tmp_path, *destinations, **keys))


def load_of(server, items=600, signals=SIGNALS):
    load = Load(server, items=10, signals=signals, pause=0.001)
    load.wait_for(items)
    return load.stop()


@pytest.mark.parametrize("protocol, compression", [("grpc", "none"), ("grpc", "gzip"), ("http", "none"), ("http", "gzip"), ("http", "zstd")])
def test_everything_arrives_once(forward, start_peer, protocol, compression):
    peer = start_peer(protocol)
    server = forward(destination(peer, compression=compression, name="backend"))
    load = load_of(server)
    found = finish(server, [peer.got], [load])
    assert found["backend"].total("sent") == found["backend"].total("accepted") == load.count()
    assert sum(r.size for r in peer.got.requests) == found["backend"].values["sent_bytes_total"]
    encodings = {r.headers.get("content-encoding") for r in peer.got.requests}
    assert encodings == {None if compression == "none" else compression} or protocol == "grpc"


def test_requests_are_joined(forward, start_peer, protocol):
    """Many small requests become few large ones, none larger than batch_bytes."""
    peer = start_peer(protocol)
    peer.got.rule = always(UNAVAILABLE)
    server = forward(destination(peer, batch_bytes=20_000, max_in_flight=1))
    sent = Sent().spans(server, *(unique_spans(1) for _ in range(500)))
    before = len(peer.got.requests)
    peer.got.rule = always(TAKE)
    finish(server, [peer.got], [sent])
    assert len(peer.got.requests) - before < 50
    assert max(r.size for r in peer.got.requests) <= 20_000


def test_connections_are_kept(forward, start_peer):
    peer = start_peer("http")
    server = forward(destination(peer, batch_bytes=1024, max_in_flight=2))
    load = load_of(server)
    finish(server, [peer.got], [load])
    assert len(peer.got.requests) > 20 and peer.accepted <= 6  # two for each signal at the very most


def test_only_the_signals_asked_for(forward, start_peer):
    one, other = start_peer("grpc"), start_peer("http")
    server = forward(destination(one, signals=["traces"]), destination(other, signals=["metrics", "logs"]))
    load = load_of(server)
    wait_until_sent(server)
    assert_all_balanced(server)
    server.stop()
    assert_arrived([one.got], [load], ["traces"])
    assert_arrived([other.got], [load], ["metrics", "logs"])
    assert one.got.count() + other.got.count() == load.count()


def test_order_is_kept_with_one_in_flight(forward, start_peer, protocol):
    """Though every third request fails at first."""
    peer = start_peer(protocol)
    peer.got.rule = every(3, UNAVAILABLE)
    server = forward(destination(peer, max_in_flight=1, batch_bytes=2000))
    sent = Sent().spans(server, *(unique_spans(5) for _ in range(200)))
    finish(server, [peer.got], [sent])
    assert peer.got.order["traces"] == sent.acknowledged["traces"]


# --- several destinations -------------------------------------------------------------------------------------------


def test_a_slow_destination_holds_up_nobody(forward, start_peer):
    """Neither the files, nor another destination, nor one that is away."""
    slow, fast, away = start_peer("grpc"), start_peer("http"), start_peer("grpc")
    slow.got.rule = always(Answer(takes=True, delay=0.5))
    away.stop()
    server = forward(destination(slow, name="slow", max_in_flight=1, batch_bytes=1024), destination(fast, name="fast"), destination(away, name="away"))
    load = load_of(server)
    wait_until_sent(server, "fast")
    found = assert_all_balanced(server)
    assert found["slow"].backlog > 0 and found["away"].backlog == load.count()
    wait_for(lambda: server.ledger()["traces"]["in_flight"] == 0, what="all to be in files")
    assert destinations(server)["slow"].backlog > 0
    assert_arrived([fast.got], [load], SIGNALS)
    slow.got.rule = always(TAKE)
    away.start()
    finish(server, [slow.got, fast.got, away.got], [load])


# --- secrets --------------------------------------------------------------------------------------------------------


def test_credentials_and_headers(serve, directory, tmp_path, start_peer, protocol):
    """From the file itself, from the environment and from files; they arrive, and stand nowhere else."""
    (tmp_path / "password").write_text("hidden-3\n")
    peers = [start_peer(protocol) for _ in range(3)]
    config = config_file(
        tmp_path,
        destination(peers[0], bearer_token="${env:TOKEN}", headers={"x-tenant": "blue", "x-second": "hidden-5"}),
        destination(peers[1], username="me", password=f"${{file:{tmp_path / 'password'}}}"),
        destination(peers[2], api_key="hidden-4", api_key_header="x-our-key"),
    )
    server = serve(directory, "--config", config, env={"TOKEN": "hidden-1"})
    sent = Sent().spans(server, unique_spans(10))
    found = finish(server, [p.got for p in peers], [sent])
    headers = [peer.got.requests[0].headers for peer in peers]
    assert headers[0]["authorization"] == "Bearer hidden-1" and headers[0]["x-tenant"] == "blue" and headers[0]["x-second"] == "hidden-5"
    assert headers[1]["authorization"] == "Basic " + base64.b64encode(b"me:hidden-3").decode()
    assert headers[2]["x-our-key"] == "hidden-4"
    checked = run("serve", "--config", config, "--output-dir", directory, "--check-config", TOKEN="hidden-1")
    assert checked.returncode == 0, checked.stderr
    for text in (server.log(), checked.stdout + checked.stderr, str(found)):
        assert "hidden-" not in text


# --- other servers of ours ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol, compression", [("grpc", "none"), ("http", "gzip"), ("flight", "lz4")])
def test_a_second_instance(serve, tmp_path, protocol, compression):
    second = serve(tmp_path / "second", "--write-interval-secs", "1")
    endpoint = {"grpc": f"http://{second.grpc}", "http": f"http://{second.http}", "flight": f"grpc://{second.flight}"}[protocol]
    server = serve(tmp_path / "first", *forwarding_flags(tmp_path, destination(endpoint, protocol=protocol, compression=compression)))
    load = load_of(server)
    finish(server, [], [load])
    second.stop()
    assert_nothing_lost(tmp_path / "second", [load], SIGNALS)
    # Not only the numbers: whole rows.
    columns = ["span_id", "name", "start_time", "attributes", "resource_attributes", "scope_name"]
    rows = [store.table(tmp_path / d, "traces", columns).sort_by("span_id") for d in ("first", "second")]
    assert rows[0].equals(rows[1])


def test_a_chain_of_relays(serve, tmp_path):
    """Two relays before the one that stores, of which the middle one is started last."""
    last = serve(tmp_path / "last", "--write-interval-secs", "1")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    middle = serve(tmp_path / "middle", *forwarding_flags(tmp_path / "a", destination(f"http://{last.grpc}", protocol="grpc"), store=False))
    first = serve(tmp_path / "first", *forwarding_flags(tmp_path / "b", destination(f"http://{middle.http}", protocol="http"), store=False))
    load = load_of(first)
    wait_until_sent(first)
    wait_until_sent(middle)
    assert_all_balanced(first)
    assert_all_balanced(middle)
    for server in (first, middle, last):
        server.stop()
    assert_nothing_lost(tmp_path / "last", [load], SIGNALS)


# --- relay ----------------------------------------------------------------------------------------------------------


def relayed(server):
    """Items by signal, from /metrics; and that what came is relayed or on its way, refused or invalid."""
    ledger = server.ledger()
    assert_balanced(ledger)
    return {s: ledger[s]["relayed"] for s in SIGNALS}


def test_a_relay_stores_nothing(forward, directory, start_peer, protocol):
    peer = start_peer(protocol)
    server = forward(destination(peer), store=False)
    load = load_of(server)
    wait_until_sent(server)
    wait_for(lambda: relayed(server) == {s: len(load.acknowledged[s]) for s in SIGNALS}, what="all to be relayed")
    assert_all_balanced(server)
    server.stop()
    assert_arrived([peer.got], [load], SIGNALS)
    ledger = inspect(directory)["ledger"]
    assert_balanced(ledger)
    assert sum(ledger[s]["relayed"] for s in SIGNALS) == load.count()
    assert not list(directory.glob("otlp/*/*.arrow")) and not any((directory / "journal").iterdir())


def test_a_relay_of_flags_alone(serve, directory, start_peer):
    peer = start_peer("grpc")
    server = serve(directory, "--no-store", "--forward", peer.endpoint)
    assert peer.endpoint in server.log()
    load = load_of(server)
    wait_until_sent(server)
    server.stop()
    assert_arrived([peer.got], [load], SIGNALS)


def test_a_relay_with_a_full_backlog_refuses_and_goes_on_by_itself(forward, start_peer, protocol):
    """Senders are asked to try again later; nothing that was acknowledged is given up."""
    peer = start_peer(protocol)
    peer.stop()
    server = forward(destination(peer), store=False, forward_backlog_max_bytes=4 << 20)
    load = Load(server, items=20, padding="x" * 1000, pause=0.001)
    wait_for(lambda: load.refusals, timeout=30, what="a refusal")
    refused = server.ledger()["traces"]["refused"]
    assert refused.keys() == {"backlog_full"}, refused
    peer.start()
    load.wait_for(load.count() + 500)
    load.stop()
    wait_until_sent(server)
    found = assert_all_balanced(server)
    assert not next(iter(found.values())).total("given_up")
    server.stop()
    assert_arrived([peer.got], [load])


def test_a_relay_refuses_what_nobody_takes(forward, start_peer):
    """For good: to send it again would be in vain."""
    peer = start_peer("grpc")
    server = forward(destination(peer, signals=["traces"]), store=False)
    with otlp.GrpcSender(server.grpc) as sender, pytest.raises(grpc.RpcError) as error:
        sender.export("logs", otlp.request("logs", 10))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "'signals'" in error.value.details()
    with otlp.HttpSender(server.http) as sender:
        assert sender.post("/v1/logs", otlp.data(otlp.request("logs", 5)))[0] == 400
    assert server.ledger()["logs"]["refused"] == {"no_destination": 15}
    traces = load_of(server, 100, ("traces",))
    wait_until_sent(server)
    assert_all_balanced(server)
    server.stop()
    assert_arrived([peer.got], [traces])


def test_a_relay_needs_a_destination(directory):
    result = run("serve", "--output-dir", directory, "--no-store")
    assert result.returncode != 0 and "store" in result.stderr and "forwarding" in result.stderr, result.stderr


def test_store_and_a_full_backlog_give_up_the_oldest(forward, directory, start_peer):
    """The files have all; the destination gets the newest, and the ledger says how many it will never get."""
    peer = start_peer("grpc")
    peer.stop()
    server = forward(destination(peer, signals=["traces"]), forward_backlog_max_bytes=4 << 20, max_file_bytes=1 << 20)
    load = Load(server, items=20, padding="x" * 1000)
    wait_for(lambda: only(server).given_up("backlog_full") > 0, timeout=40, what="the first to be given up")
    load.stop()
    assert not load.refusals
    peer.start()
    wait_until_sent(server)
    entry = assert_all_balanced(server)
    entry = next(iter(entry.values()))
    server.stop()
    assert_nothing_lost(directory, [load])
    assert peer.got.count() == entry.total("sent") == len(peer.got.unique("traces"))
    assert entry.given_up("backlog_full") + entry.total("sent") == load.count()
    newest = load.acknowledged["traces"][-20:]
    assert set(newest) <= peer.got.unique("traces")
    assert inspect(directory)["ledger"]["destinations"]
