"""`otlp_arrow_library.open`: what is stored, as every Arrow reader takes it."""

from __future__ import annotations

import datetime
import gc
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import threading

import duckdb
import numpy
import pandas
import polars
import pyarrow as pa
import pyarrow.dataset
import pytest
from sample_data import SECOND, START, gauges, logs, spans

import otlp_arrow_library
from otlp_arrow_library import Config, OtlpConfigError, OtlpIOError, OtlpLibrary


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> pathlib.Path:
    """Two files of traces, one of metrics and of logs."""
    path = tmp_path / "telemetry"
    with OtlpLibrary(output_dir=str(path), write_interval_secs=3600) as library:
        library.export_otlp("traces", spans("shop", 3))
        library.flush()
        library.export_otlp("traces", spans("bank", 2, http_route="/pay", customer_tier="gold"))
        library.export_otlp("metrics", gauges("shop", [20.5, 21.5]))
        library.export_otlp("logs", logs("shop", ["hello", "world"]))
    return path


@pytest.fixture
def telemetry(directory: pathlib.Path) -> otlp_arrow_library.StoredTelemetry:
    return otlp_arrow_library.open(directory)


def names(table) -> list[str]:
    return pa.table(table)["name"].to_pylist()


# --- every consumer --------------------------------------------------------------------------------------------------


def test_pyarrow_reads_all_rows_and_columns(telemetry, directory):
    table = pa.table(telemetry.traces())
    stored = pyarrow.dataset.dataset(directory / "otlp" / "traces", format="arrow").to_table()
    assert table.schema.names == stored.schema.names
    assert table.to_pylist() == stored.to_pylist()
    assert table.num_rows == 5 and telemetry.traces().to_pyarrow().equals(table)
    assert pa.table(telemetry.metrics())["value_double"].to_pylist() == [20.5, 21.5]
    assert pa.table(telemetry.logs())["body"].to_pylist() == ["hello", "world"]


def test_pyarrow_reads_batch_by_batch(telemetry):
    with pa.RecordBatchReader.from_stream(telemetry.traces()) as reader:
        assert [batch.num_rows for batch in reader] == [3, 2]


def test_polars(telemetry):
    frame = polars.DataFrame(telemetry.traces(columns=["name", "service_name", "start_time", "attributes"]))
    assert frame["name"].to_list() == ["shop-0", "shop-1", "shop-2", "bank-0", "bank-1"]
    assert frame.schema["start_time"] == polars.Datetime("ns")
    assert frame.filter(polars.col("service_name") == "bank").height == 2
    assert telemetry.metrics().to_polars()["value_double"].to_list() == [20.5, 21.5]
    # All columns, nested ones included.
    assert telemetry.traces().to_polars().height == 5


def test_pandas(telemetry):
    frame = telemetry.traces().to_pandas()
    assert list(frame["name"]) == ["shop-0", "shop-1", "shop-2", "bank-0", "bank-1"]
    assert frame["start_time"].iloc[1] == pandas.Timestamp("2024-05-06T07:08:10")
    assert dict(frame["attributes"].iloc[4])["customer.tier"] == "gold"
    if hasattr(pandas.DataFrame, "from_arrow"):
        assert list(pandas.DataFrame.from_arrow(telemetry.logs(columns=["body"]))["body"]) == ["hello", "world"]


def test_duckdb_takes_a_table_as_it_is(telemetry):
    slow = telemetry.traces(service="shop")
    assert duckdb.sql("SELECT count(*), min(name) FROM slow").fetchall() == [(3, "shop-0")]
    assert slow.count() == 3


def test_a_table_can_be_read_again_and_sees_what_came_meanwhile(tmp_path):
    with OtlpLibrary(output_dir=str(tmp_path), write_interval_secs=3600) as library:
        library.export_otlp("logs", logs("a", ["one"]))
        library.flush()
        table = otlp_arrow_library.open(tmp_path).logs(columns=["body"])
        assert pa.table(table).num_rows == 1
        library.export_otlp("logs", logs("a", ["two"]))
        library.flush()
        assert pa.table(table)["body"].to_pylist() == ["one", "two"]


def test_the_schema_is_known_without_reading(telemetry):
    table = telemetry.traces(columns=["start_time", "http.route"])
    assert pa.schema(table).names == table.columns == ["start_time", "http.route"]
    assert telemetry.traces().columns[:2] == ["trace_id", "span_id"]


def test_a_capsule_that_nobody_takes_is_released(telemetry):
    for _ in range(3):
        assert telemetry.traces().__arrow_c_stream__() is not None


# --- what is asked for -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [
        START + SECOND,
        "2024-05-06T07:08:10Z",
        "2024-05-06 07:08:10",
        "2024-05-06T09:08:10+02:00",
        "2024-05-06T07:08:09.000000001Z",
        datetime.datetime(2024, 5, 6, 7, 8, 10),
        datetime.datetime(2024, 5, 6, 9, 8, 10, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
        pandas.Timestamp(START + 1, unit="ns"),
        numpy.datetime64(START + 1, "ns"),
    ],
)
def test_start_takes_every_form_of_a_time(telemetry, start):
    assert names(telemetry.traces(start=start, service="shop")) == ["shop-1", "shop-2"]


def test_start_is_included_and_end_is_not(telemetry):
    assert names(telemetry.traces(start=START, end=START + SECOND)) == ["shop-0", "bank-0"]
    assert telemetry.traces(start=START, end=START + SECOND).count() == 2
    assert telemetry.traces(start=datetime.date(2024, 5, 7)).count() == 0
    assert telemetry.logs(start=START + SECOND).count() == 1  # by their observed time
    assert telemetry.metrics(end="2024-05-06").count() == 0


def test_services(telemetry):
    assert names(telemetry.traces(service="bank")) == ["bank-0", "bank-1"]
    assert telemetry.traces(service=["bank", "shop"]).count() == 5
    assert telemetry.traces(service="nobody").count() == 0
    assert pa.table(telemetry.traces(service="nobody")).schema.names[0] == "trace_id"


def test_columns_come_in_the_order_asked_for(telemetry):
    assert pa.table(telemetry.traces(columns=["name", "trace_id"])).schema.names == ["name", "trace_id"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 1.5}, "start: 1.5 is no time; allowed are a datetime"),
        ({"end": True}, "end: True is no time"),
        ({"end": "yesterday"}, "end: 'yesterday' is no time"),
        ({"start": 2**63}, "is out of range; allowed are times from 1678 to 2262"),
        ({"service": 5}, "service: 5 is no list of names"),
        ({"service": []}, "service: [] asks for no service"),
        ({"service": ["a", None]}, "service: None is no text"),
        ({"columns": "name"}, "columns: 'name' is no list of names; write ['name'] for one"),
        ({"columns": []}, "columns: [] asks for no column"),
    ],
)
def test_arguments_that_cannot_be(telemetry, arguments, message):
    with pytest.raises(OtlpConfigError) as caught:
        telemetry.traces(**arguments)
    assert message in caught.value.message


def test_an_unknown_column_is_named_with_those_there_are(telemetry):
    with pytest.raises(OtlpConfigError, match=r"no column 'nmae' in traces; its columns are trace_id, .*http\.route"):
        telemetry.traces(columns=["nmae"]).count()


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(OtlpIOError, match="there is no '.*missing'"):
        otlp_arrow_library.open(tmp_path / "missing")


def test_a_directory_of_any_name(tmp_path):
    directory = os.path.join(os.fsencode(tmp_path), b"\xff\xfe")
    with OtlpLibrary(output_dir=os.fsdecode(directory)) as library:
        library.export_otlp("logs", logs("a", ["one"]))
    assert otlp_arrow_library.open(os.fsdecode(directory)).logs().count() == 1
    with pytest.raises(OtlpIOError, match="there is no"):
        otlp_arrow_library.open(os.fsdecode(directory + b"x"))
    with pytest.raises(OtlpConfigError, match="path: 5 is no path"):
        otlp_arrow_library.open(5)


def test_an_empty_directory_has_empty_tables(tmp_path):
    telemetry = otlp_arrow_library.open(tmp_path)
    assert telemetry.traces().count() == 0
    assert "http.route" in telemetry.traces().columns
    assert telemetry.sql("SELECT count(*) FROM logs").fetchall() == [(0,)]


def test_a_damaged_file_is_named(telemetry, directory):
    bad = directory / "otlp" / "logs" / "20240506T070809Z-0f1e2d3c4b5a-0000000001_0000000001.arrow"
    bad.write_bytes(b"no Arrow")
    with pytest.raises(pa.ArrowInvalid, match=bad.name):
        pa.table(telemetry.logs())


def test_files_with_other_promoted_attributes_are_one_table(tmp_path):
    for promoted in (["customer.tier"], ["size:int64"], []):
        config = Config(output_dir=str(tmp_path), promote_attributes=promoted)
        with OtlpLibrary(config) as library:
            library.export_otlp("traces", spans("a", 1, customer_tier="gold", size=7))
    rows = pa.table(otlp_arrow_library.open(tmp_path).traces(columns=["customer.tier", "size"])).to_pylist()
    assert sorted(rows, key=str) == sorted(
        [{"customer.tier": "gold", "size": None}, {"customer.tier": None, "size": 7}, {"customer.tier": None, "size": None}], key=str
    )


def test_a_file_that_is_deleted_before_its_turn_is_read_as_it_was_listed(telemetry, directory):
    with pa.RecordBatchReader.from_stream(telemetry.traces()) as reader:
        assert reader.read_next_batch().num_rows == 3
        for path in sorted((directory / "otlp" / "traces").iterdir())[1:]:
            path.unlink()
        assert reader.read_next_batch().num_rows == 2
        with pytest.raises(StopIteration):
            reader.read_next_batch()
    assert telemetry.traces().count() == 3


def test_threads_read_at_once(telemetry):
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(pa.table(telemetry.traces()).num_rows)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [5] * 8


# --- rows in journals ------------------------------------------------------------------------------------------------


def test_rows_of_a_writer_at_work_come_on_request(tmp_path):
    with OtlpLibrary(output_dir=str(tmp_path), write_interval_secs=3600) as library:
        library.export_otlp("traces", spans("stored", 1))
        library.flush()
        library.export_otlp("traces", spans("waiting", 2))
        telemetry = otlp_arrow_library.open(tmp_path)
        assert names(telemetry.traces()) == ["stored-0"]
        assert names(telemetry.traces(include_journal=True)) == ["stored-0", "waiting-0", "waiting-1"]
        assert telemetry.traces(include_journal=True, service="waiting").count() == 2
        library.flush()
        assert telemetry.traces(include_journal=True).count() == 3
    assert telemetry.traces(include_journal=True).count() == 3


def test_rows_of_a_killed_writer_come_on_request(tmp_path):
    program = f"""
        import os, signal, sys
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from sample_data import logs
        from otlp_arrow_library import OtlpLibrary
        library = OtlpLibrary(output_dir={str(tmp_path)!r}, write_interval_secs=3600)
        library.export_otlp("logs", logs("gone", ["last words"]))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(program)]).returncode == -signal.SIGKILL
    telemetry = otlp_arrow_library.open(tmp_path)
    assert telemetry.logs().count() == 0
    assert pa.table(telemetry.logs(include_journal=True))["body"].to_pylist() == ["last words"]
    # The next writer adopts it; the row is there once.
    with OtlpLibrary(output_dir=str(tmp_path)):
        assert telemetry.logs(include_journal=True).count() == 1
    assert telemetry.logs().count() == 1


# --- SQL -------------------------------------------------------------------------------------------------------------


def test_sql_on_the_three_views(telemetry):
    rows = telemetry.sql("SELECT service_name, count(*) AS n FROM traces GROUP BY ALL ORDER BY n DESC").fetchall()
    assert rows == [("shop", 3), ("bank", 2)]
    assert telemetry.sql("SELECT max(value_double) FROM metrics").fetchall() == [(21.5,)]
    assert telemetry.sql("SELECT body FROM logs WHERE body LIKE 'w%'").df()["body"].tolist() == ["world"]


def test_sql_joins_attributes_and_nested_columns(telemetry):
    query = """
        SELECT t.name, l.body, len(t.events) AS events FROM traces t JOIN logs l ON t.start_time = l.observed_time
        WHERE t.service_name = 'shop' ORDER BY ALL
    """
    assert telemetry.sql(query).fetchall() == [("shop-0", "hello", 0), ("shop-1", "world", 0)]
    assert telemetry.sql("SELECT event.name FROM traces, unnest(events) AS e(event)").fetchall() == []
    tiers = telemetry.sql("SELECT DISTINCT attributes['customer.tier'], \"http.route\" FROM traces WHERE service_name = 'bank'")
    assert tiers.fetchall() == [("gold", "/pay")]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM traces",
        "FROM traces",
        "SELECT t FROM traces t",
        "SELECT traces.* FROM traces",
        "SELECT a.name FROM traces a NATURAL JOIN traces b",
        "SELECT COLUMNS('name') FROM traces",
        "WITH t AS (SELECT * FROM traces) SELECT name FROM t",
        "SELECT count(*) FROM Traces",
        "SELECT NAME FROM traces WHERE Service_Name = 'shop'",
        "SUMMARIZE traces",
        "SELECT b FROM traces AS t(a, b)",
    ],
)
def test_sql_reads_the_same_whatever_columns_it_decides_on(telemetry, directory, query):
    connection = duckdb.connect()
    connection.register("traces", pyarrow.dataset.dataset(directory / "otlp" / "traces", format="arrow").to_table())
    found, expected = telemetry.sql(query).fetchall(), connection.sql(query).fetchall()
    assert sorted(map(str, found)) == sorted(map(str, expected))


def test_sql_reads_only_the_columns_it_speaks_of(telemetry, monkeypatch):
    from otlp_arrow_library import _sql

    asked: list[list[str] | None] = []

    def table(signal, columns):
        asked.append(columns)
        return telemetry.traces(columns=columns)

    assert _sql.run("SELECT name FROM traces WHERE duration_ns > 1", None, table).fetchall()
    assert asked == [None, ["name", "duration_ns"]]


def test_a_relation_keeps_what_it_reads_from(directory):
    relation = otlp_arrow_library.open(directory).sql("SELECT name FROM traces ORDER BY name LIMIT 1")
    gc.collect()
    assert relation.fetchall() == [("bank-0",)]


def test_sql_takes_parameters_and_bounds(telemetry):
    query = "SELECT count(*) FROM traces WHERE name = ?"
    assert telemetry.sql(query, ["shop-0"]).fetchall() == [(1,)]
    assert telemetry.sql(query, ["shop-0"], start=START + 1).fetchall() == [(0,)]
    assert telemetry.sql("SELECT count(*) FROM traces", service="bank").fetchall() == [(2,)]
    with pytest.raises(OtlpConfigError, match="start: 'x' is no time"):
        telemetry.sql("SELECT 1", start="x")


def test_sql_includes_the_journal_on_request(tmp_path):
    with OtlpLibrary(output_dir=str(tmp_path), write_interval_secs=3600) as library:
        library.export_otlp("logs", logs("a", ["one", "two"]))
        telemetry = otlp_arrow_library.open(tmp_path)
        assert telemetry.sql("SELECT count(*) FROM logs").fetchall() == [(0,)]
        assert telemetry.sql("SELECT count(*) FROM logs", include_journal=True).fetchall() == [(2,)]


def test_what_is_wrong_with_a_query_is_told_by_duckdb(telemetry):
    with pytest.raises(duckdb.BinderException, match="(?s)nmae.*name"):
        telemetry.sql("SELECT nmae FROM traces")
    with pytest.raises(duckdb.ParserException):
        telemetry.sql("SELEC 1")


def test_sql_without_duckdb_says_how_to_install_it(telemetry, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ModuleNotFoundError, match="pip install duckdb"):
        telemetry.sql("SELECT 1")


def test_reading_needs_no_pyarrow(directory):
    program = f"""
        import sys
        for name in ("pyarrow", "pandas", "polars", "numpy"):
            sys.modules[name] = None
        import otlp_arrow_library
        telemetry = otlp_arrow_library.open({str(directory)!r})
        assert telemetry.traces().count() == 5
        print(telemetry.sql("SELECT name, attributes['customer.tier'] FROM traces WHERE service_name = 'bank' ORDER BY 1").fetchall())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    assert done.stdout == "[('bank-0', 'gold'), ('bank-1', 'gold')]\n", done.stderr
