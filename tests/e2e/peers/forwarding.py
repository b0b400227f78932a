"""The forwarding side of `otlp-arrow serve`: its configuration, what it tells of its destinations, and what must hold of it."""

import json
import re

import harness
import otlp
from harness import SIGNALS
from load import assert_nothing_lost

# Quick enough for tests. What a test is about it sets itself.
QUICK = {"batch_delay_ms": 20, "timeout_ms": 5000, "retry_initial_ms": 20, "retry_max_ms": 200, "breaker_open_ms": 200}
REASONS = ("backlog_full", "refused", "too_large", "timeout", "damaged")


def destination(peer, **keys):
    """The settings of a destination that is a peer of the tests, or a URL."""
    if isinstance(peer, str):
        return QUICK | {"endpoint": peer} | keys
    return QUICK | {"endpoint": peer.endpoint, "protocol": peer.protocol} | keys


def config_file(directory, *destinations, **keys):
    """A configuration file, in the part of YAML that is JSON."""
    path = directory / "otlp-arrow.yaml"
    keys = {"write_interval_secs": 1, "trace_cleanup_interval_secs": 0, "metric_cleanup_interval_secs": 0, "log_cleanup_interval_secs": 0,
            "flight": {"enabled": False}} | keys
    path.write_text(json.dumps(keys | {"forwarding": list(destinations)}))
    return path


def forwarding_flags(directory, *destinations, **keys):
    """The flags of a server that forwards, whose configuration is written to a file."""
    return "--config", config_file(directory, *destinations, **keys)


class Destination:
    """What /metrics tells of one destination."""

    def __init__(self):
        self.signals = {s: {"accepted": 0, "sent": 0, "rejected": 0, "given_up": {}, "backlog": 0} for s in SIGNALS}
        self.breaker = ""  # "closed", "open", "half_open"
        self.values = {}  # the rest, by the name after otlp_arrow_forward_

    def __repr__(self):
        return f"{self.signals} {self.values}"

    def total(self, state):
        return sum(sum(s[state].values()) if state == "given_up" else s[state] for s in self.signals.values())

    @property
    def backlog(self):
        return self.total("backlog")

    def given_up(self, reason):
        return sum(s["given_up"].get(reason, 0) for s in self.signals.values())


def destinations(server):
    """By name, from /metrics."""
    status, text = server.get("/metrics")
    assert status == 200
    return parse(text)


def parse(text):
    found = {}
    for line in text.splitlines():
        sample = re.fullmatch(r"otlp_arrow_forward_(\w+)\{(.*)\} (\S+)", line)
        if not sample:
            continue
        labels, value = dict(re.findall(r'(\w+)="([^"]*)"', sample[2])), float(sample[3])
        entry = found.setdefault(labels["destination"], Destination())
        if sample[1] == "items_total" and labels["state"] == "given_up":
            if value:
                entry.signals[labels["signal"]]["given_up"][labels["reason"]] = int(value)
        elif sample[1] == "items_total":
            entry.signals[labels["signal"]][labels["state"]] = int(value)
        elif sample[1] == "breaker_state":
            entry.breaker = labels["state"] if value else entry.breaker
        elif sample[1] == "backlog_items":
            entry.signals[labels["signal"]]["backlog"] = int(value)
        else:
            entry.values[sample[1] + ("" if labels.keys() <= {"destination"} else str(sorted(labels.items())))] = value
    return found


def only(server):
    """The only destination."""
    found = destinations(server)
    assert len(found) == 1, found.keys()
    return next(iter(found.values()))


def assert_destinations_balanced(found):
    """accepted = sent + rejected + given up + backlog, for each signal, and no count is negative."""
    for name, entry in found.items():
        for signal, counts in entry.signals.items():
            parts = [counts["sent"], counts["rejected"], *counts["given_up"].values(), counts["backlog"]]
            assert counts["accepted"] == sum(parts) and min(parts) >= 0, f"{name}, {signal} does not balance: {counts}"
            assert counts["given_up"].keys() <= set(REASONS), counts


def wait_until_sent(server, name=None, timeout=30):
    """Until a destination, or each of them, has no backlog."""

    def is_sent():
        found = destinations(server)
        assert found, "the server tells of no destination"
        return all(entry.backlog == 0 for entry in ([found[name]] if name else found.values()))

    harness.wait_for(is_sent, timeout, what=f"the end of the backlog ({destinations(server)})")


def assert_arrived(peers, loads, signals=("traces",), once=True, lost=()):
    """Every acknowledged item came to the peers (which share the items), exactly once if so promised, and no other but undecided
    ones. `lost`: numbers that the test knows were given up."""
    for signal in signals:
        counted = sum((peer.counter(signal) for peer in peers[1:]), peers[0].counter(signal))
        acknowledged = {n for load in loads for n in load.acknowledged.get(signal, ())} - set(lost)
        undecided = {n for load in loads for n in load.undecided.get(signal, ())}
        missing = acknowledged - counted.keys()
        strange = counted.keys() - acknowledged - undecided
        assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged {signal} did not arrive, such as {sorted(missing)[:3]}"
        assert not strange, f"{len(strange)} {signal} arrived that were refused or never sent, such as {sorted(strange)[:3]}"
        if once:
            twice = [n for n, count in counted.items() if count > 1]
            assert not twice, f"{len(twice)} {signal} arrived more than once, such as {twice[:3]}"


def assert_all_balanced(server):
    """The equations of the ledger and of the destinations."""
    found = destinations(server)
    assert_destinations_balanced(found)
    harness.assert_balanced(server.ledger())
    return found


def inspected_destinations(directory):
    """By name and signal, from `otlp-arrow inspect --json`; totals of all processes that have ended."""
    return harness.inspect(directory)["ledger"]["destinations"]


class Sent:
    """A few requests sent by the test itself, in the form of a Load: the numbers that were acknowledged."""

    def __init__(self):
        self.acknowledged = {s: [] for s in SIGNALS}
        self.undecided = {s: [] for s in SIGNALS}

    def spans(self, server, *requests):
        """Sends requests of spans over gRPC, one after the other."""
        with otlp.GrpcSender(server.grpc) as sender:
            for spans in requests:
                sender.export("traces", otlp.traces(spans))
                self.acknowledged["traces"] += [int.from_bytes(s.span_id, "big") for s in spans]
        return self


def unique_spans(count, **fields):
    return [otlp.span(next(otlp.unique_numbers), **fields) for _ in range(count)]


def finish(server, peers, loads, once=True, lost=(), code=0):
    """Waits until all is sent, ends the server, and checks everything that must hold then: the equations, while it ran and as they
    are written down; what the peers got; what is stored. Returns the destinations as they were at the end."""
    wait_until_sent(server)
    found = assert_all_balanced(server)
    server.stop(code=code)
    signals = [s for s in SIGNALS if any(load.acknowledged.get(s) for load in loads)]
    ledger = harness.inspect(server.directory)["ledger"]
    harness.assert_balanced(ledger)
    for name, entry in found.items():
        told = ledger["destinations"][name]
        for signal in signals:
            counts = entry.signals[signal]
            written = told.get(signal, {})
            assert written.get("sent", 0) == counts["sent"] and written.get("rejected", 0) == counts["rejected"], (name, signal, told, counts)
            assert {k: v for k, v in written.get("given_up", {}).items() if v} == counts["given_up"], (name, signal, told, counts)
    assert_nothing_lost(server.directory, loads, signals)
    for peer in peers:
        assert_arrived([peer], loads, signals, once, lost)
    return found
