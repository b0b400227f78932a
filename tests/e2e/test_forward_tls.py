"""TLS towards destinations: who trusts whom, and what is said of it when they do not. Nothing is lost meanwhile."""

import pytest
from harness import wait_for
from peers.certificates import Authority
from peers.forwarding import Sent, destination, finish, forwarding_flags, only, unique_spans


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


def trust(authority, **more):
    return {"tls": {"ca_file": str(authority.certificate)} | more}


def start(serve, directory, tmp_path, peer, **keys):
    """A server whose destination is the peer under its name `localhost`, which sends ten spans."""
    server = serve(directory, *forwarding_flags(tmp_path, destination(peer, endpoint=f"https://localhost:{peer.port}", **keys)))
    return server, Sent().spans(server, unique_spans(10))


def assert_fails(server, peer, *words):
    """The connection fails, the log says why, and what was to be sent waits."""
    wait_for(lambda: only(server).values["failures_total"] >= 1, what="a failure")
    wait_for(lambda: any(word in server.log().lower() for word in words), what=f"one of {words} in the log: {server.log()}")
    assert only(server).backlog == 10 and not only(server).total("given_up") and not peer.got.requests


def test_a_trusted_server(serve, directory, tmp_path, start_peer, protocol, authority):
    peer = start_peer(protocol, tls=authority.issue("server"))
    server, sent = start(serve, directory, tmp_path, peer, **trust(authority))
    finish(server, [peer.got], [sent])


@pytest.mark.parametrize("fault, words", [("expired", ("expired",)), ("other-name", ("localhost", "name")), ("stranger", ("authority", "issuer", "self-signed", "self signed", "trusted"))])
def test_a_server_that_is_not_trusted(serve, directory, tmp_path, start_peer, protocol, authority, stranger, fault, words):
    identity = {"expired": lambda: authority.issue("expired", expired=True), "other-name": lambda: authority.issue("other", names="DNS:other.example"),
                "stranger": lambda: stranger.issue("server")}[fault]()
    peer = start_peer(protocol, tls=identity)
    server, sent = start(serve, directory, tmp_path, peer, **trust(authority))
    assert_fails(server, peer, *words)
    # Its operator mends it.
    peer.stop()
    peer.tls = authority.issue("server")
    peer.start()
    finish(server, [peer.got], [sent])


def test_the_name_of_the_certificate_can_be_told(serve, directory, tmp_path, start_peer, protocol, authority):
    peer = start_peer(protocol, tls=authority.issue("other", names="DNS:other.example"))
    server, sent = start(serve, directory, tmp_path, peer, **trust(authority, server_name="other.example"))
    finish(server, [peer.got], [sent])


def test_mutual_tls(serve, directory, tmp_path, start_peer, protocol, authority):
    peer = start_peer(protocol, tls=authority.issue("server", client_ca=authority.certificate))
    client = authority.issue("client")
    server, sent = start(serve, directory, tmp_path, peer, **trust(authority, cert_file=str(client.certificate), key_file=str(client.key)))
    finish(server, [peer.got], [sent])


def test_mutual_tls_without_a_certificate_of_ours(serve, directory, tmp_path, start_peer, protocol, authority):
    peer = start_peer(protocol, tls=authority.issue("server", client_ca=authority.certificate))
    server, sent = start(serve, directory, tmp_path, peer, **trust(authority))
    wait_for(lambda: only(server).values["failures_total"] >= 1, what="a failure")
    assert only(server).backlog == 10 and not peer.got.requests
    peer.stop()
    peer.tls = authority.issue("server")
    peer.start()
    finish(server, [peer.got], [sent])


def test_a_renewed_certificate_of_ours_is_looked_up_anew(serve, directory, tmp_path, start_peer, protocol, authority, stranger):
    """The client's certificate is of an authority that the peer does not know, until the files are replaced."""
    peer = start_peer(protocol, tls=authority.issue("server", client_ca=authority.certificate))
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"

    def install(identity):
        certificate.write_bytes(identity.certificate.read_bytes())
        key.write_bytes(identity.key.read_bytes())

    install(stranger.issue("client"))
    server, sent = start(serve, directory, tmp_path, peer, **trust(authority, cert_file=str(certificate), key_file=str(key)))
    wait_for(lambda: only(server).values["failures_total"] >= 1, what="a failure")
    assert not peer.got.requests
    install(authority.issue("client"))
    finish(server, [peer.got], [sent])


def test_plain_text_where_tls_is_spoken(serve, directory, tmp_path, start_peer, protocol, authority):
    peer = start_peer(protocol, tls=authority.issue("server"))
    server = serve(directory, *forwarding_flags(tmp_path, destination(peer, endpoint=f"http://localhost:{peer.port}", protocol=protocol)))
    sent = Sent().spans(server, unique_spans(10))
    wait_for(lambda: only(server).values["failures_total"] >= 1, what="a failure")
    assert only(server).backlog == 10
    peer.stop()
    peer.tls = None
    peer.start()
    finish(server, [peer.got], [sent])
