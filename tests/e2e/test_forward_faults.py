"""A destination that fails in one way after the other. After each: everything acknowledged is in the files and arrived at the
destination, once where it did not fail between taking a request and answering it, and both ledgers balance."""

import pytest
from harness import SIGNALS, wait_for
from load import Load
from peers import answers
from peers.answers import REFUSE, TAKE, TAKE_AND_CUT, TOO_LARGE, UNAVAILABLE, Answer, always, every, first, unless
from peers.forwarding import Sent, assert_all_balanced, destination, finish, forwarding_flags, only, unique_spans, wait_until_sent

ITEMS = 400  # that each load sends at least


@pytest.fixture
def forward(serve, directory, tmp_path):
    """Starts a server that forwards to these destinations."""
    return lambda *destinations, **keys: serve(directory, *forwarding_flags(tmp_path, *destinations, **keys))


def load_of(server, items=ITEMS):
    load = Load(server, items=10, signals=SIGNALS, pause=0.002)
    load.wait_for(items)
    return load.stop()


# --- down, slow, dying ----------------------------------------------------------------------------------------------


def test_down_from_the_start(forward, start_peer, protocol):
    peer = start_peer(protocol)
    peer.stop()
    server = forward(destination(peer, breaker_failures=2))
    load = load_of(server)
    entry = wait_for(lambda: (e := only(server)).breaker == "open" and e, what="the circuit breaker to open")
    assert entry.backlog == load.count() and entry.values["failures_total"] >= 2 and entry.values["oldest_unsent_age_seconds"] > 0
    assert entry.values["backlog_bytes"] > 0
    peer.start()
    finish(server, [peer.got], [load])


def test_down_in_the_middle(forward, start_peer, protocol):
    peer = start_peer(protocol)
    server = forward(destination(peer))
    load = Load(server, items=10, signals=SIGNALS, pause=0.002)
    for rounds in range(1, 4):
        load.wait_for(rounds * 200)
        wait_for(lambda: peer.got.count() > 0, what="the first arrival")
        peer.stop()
        failures = only(server).values["failures_total"]
        load.wait_for(load.count() + 100)
        wait_for(lambda before=failures: only(server).values["failures_total"] > before, what="a failure")
        peer.start()
    load.stop()
    # What was under way when the peer was stopped may have been taken.
    finish(server, [peer.got], [load], once=False)


def test_refusing_connections_in_turn(forward, start_peer, protocol):
    """Each connection breaks before the peer sees a whole request."""
    peer = start_peer(protocol, proxied=True)
    peer.proxy.limits = [1, 100, 300, 1000, 0, 2000]
    server = forward(destination(peer, batch_bytes=20_000))
    load = load_of(server)
    wait_for(lambda: not peer.proxy.limits, what="all connections to break")
    finish(server, [peer.got], [load])
    assert peer.proxy.broken >= 4


def test_dying_in_the_middle_of_an_answer(forward, start_peer, protocol):
    peer = start_peer(protocol, proxied=True)
    peer.got.rule = every(3, TAKE_AND_CUT)
    server = forward(destination(peer, batch_bytes=4000))
    load = Load(server, items=10, signals=SIGNALS, pause=0.002)
    wait_for(lambda: len(peer.got.requests) > 10, what="some requests")
    load.stop()
    peer.got.rule = always(TAKE)
    found = finish(server, [peer.got], [load], once=False)
    assert sum(len(r.numbers) for r in peer.got.requests) > next(iter(found.values())).total("sent")  # some came twice


def test_slow_but_in_time(forward, start_peer, protocol):
    peer = start_peer(protocol)
    peer.got.rule = always(Answer(takes=True, delay=0.1))
    server = forward(destination(peer))
    load = load_of(server)
    finish(server, [peer.got], [load])


def test_too_slow(forward, start_peer, protocol):
    """Requests run into their time-out, though the peer takes them."""
    peer = start_peer(protocol)
    peer.got.rule = first(2, Answer(takes=True, delay=0.6))
    server = forward(destination(peer, timeout_ms=200))
    load = load_of(server)
    finish(server, [peer.got], [load], once=False)


def test_hanging(forward, start_peer, protocol):
    """The network swallows what is sent."""
    peer = start_peer(protocol, proxied=True)
    peer.proxy.holds = True
    server = forward(destination(peer, timeout_ms=300))
    load = load_of(server)
    wait_for(lambda: only(server).values["failures_total"] >= 2, what="time-outs")
    peer.proxy.holds = False
    finish(server, [peer.got], [load], once=False)


def test_garbage_instead_of_the_protocol(forward, start_peer, protocol):
    peer = start_peer(protocol, proxied=True)
    peer.proxy.garbage = b"\x00\xffSSH-2.0-nothing\r\n\r\n" * 20
    server = forward(destination(peer))
    load = load_of(server)
    wait_for(lambda: only(server).values["failures_total"] >= 2, what="failures")
    peer.proxy.garbage = b""
    finish(server, [peer.got], [load])


def test_garbage_as_the_answer(forward, start_peer):
    """The status decides: with 200 it was taken, whatever the body is; with an error of a proxy it is sent again."""
    peer = start_peer("http")
    page = b"\xff\xff\xff\xff<html>"
    rules = iter([Answer(takes=True, body=page), Answer(status=502, body=page), Answer(status=504, body=page)])
    peer.got.rule = lambda request: next(rules, TAKE) if request.signal == "traces" else TAKE
    server = forward(destination(peer, max_in_flight=1, batch_bytes=2000, signals=["traces", "metrics"]))
    load = load_of(server)
    found = finish(server, [], [load])
    lost = set(load.acknowledged["traces"]) - peer.got.unique("traces")
    assert not lost and max(peer.got.counter("traces").values()) == 1 and not next(iter(found.values())).total("given_up")


def test_a_web_page_is_no_receiver(forward, start_peer):
    """A login page answers 200 to everything; nothing is taken for sent."""
    peer = start_peer("http")
    page = Answer(takes=False, body=b"<html>Please log in</html>", content_type="text/html; charset=utf-8")
    rules = iter([page, page])
    peer.got.rule = lambda request: next(rules, TAKE)
    server = forward(destination(peer, max_in_flight=1, breaker_open_ms=50))
    load = load_of(server)
    finish(server, [peer.got], [load])


# --- answers that ask for patience ----------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [UNAVAILABLE, answers.TOO_MANY], ids=["503", "429"])
def test_not_now(forward, start_peer, protocol, answer):
    peer = start_peer(protocol)
    peer.got.rule = first(6, answer)
    server = forward(destination(peer, breaker_failures=3))
    load = load_of(server)
    finish(server, [peer.got], [load])


def test_the_wish_for_a_later_attempt_is_granted(forward, start_peer, protocol):
    """Retry-After counts in seconds, RetryInfo in any fraction."""
    wish = 1 if protocol == "http" else 0.4
    peer = start_peer(protocol)
    peer.got.rule = first(1, Answer(status=429, code=answers.StatusCode.RESOURCE_EXHAUSTED, message="later", retry_after=wish))
    server = forward(destination(peer, max_in_flight=1))
    sent = Sent().spans(server, unique_spans(10))
    finish(server, [peer.got], [sent])
    refused, taken = peer.got.requests
    assert taken.arrived - refused.arrived >= wish and taken.numbers[:10] == refused.numbers[:10]


def test_giving_up_after_the_longest_time(forward, start_peer, protocol):
    peer = start_peer(protocol)
    peer.got.rule = always(UNAVAILABLE)
    server = forward(destination(peer, max_retry_secs=1))
    sent = Sent().spans(server, unique_spans(10), unique_spans(20))
    found = finish(server, [peer.got], [sent], lost=sent.acknowledged["traces"])
    assert next(iter(found.values())).given_up("timeout") == 30 and len(peer.got.requests) > 1


# --- answers that refuse --------------------------------------------------------------------------------------------


def test_chosen_items_are_refused(forward, start_peer, protocol):
    """A batch is split until only the items that are not liked are left."""
    peer = start_peer(protocol)
    peer.got.rule = unless(lambda r: not any(n % 40 == 7 for n in r.numbers), REFUSE)
    server = forward(destination(peer))
    load = load_of(server)
    disliked = {n for numbers in load.acknowledged.values() for n in numbers if n % 40 == 7}
    found = finish(server, [peer.got], [load], lost=disliked)
    assert next(iter(found.values())).given_up("refused") == len(disliked) > 0


def test_larger_than_what_it_takes(forward, start_peer, protocol):
    peer = start_peer(protocol)
    peer.got.rule = unless(lambda r: r.size <= 1500, TOO_LARGE)
    server = forward(destination(peer))
    load = load_of(server)
    found = finish(server, [peer.got], [load])
    assert not next(iter(found.values())).total("given_up")
    assert any(r.size > 1500 for r in peer.got.requests)


def test_one_item_larger_than_what_it_takes(forward, start_peer, protocol):
    peer = start_peer(protocol)
    peer.got.rule = unless(lambda r: r.size <= 3000, TOO_LARGE)
    server = forward(destination(peer))
    big = unique_spans(1, attributes={"padding": "x" * 5000})
    sent = Sent().spans(server, unique_spans(5) + big + unique_spans(5), unique_spans(5))
    found = finish(server, [peer.got], [sent], lost=[int.from_bytes(big[0].span_id, "big")])
    assert next(iter(found.values())).given_up("too_large") == 1


def test_partial_success(forward, start_peer, protocol):
    peer = start_peer(protocol)
    peer.got.rule = always(Answer(takes=True, rejected=2, message="two too many"))
    server = forward(destination(peer))
    load = load_of(server)
    wait_until_sent(server)
    entry = next(iter(assert_all_balanced(server).values()))
    assert entry.total("rejected") == 2 * len(peer.got.requests) > 0
    assert entry.total("sent") == load.count() - entry.total("rejected") == peer.got.count()
    server.stop()


# --- answers that an operator must mend -----------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [answers.UNAUTHORIZED, answers.FORBIDDEN, answers.NOT_FOUND], ids=["401", "403", "404"])
def test_nothing_is_lost_while_an_operator_mends_it(forward, start_peer, protocol, answer):
    peer = start_peer(protocol)
    peer.got.rule = always(answer)
    server = forward(destination(peer))
    load = load_of(server)
    entry = wait_for(lambda: (e := only(server)).breaker == "open" and e, what="the circuit breaker to open")
    assert entry.backlog == load.count() and not entry.total("given_up")
    wait_for(lambda: answer.message in server.log() or str(answer.status) in server.log(), what="a word about it in the log")
    peer.got.rule = always(TAKE)
    finish(server, [peer.got], [load])


def test_a_wrong_token_is_looked_up_anew(forward, start_peer, protocol, tmp_path):
    token = tmp_path / "token"
    token.write_text("an-old-secret\n")
    peer = start_peer(protocol)
    peer.got.rule = unless(lambda r: r.headers.get("authorization") == "Bearer a-new-secret", answers.UNAUTHORIZED)
    server = forward(destination(peer, bearer_token=f"${{file:{token}}}"))
    load = load_of(server)
    wait_for(lambda: len(peer.got.requests) >= 2, what="attempts")
    assert peer.got.requests[0].headers["authorization"] == "Bearer an-old-secret"
    token.write_text("a-new-secret\n")
    finish(server, [peer.got], [load])
    assert "secret" not in server.log()


def test_redirect_on_the_same_host(forward, start_peer):
    peer = start_peer("http")
    moved = Answer(status=307, location="/moved/v1/traces")
    peer.got.rule = lambda r: TAKE if r.path.startswith("/moved/") else moved
    server = forward(destination(peer, signals=["traces"]))
    sent = Sent().spans(server, unique_spans(10), unique_spans(10))
    finish(server, [peer.got], [sent])


def test_redirect_to_another_host(forward, start_peer):
    """It is not followed: credentials would go with it. Nothing is lost until the configuration is mended."""
    other, peer = start_peer("http"), start_peer("http")
    peer.got.rule = always(Answer(status=307, location=f"http://localhost:{other.port}/v1/traces"))
    server = forward(destination(peer, signals=["traces"]))
    sent = Sent().spans(server, unique_spans(10))
    wait_for(lambda: f"localhost:{other.port}" in server.log(), what="a word about the redirect in the log")
    assert only(server).backlog == 10 and other.got.count() == 0
    peer.got.rule = always(TAKE)
    finish(server, [peer.got], [sent])


def test_a_redirect_to_itself_ends(forward, start_peer):
    peer = start_peer("http")
    peer.got.rule = always(Answer(status=307, location="/v1/traces"))
    server = forward(destination(peer, signals=["traces"]))
    sent = Sent().spans(server, unique_spans(10))
    wait_for(lambda: only(server).values["failures_total"] >= 1, what="a failure")
    peer.got.rule = always(TAKE)
    finish(server, [peer.got], [sent])


def test_a_name_that_nobody_knows(serve, directory, tmp_path, start_peer, protocol):
    """What was meant for it waits, over a restart too, for the right name."""
    peer = start_peer(protocol)
    server = serve(directory, *forwarding_flags(tmp_path, destination(f"http://no-such-host.invalid:{peer.port}", protocol=protocol, name="far")))
    load = load_of(server)
    wait_for(lambda: only(server).values["failures_total"] >= 1, what="a failure")
    assert only(server).backlog == load.count()
    wait_for(lambda: "no-such-host.invalid" in server.log(), what="a word about it in the log")
    server.stop()
    server = serve(directory, *forwarding_flags(tmp_path, destination(peer, name="far")))
    wait_for(lambda: peer.got.count() >= load.count(), what="the arrival of all")
    finish(server, [peer.got], [load])
