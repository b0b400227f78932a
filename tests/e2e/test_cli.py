"""The commands, as a person at a terminal or a script meets them."""

import json
import re
import time

import pytest

import otlp
import sdk_rows
import store
from harness import SIGNALS, assert_balanced, inspect, run


def fill(serve, directory, *flags, count=200):
    """A directory with all signals, attributes of every type, two services, and a key given twice."""
    server = serve(directory, *flags)
    everything = {"text": "ä", "yes": True, "n": -5, "pi": 3.25, "bytes": b"\x00\xff", "list": [1, "two", [3.0]], "map": {"b": 1, "a": [None]}, "nothing": None}
    with otlp.GrpcSender(server.grpc) as sender:
        for service in ("shop", "cart"):
            spans = [otlp.span(n, attributes=everything | {"http.route": f"/{n % 3}", "http.response.status_code": 200 + n % 2}) for n in range(1, count + 1)]
            spans[0].attributes.extend(otlp.attributes([("text", "again")]))
            spans[1].events.add(time_unix_nano=otlp.NOW, name="event", attributes=otlp.attributes(everything))
            spans[2].links.add(trace_id=b"\1" * 16, span_id=b"\2" * 8, attributes=otlp.attributes({"why": "x"}), trace_state="a=b")
            spans[3].status.code, spans[3].status.message = 2, "failed"
            sender.export("traces", otlp.traces(spans, service))
            sender.export("logs", otlp.logs([otlp.log(n, body=otlp.any_value(list(everything.values())[n % 8]), attributes=otlp.attributes(everything)) for n in range(1, count + 1)], service))
            sender.export("metrics", otlp.metrics([otlp.gauge(n, attributes=otlp.attributes({"n": n})) for n in range(1, count + 1)], service))
            sender.export("metrics", all_metric_kinds(service))
    server.stop()
    return count


def all_metric_kinds(service):
    request = otlp.metrics([], service)
    metrics = request.resource_metrics[0].scope_metrics[0].metrics
    del metrics[:]
    times = {"time_unix_nano": otlp.NOW + 5, "start_time_unix_nano": otlp.NOW}
    total = metrics.add(name="requests", unit="1", description="served", metadata=otlp.attributes({"origin": "test"})).sum
    total.aggregation_temporality, total.is_monotonic = 2, True
    point = total.data_points.add(as_double=0.5, flags=1, **times)
    point.exemplars.add(time_unix_nano=otlp.NOW, as_int=3, trace_id=b"\1" * 16, span_id=b"\2" * 8, filtered_attributes=otlp.attributes({"user": 7}))
    histogram = metrics.add(name="latency", unit="ms").histogram
    histogram.aggregation_temporality = 1
    histogram.data_points.add(count=6, sum=10.5, min=0.5, max=7, bucket_counts=[1, 2, 3], explicit_bounds=[1, 5], **times)
    exponential = metrics.add(name="size", unit="By").exponential_histogram
    exponential.aggregation_temporality = 2
    point = exponential.data_points.add(count=4, sum=8, scale=-2, zero_count=1, zero_threshold=0.25, **times)
    point.positive.offset, point.negative.offset = -3, 4
    point.positive.bucket_counts.extend([1, 0, 1])
    point.negative.bucket_counts.append(1)
    summary = metrics.add(name="old").summary
    point = summary.data_points.add(count=3, sum=6, **times)
    point.quantile_values.add(quantile=0.5, value=2)
    point.quantile_values.add(quantile=0.99, value=3)
    return request


def rows(directory, signal):
    """All rows, typed, in an order that does not depend on the files."""
    return sorted((sdk_rows.stored_row(row) for row in store.read_pyarrow(directory, signal)), key=lambda row: json.dumps(row, default=repr, sort_keys=True))


# --- help -------------------------------------------------------------------------------------------------------------


def test_version():
    result = run("--version")
    assert result.returncode == 0 and re.fullmatch(r"otlp-arrow \d+\.\d+\.\d+\n", result.stdout)


def test_help_teaches():
    result = run("--help")
    assert result.returncode == 0
    for word in ("serve", "recover", "inspect", "replay", "OTEL_EXPORTER_OTLP_ENDPOINT", "duckdb", "polars", "Exit codes"):
        assert word in result.stdout, word
    assert run().returncode == 2
    for command in ("serve", "recover", "inspect", "replay"):
        result = run(command, "--help")
        assert result.returncode == 0 and len(result.stdout) > 200, command
    serve_help = run("serve", "--help").stdout
    for flag in ("--output-dir", "--grpc-address", "--http-address", "--compression", "--acknowledge", "--memory-budget", "--config"):
        assert flag in serve_help, flag
    assert "none, lz4, zstd" in " ".join(serve_help.split())


def test_mistakes_are_named():
    for arguments in (["no-such-command"], ["serve", "--no-such-flag"], ["inspect"], ["replay", "x"], ["replay", "x", "--endpoint", "http://h:1", "--protocol", "smtp"]):
        result = run(*arguments)
        assert result.returncode == 2 and result.stderr, arguments
    for command in ("inspect", "recover"):
        result = run(command, "/no/such/directory")
        assert result.returncode == 1 and "/no/such/directory" in result.stderr
    assert run("replay", "/no/such/directory", "--endpoint", "http://127.0.0.1:1").returncode == 1


# --- inspect ----------------------------------------------------------------------------------------------------------


def test_inspect_table_and_json(serve, directory):
    count = fill(serve, directory)
    found = inspect(directory)
    assert found["signals"]["traces"]["rows"] == 2 * count and found["signals"]["logs"]["rows"] == 2 * count
    assert found["signals"]["metrics"]["rows"] == 2 * count + 8
    assert found["signals"]["traces"]["services"] == {"cart": count, "shop": count}
    assert found["signals"]["traces"]["first_time_unix_nano"] == otlp.NOW + 1
    assert found["signals"]["traces"]["last_time_unix_nano"] == otlp.NOW + count + 1000
    assert found["signals"]["traces"]["files"] == len(store.files(directory, "traces"))
    assert found["damaged"] == [] and found["journals"] == {"live": 0, "left": 0, "left_items": 0}
    assert_balanced(found["ledger"])
    text = run("inspect", directory).stdout
    assert re.search(rf"traces +{found['signals']['traces']['files']} +{2 * count} ", text)
    assert "shop" in text and "cart" in text and "2023-11-14" in text
    (path, *_) = store.files(directory, "traces")
    assert json.loads(run("inspect", "--json", path).stdout)["signals"]["traces"]["files"] == 1
    text = run("inspect", "--schema", directory).stdout
    for column in ("trace_id", "metric_name", "severity_text"):
        assert column in text


def test_inspect_while_the_server_runs(serve, directory):
    server = serve(directory, "--write-interval-secs", "3600")
    with otlp.GrpcSender(server.grpc) as sender:
        sender.export("traces", otlp.request("traces", 5))
        for _ in range(20):
            found = inspect(directory)
            assert found["journals"]["live"] >= 1 and found["journals"]["left"] == 0
            sender.export("traces", otlp.request("traces", 5))
    server.stop()
    assert inspect(directory)["signals"]["traces"]["rows"] == 105


# --- replay -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize("gzip", [[], ["--gzip"]], ids=["plain", "gzip"])
def test_replay_makes_an_equal_copy(serve, tmp_path, protocol, gzip):
    source, target = tmp_path / "source", tmp_path / "target"
    count = fill(serve, source)
    server = serve(target)
    endpoint = f"http://{server.grpc if protocol == 'grpc' else server.http}"
    result = run("replay", source, "--endpoint", endpoint, "--protocol", protocol, "--batch", 64, *gzip)
    assert result.returncode == 0, result.stderr
    assert f"sent {6 * count + 8:,} items" in result.stdout
    server.stop()
    for signal in SIGNALS:
        left, right = rows(source, signal), rows(target, signal)
        assert len(left) == len(right) > 0
        for a, b in zip(left, right):
            assert a == b
        # The text of attributes and types, too: what is stored is the same, not only what it means.
        columns = [c for c in store.dataset(source, signal).schema.names if "attributes" in c]
        texts = lambda d: sorted(map(repr, store.table(d, signal, columns).to_pylist()))
        assert texts(source) == texts(target)


def test_replay_dry_run_sends_nothing(serve, tmp_path):
    count = fill(serve, tmp_path / "source")
    server = serve(tmp_path / "target")
    result = run("replay", tmp_path / "source", "--endpoint", f"http://{server.grpc}", "--dry-run")
    assert result.returncode == 0 and f"would send {6 * count + 8:,} items" in result.stdout
    server.stop()
    assert all(entry["received"] == 0 for entry in (inspect(tmp_path / "target")["ledger"][s] for s in SIGNALS))


def test_replay_of_a_part(serve, tmp_path):
    count = fill(serve, tmp_path / "source")
    server = serve(tmp_path / "target")
    result = run("replay", tmp_path / "source", "--endpoint", f"http://{server.grpc}", "--signal", "logs", "--until", "2023-11-14T22:13:20.000000101Z")
    assert result.returncode == 0, result.stderr
    server.stop()
    assert store.count_rows(tmp_path / "target", "logs") == 2 * 100
    assert store.count_rows(tmp_path / "target", "traces") == 0
    assert count == 200


def test_replay_waits_for_a_server_that_is_away(serve, tmp_path):
    fill(serve, tmp_path / "source", count=10)
    gone = serve(tmp_path / "target")
    gone.stop()
    start = time.monotonic()
    result = run("replay", tmp_path / "source", "--endpoint", f"http://{gone.grpc}", "--retry-for", 1, timeout=30)
    assert result.returncode == 1 and gone.grpc in result.stderr and time.monotonic() - start < 15


# --- recover ----------------------------------------------------------------------------------------------------------


def test_recover_with_nothing_to_do(serve, tmp_path):
    result = run("recover", tmp_path)
    assert result.returncode == 0 and "0 journals" in result.stdout
    assert list(tmp_path.iterdir()) == []
    serve(tmp_path / "used").stop()
    result = run("recover", tmp_path / "used")
    assert result.returncode == 0 and "0 journals" in result.stdout


def test_recover_leaves_the_living_alone(serve, directory):
    server = serve(directory, "--write-interval-secs", "3600")
    with otlp.GrpcSender(server.grpc) as sender:
        sender.export("traces", otlp.request("traces", 10))
        result = run("recover", directory)
        assert result.returncode == 0 and "at work" in result.stdout
        sender.export("traces", otlp.request("traces", 10, first=11))
    server.stop()
    assert sorted(store.column(directory, "traces", "span_id")) == [otlp.span_hex(n) for n in range(1, 21)]


# --- configuration ----------------------------------------------------------------------------------------------------


def settings(*arguments, **env):
    """What --check-config says is in force: value and origin by key."""
    result = run("serve", "--check-config", *arguments, **env)
    assert result.returncode == 0, result.stderr
    found, section = {}, ""
    for line in result.stdout.splitlines():
        if match := re.fullmatch(r"( *)([\w.]+): *([^#]*?) *(?:# *(.*))?", line):
            indent, key, value, origin = match.groups()
            section = section if indent else ""
            if not value and not indent:
                section = key + "."
            found[section + key if indent else key] = (value.strip('"'), origin or "")
    return found


def test_flags_win_over_the_environment_over_the_file(tmp_path):
    file = tmp_path / "otlp.yaml"
    file.write_text("workers: 1\nwrite_interval_secs: 11\ncompression: lz4\ngrpc:\n  address: 127.0.0.1:1111\n")
    found = settings("--config", file, "--workers", "3", OTLP_WORKERS="2", OTLP_WRITE_INTERVAL_SECS="22", OTLP_GRPC_ADDRESS="127.0.0.1:2222")
    assert found["workers"][0] == "3" and "--workers" in found["workers"][1]
    assert found["write_interval_secs"][0] == "22" and "OTLP_WRITE_INTERVAL_SECS" in found["write_interval_secs"][1]
    assert found["compression"][0] == "lz4" and str(file) in found["compression"][1]
    assert found["grpc.address"][0] == "127.0.0.1:2222"
    assert found["acknowledge"][0] == "journal"
    assert settings(OTLP_ARROW_CONFIG=file)["workers"][0] == "1"


def test_check_config_starts_nothing(tmp_path):
    settings("--output-dir", tmp_path / "telemetry")
    assert list(tmp_path.iterdir()) == []


BAD_VALUES = [
    ("--compression", "gzip", ["compression", "gzip", "none", "lz4", "zstd"]),
    ("--acknowledge", "always", ["acknowledge", "always", "memory", "journal", "fsync"]),
    ("--write-interval-secs", "0", ["write_interval_secs", "0", "1 to 86400"]),
    ("--write-interval-secs", "soon", ["write_interval_secs", "soon", "1 to 86400"]),
    ("--write-interval-secs", "-1", ["write_interval_secs", "-1", "1 to 86400"]),
    ("--workers", "99999999999999999999", ["workers", "99999999999999999999", "0 to 256"]),
    ("--memory-budget", "12 parsecs", ["memory_budget", "12 parsecs"]),
    ("--grpc-address", "nowhere", ["grpc.address", "nowhere", "host:port"]),
    ("--http-address", "127.0.0.1:99999", ["http.address", "127.0.0.1:99999"]),
    ("--http-enabled", "maybe", ["http.enabled", "maybe", "true, false"]),
    ("--promote-attributes", "a:complex", ["promote_attributes", "a:complex", "string, int64, double, bool"]),
    ("--promote-attributes", "trace_id", ["promote_attributes", "trace_id"]),
    ("--log-level", "loud", ["log_level", "loud", "debug"]),
]


@pytest.mark.parametrize("flag, value, words", BAD_VALUES, ids=[f"{f}={v}" for f, v, _ in BAD_VALUES])
def test_a_bad_value_is_named_whatever_its_source(tmp_path, flag, value, words):
    name = flag.removeprefix("--").replace("-", "_")
    key = re.sub(r"^(grpc|http)_", r"\1.", name)
    file = tmp_path / "otlp.yaml"
    quoted = json.dumps(value) if not re.fullmatch(r"-?\d+", value) else value
    if "promote" in key:
        quoted = f"[{quoted}]"
    file.write_text(f"{key.split('.')[0]}:\n  {key.split('.')[1]}: {quoted}\n" if "." in key else f"{key}: {quoted}\n")
    for result, source in (
        (run("serve", "--output-dir", tmp_path / "d", f"{flag}={value}"), flag),
        (run("serve", "--output-dir", tmp_path / "d", **{"OTLP_" + name.upper(): value}), "OTLP_" + name.upper()),
        (run("serve", "--output-dir", tmp_path / "d", "--config", file), str(file)),
    ):
        assert result.returncode == 2, result.stderr
        for word in [*words, source]:
            assert word in result.stderr, result.stderr
    assert not (tmp_path / "d").exists()


def test_unknown_keys_and_broken_files_are_named(tmp_path):
    file = tmp_path / "otlp.yaml"
    file.write_text("output_dir: x\nwrite_intervall_secs: 5\n")
    result = run("serve", "--config", file)
    assert result.returncode == 2 and "write_intervall_secs" in result.stderr and "write_interval_secs" in result.stderr and f"{file}:2" in result.stderr
    file.write_text("grpc: [not, a, map]\n")
    result = run("serve", "--config", file)
    assert result.returncode == 2 and "grpc" in result.stderr
    file.write_text("a: b: c\n  - {\n")
    result = run("serve", "--config", file)
    assert result.returncode == 2 and str(file) in result.stderr
    result = run("serve", "--config", tmp_path / "none.yaml")
    assert result.returncode == 2 and "none.yaml" in result.stderr
