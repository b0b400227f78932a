"""What a file says of itself, and what a query may rely on."""

import pyarrow
import pytest

import otlp
import store
from harness import SIGNALS


@pytest.fixture
def filled(serve, directory):
    server = serve(directory)
    spans = [
        otlp.span(n, attributes={"http.route": f"/r/{n % 3}", "http.response.status_code": 200 + n % 4, "http.request.method": "GET", "server.port": "80" if n == 1 else 8080})
        for n in range(1, 1001)
    ]
    with otlp.GrpcSender(server.grpc) as sender:
        sender.export("traces", otlp.traces(spans))
        sender.export("metrics", otlp.request("metrics", 100))
        sender.export("logs", otlp.request("logs", 100))
    server.stop()
    return directory


@pytest.mark.parametrize("signal", SIGNALS)
def test_files_say_what_they_are(filled, signal):
    (path,) = store.files(filled, signal)
    schema = pyarrow.ipc.open_file(path).schema
    assert schema.metadata[b"otlp_arrow.schema_version"] == b"1"
    assert schema.metadata[b"otlp_arrow.signal"] == signal.encode()


def test_columns_have_their_types(filled):
    schema = store.dataset(filled, "traces").schema
    text = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    assert schema.field("trace_id").type == pyarrow.string()
    assert schema.field("start_time").type == pyarrow.timestamp("ns")
    assert schema.field("duration_ns").type == pyarrow.int64()
    assert schema.field("name").type == text
    assert pyarrow.types.is_map(schema.field("attributes").type)
    assert pyarrow.types.is_list(schema.field("events").type)
    metrics = store.dataset(filled, "metrics").schema
    assert metrics.field("bucket_counts").type == pyarrow.list_(pyarrow.uint64())
    assert metrics.field("explicit_bounds").type == pyarrow.list_(pyarrow.float64())


def test_promoted_attributes_are_typed_columns(filled):
    schema = store.dataset(filled, "traces").schema
    assert pyarrow.types.is_dictionary(schema.field("http.route").type)
    assert schema.field("http.response.status_code").type == pyarrow.int64()
    table = store.table(filled, "traces", ["span_id", "http.route", "http.response.status_code"])
    for span_id, route, status in zip(*(table[c].to_pylist() for c in table.column_names)):
        n = int(span_id, 16)
        assert route == f"/r/{n % 3}" and status == 200 + n % 4
    assert store.query(filled, 'SELECT count(*) FROM traces WHERE "http.response.status_code" = 203') == [(250,)]


def test_promotion_can_be_chosen(serve, directory):
    server = serve(directory, "--promote-attributes", "a,b:int64,c:double,d:bool")
    values = [{"a": "x", "b": 5, "c": 0.5, "d": True}, {"a": 1, "b": "no number", "c": 2, "d": "true"}, {}]
    with otlp.GrpcSender(server.grpc) as sender:
        sender.export("logs", otlp.logs([otlp.log(i, attributes=otlp.attributes(v)) for i, v in enumerate(values)]))
    server.stop()
    schema = store.dataset(directory, "logs").schema
    assert [schema.field(c).type for c in "bcd"] == [pyarrow.int64(), pyarrow.float64(), pyarrow.bool_()]
    assert "http.route" not in schema.names
    rows = store.read_pyarrow(directory, "logs")
    assert (rows[0]["a"], rows[0]["b"], rows[0]["c"], rows[0]["d"]) == ("x", 5, 0.5, True)
    assert rows[1]["b"] is None and rows[1]["d"] is None  # of another type: only in the map
    assert [rows[2][c] for c in "abcd"] == [None] * 4
    for row, value in zip(rows, values):
        assert store.attributes(row["attributes"], row["attributes_types"]) == value


def test_sql_over_the_map(filled):
    rows = store.query(filled, "SELECT attributes['http.route'] AS route, count(*) FROM traces GROUP BY route ORDER BY route")
    assert rows == [("/r/0", 333), ("/r/1", 334), ("/r/2", 333)]
    assert store.query(filled, "SELECT count(*) FROM traces WHERE attributes['server.port'] = '80'") == [(1,)]
    assert store.query(filled, "SELECT count(DISTINCT trace_id) FROM traces WHERE trace_id = '" + (1).to_bytes(16, "big").hex() + "'") == [(1,)]
    assert store.query(filled, "SELECT count(*) FROM traces WHERE resource_attributes['service.name'] = 'shop' AND kind = 'SERVER' AND service_name = 'shop'") == [(1000,)]
    assert store.query(filled, "SELECT min(duration_ns), max(epoch_ns(end_time) - epoch_ns(start_time)) FROM traces") == [(1000, 1000)]


def test_polars_filters_lazily(filled):
    frame = store.polars.scan_ipc(f"{filled}/otlp/traces/*.arrow")
    found = frame.filter(store.polars.col("http.response.status_code") == 201).select("name", "http.route").collect()
    assert found.height == 250


def test_old_and_new_files_are_one_table(serve, directory):
    """Files with other promoted columns than the rest still make one data set."""
    for i, promote in enumerate(("a", "a,b:int64")):
        server = serve(directory, "--promote-attributes", promote)
        with otlp.GrpcSender(server.grpc) as sender:
            sender.export("logs", otlp.logs([otlp.log(i, attributes=otlp.attributes({"a": "x", "b": 1}))]))
        server.stop()
    both = [pyarrow.dataset.dataset(f, format="arrow") for f in store.files(directory, "logs")]
    schema = pyarrow.unify_schemas([d.schema for d in both])
    table = pyarrow.dataset.dataset(f"{directory}/otlp/logs", format="arrow", schema=schema).to_table()
    assert sorted(table["b"].to_pylist(), key=str) == [1, None] and table["a"].to_pylist() == ["x", "x"]
