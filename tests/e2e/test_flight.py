"""Arrow Flight of the real server, through pyarrow's client."""

import json

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from harness import assert_balanced, run, wait_for


@pytest.fixture
def server(serve, directory):
    return serve(directory, "--write-interval-secs", "3600")


def connect(server, **options):
    return flight.connect(f"grpc://{server.flight}", **options)


def read(client, **command):
    return client.do_get(flight.Ticket(json.dumps({"signal": "logs"} | command).encode())).read_all()


def put(client, command, table):
    """Puts a table batch by batch, and returns what was acknowledged."""
    descriptor = flight.FlightDescriptor.for_command(json.dumps(command)) if isinstance(command, dict) else flight.FlightDescriptor.for_path(command)
    writer, acknowledged = client.do_put(descriptor, table.schema)
    answers = []
    with writer:
        for batch in table.to_batches():
            writer.write_batch(batch)
            answers.append(json.loads(acknowledged.read().to_pybytes()))
    return answers


MAPPING = {"signal": "logs", "columns": {"body": "message", "time": {"column": "ts", "unit": "s"}}, "attributes": ["user"],
           "resource_attributes": {"service.name": "shop"}}


def messages(count, first=0):
    numbers = range(first, first + count)
    return pa.table({"message": [f"message {i}" for i in numbers], "ts": list(numbers), "user": ["ann" if i % 2 else None for i in numbers]})


def test_rows_of_any_schema_come_back_as_ours(server):
    with connect(server) as client:
        assert put(client, MAPPING, messages(100)) == [{"batch": 0, "accepted": 100, "rejected": 0}]
        rows = read(client, columns=["body", "time", "service_name", "attributes"])
        assert rows.num_rows == 100
        assert rows.column("body").to_pylist()[7] == "message 7"
        assert dict(rows.column("attributes").to_pylist()[7]) == {"user": "ann"}
        assert read(client, start=10_000_000_000, end=20_000_000_000).num_rows == 10
        assert read(client, start="1970-01-01T00:00:10Z", end="1970-01-01T00:00:20Z").num_rows == 10
        assert read(client, services=["other"]).num_rows == 0
    assert_balanced(server.ledger())


def test_rows_are_the_same_before_and_after_they_are_in_files(server):
    with connect(server) as client:
        for i in range(3):
            put(client, MAPPING, messages(50, 100 * i))
        before = read(client).sort_by("time")
        assert read(client, include_journal=False).num_rows == 0
        [result] = client.do_action(flight.Action("flush", b""))
        assert json.loads(result.body.to_pybytes()) == {"flushed": True}
        assert read(client, include_journal=False).sort_by("time").to_pylist() == before.to_pylist()
        assert read(client, compression="none").sort_by("time").to_pylist() == before.to_pylist()
        info = client.get_flight_info(flight.FlightDescriptor.for_path("logs"))
        assert info.total_records == 150
        assert client.do_get(info.endpoints[0].ticket).read_all().num_rows == 150


def test_our_tables_are_taken_back_unchanged(server):
    with connect(server) as client:
        put(client, MAPPING, messages(20))
        rows = read(client)
        put(client, "logs", rows)
        again = read(client)
        assert again.num_rows == 40
        names = ["time", "body", "attributes", "resource_attributes"]
        assert again.select(names).slice(20).to_pylist() == again.select(names).slice(0, 20).to_pylist()


@pytest.mark.parametrize(("command", "error", "told"), [
    ("logs", pa.ArrowInvalid, "'message'"),
    ("profiles", KeyError, "traces"),
    ({"signal": "logs", "columns": {"nosuch": "message"}}, pa.ArrowInvalid, "observed_time"),
    ({"signal": "logs", "columns": {"body": "text"}}, pa.ArrowInvalid, "message, ts, user"),
    ({"signal": "logs", "columns": {"time": "message"}}, pa.ArrowInvalid, "'message'"),
    ({"signal": "logs", "mapping": {}}, pa.ArrowInvalid, "other_columns"),
])
def test_wrong_puts_are_told_what_is_wrong(server, command, error, told):
    with connect(server) as client:
        with pytest.raises((error, flight.FlightError)) as caught:
            put(client, command, messages(3))
        assert told in str(caught.value)
        assert read(client).num_rows == 0


@pytest.mark.parametrize("ticket", [b"", b"\0\xff garbage", b"[]", b'{"signal":"logs"', b'{"signal":"logs","start":{}}', b"{" * 70_000,
                                    b'{"signal":' + b"[" * 5000, b'{"signal":"logs","columns":["nosuch"]}'])
def test_wrong_tickets_are_refused_and_harm_nothing(server, ticket):
    with connect(server) as client:
        with pytest.raises(pa.ArrowInvalid):
            client.do_get(flight.Ticket(ticket)).read_all()
        assert read(client).num_rows == 0


def test_a_command_of_another_protocol_is_not_implemented(server):
    with connect(server) as client:
        with pytest.raises(NotImplementedError, match="traces"):
            client.get_flight_info(flight.FlightDescriptor.for_command(b"\x0a\x40type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"))


def test_a_cancelled_read_frees_its_stream(serve, directory):
    server = serve(directory, "--flight-max-streams", "1", "--write-interval-secs", "3600")
    with connect(server) as client:
        for i in range(40):
            put(client, MAPPING | {"resource_attributes": {"padding": "x" * 1000}}, messages(2000, 2000 * i))
        reader = client.do_get(flight.Ticket(b"logs"))
        reader.read_chunk()
        with pytest.raises(flight.FlightUnavailableError, match="max_streams"):
            read(client)
        reader.cancel()
        del reader

        def reads():
            try:
                return read(client, columns=["body"]).num_rows == 80_000
            except flight.FlightUnavailableError:
                return False

        wait_for(reads, what="a free stream")


def test_token_and_mutual_tls(serve, directory, authority, tmp_path):
    token = tmp_path / "token"
    token.write_text("first\n")
    ours, reader = authority.issue("flight-server"), authority.issue("reader")
    server = serve(directory, "--flight-tls-cert-file", ours.certificate, "--flight-tls-key-file", ours.key,
                   "--flight-tls-client-ca-file", authority.certificate,
                   env={"OTLP_FLIGHT_BEARER_TOKEN": f"${{file:{token}}}"})

    def call(secret, **options):
        headers = flight.FlightCallOptions(headers=[(b"authorization", b"Bearer " + secret)], timeout=10)
        with flight.connect(f"grpc+tls://{server.flight}", tls_root_certs=authority.certificate.read_bytes(), **options) as client:
            return client.do_get(flight.Ticket(b"logs"), headers).read_all().num_rows

    identity = {"cert_chain": reader.certificate.read_bytes(), "private_key": reader.key.read_bytes()}
    assert call(b"first", **identity) == 0
    with pytest.raises(flight.FlightUnauthenticatedError):
        call(b"wrong", **identity)
    with pytest.raises(flight.FlightUnavailableError):
        call(b"first")
    token.write_text("second\n")

    def replaced():
        try:
            return call(b"second", **identity) == 0
        except flight.FlightUnauthenticatedError:
            return False

    wait_for(replaced, what="the new token")
    assert "first" not in server.log()


def test_an_address_in_use_is_told(server, tmp_path):
    result = run("serve", "--output-dir", tmp_path / "other", "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0",
                 "--flight-address", server.flight)
    assert result.returncode != 0
    assert "flight.address" in result.stderr and server.flight in result.stderr


def test_what_is_acknowledged_survives_a_kill(serve, directory):
    server = serve(directory, "--write-interval-secs", "3600")
    with connect(server) as client:
        put(client, MAPPING, messages(10))
        server.kill()
    again = serve(directory)
    with connect(again) as client:
        assert read(client).num_rows == 10


def test_a_damaged_file_is_named_and_the_others_are_served(server, directory):
    with connect(server) as client:
        put(client, MAPPING, messages(10))
        list(client.do_action(flight.Action("flush", b"")))
        [path] = (directory / "otlp/logs").glob("*.arrow")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        for command in ({}, {"compression": "none"}):
            with pytest.raises((pa.ArrowInvalid, flight.FlightError)) as caught:
                read(client, **command)
            assert path.name in str(caught.value)
        path.unlink()
        assert read(client).num_rows == 0


def test_files_with_other_promoted_columns_are_one_table(serve, directory):
    server = serve(directory, "--promote-attributes", "user")
    with connect(server) as client:
        put(client, MAPPING, messages(10))
    server.stop()
    server = serve(directory, "--promote-attributes", "colour:int64", "--write-interval-secs", "3600")
    with connect(server) as client:
        put(client, MAPPING, messages(10))
        list(client.do_action(flight.Action("flush", b"")))
        put(client, MAPPING, messages(10))
        rows = read(client)
        assert rows.num_rows == 30
        assert rows.column("user").to_pylist().count("ann") >= 5
        assert {"user", "colour"} <= set(rows.column_names)
        assert sorted(rows.column("body").to_pylist()) == sorted([f"message {i}" for i in range(10)] * 3)


def test_expired_certificates_of_either_side_get_nowhere(serve, directory, authority):
    ours, old = authority.issue("flight-own"), authority.issue("flight-old", expired=True)
    server = serve(directory, "--flight-tls-cert-file", old.certificate, "--flight-tls-key-file", old.key)
    with flight.connect(f"grpc+tls://{server.flight}", tls_root_certs=authority.certificate.read_bytes()) as client:
        with pytest.raises(flight.FlightUnavailableError, match="(?i)certificate|handshake"):
            client.do_get(flight.Ticket(b"logs"), flight.FlightCallOptions(timeout=5)).read_all()
    server.stop()
    server = serve(directory, "--flight-tls-cert-file", ours.certificate, "--flight-tls-key-file", ours.key, "--flight-tls-client-ca-file",
                   authority.certificate)
    with flight.connect(f"grpc+tls://{server.flight}", tls_root_certs=authority.certificate.read_bytes(), cert_chain=old.certificate.read_bytes(),
                        private_key=old.key.read_bytes()) as client:
        with pytest.raises((flight.FlightUnavailableError, flight.FlightTimedOutError)):
            client.do_get(flight.Ticket(b"logs"), flight.FlightCallOptions(timeout=5)).read_all()


def test_batches_that_are_too_large_are_refused_and_counted(serve, directory):
    server = serve(directory, "--flight-max-batch-bytes", "64KiB")
    with connect(server) as client:
        with pytest.raises(pa.ArrowInvalid, match="flight.max_batch_bytes.*fewer rows"):
            put(client, MAPPING, messages(20_000))
        put(client, MAPPING, messages(10))
        [result] = client.do_action(flight.Action("stats", b""))
        logs = json.loads(result.body.to_pybytes())["ledger"]["logs"]
        assert logs["refused"] == {"too_large": 20_000}
        assert logs["received"] == 20_010


def test_metrics_tell_of_streams(server):
    with connect(server) as client:
        put(client, MAPPING, messages(10))
        assert read(client).num_rows == 10
    counts = dict(line.rsplit(" ", 1) for line in server.get("/metrics")[1].splitlines() if line.startswith("otlp_arrow_flight_"))
    assert (counts["otlp_arrow_flight_puts_total"], counts["otlp_arrow_flight_gets_total"]) == ("1", "1")
    assert int(counts["otlp_arrow_flight_sent_bytes_total"]) > 0
    wait_for(lambda: "otlp_arrow_flight_open_streams 0" in server.get("/metrics")[1], what="no open stream")
