"""The OpenTelemetry Collector as a destination, over each protocol, in plain text and with mutual TLS."""

import pytest
from harness import SIGNALS, wait_for
from load import Load
from peers.collector import Collector, program
from peers.forwarding import assert_all_balanced, assert_arrived, destination, finish, forwarding_flags, wait_until_sent


@pytest.fixture(scope="module", autouse=True)
def built():
    program()


@pytest.fixture
def collector(tmp_path):
    started = []

    def start(**options):
        started.append(Collector(tmp_path / "collector", **options))
        return started[-1]

    yield start
    for peer in started:
        peer.close()


def send_through(server, peer):
    load = Load(server, items=10, signals=SIGNALS, pause=0.001)
    load.wait_for(600)
    load.stop()
    finish(server, [], [load])
    for signal in SIGNALS:
        wait_for(lambda s=signal: peer.unique(s) >= set(load.acknowledged[s]), what=f"all {signal} in the Collector's file")
    assert_arrived([peer], [load], SIGNALS)


# The first of them may have to build the Collector.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("protocol, compression", [("grpc", "none"), ("grpc", "gzip"), ("http", "none"), ("http", "gzip"), ("http", "zstd")])
def test_plain_text(serve, directory, tmp_path, collector, protocol, compression):
    peer = collector()
    server = serve(directory, *forwarding_flags(tmp_path, destination(peer.endpoint(protocol), protocol=protocol, compression=compression)))
    send_through(server, peer)


@pytest.mark.timeout(900)
def test_mutual_tls(serve, directory, tmp_path, collector, authority, protocol):
    peer = collector(tls=authority.issue("collector", client_ca=authority.certificate))
    client = authority.issue("client")
    tls = {"ca_file": str(authority.certificate), "cert_file": str(client.certificate), "key_file": str(client.key)}
    server = serve(directory, *forwarding_flags(tmp_path, destination(peer.endpoint(protocol), protocol=protocol, tls=tls)))
    send_through(server, peer)


@pytest.mark.timeout(900)
def test_a_restart_of_the_collector(serve, directory, tmp_path, collector, protocol):
    """While a relay sends to it; it is away for a while."""
    peer = collector()
    server = serve(directory, *forwarding_flags(tmp_path, destination(peer.endpoint(protocol), protocol=protocol), store=False))
    load = Load(server, items=10, signals=SIGNALS, pause=0.001)
    load.wait_for(300)
    peer.stop()
    load.wait_for(load.count() + 300)
    peer.start()
    load.wait_for(load.count() + 300)
    load.stop()
    for signal in SIGNALS:
        wait_for(lambda s=signal: peer.unique(s) >= set(load.acknowledged[s]), what=f"all {signal} in the Collector's file")
    wait_until_sent(server)
    assert_all_balanced(server)
    server.stop()
