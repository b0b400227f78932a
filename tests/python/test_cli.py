"""The console script `otlp-arrow`."""

from __future__ import annotations

import csv
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import urllib.request

import pytest
from sample_data import gauges, logs, spans

from otlp_arrow_library import OtlpLibrary, _cli


@pytest.fixture
def stored(tmp_path: pathlib.Path) -> str:
    path = tmp_path / "telemetry"
    with OtlpLibrary(output_dir=str(path), write_interval_secs=3600) as library:
        library.export_otlp("traces", spans("shop", 2, customer_tier="gold"))
        library.export_otlp("traces", spans("bank", 1))
        library.export_otlp("metrics", gauges("shop", [20.5]))
        library.export_otlp("logs", logs("shop", ["line\nbreak, \"quoted\""]))
    return str(path)


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "otlp_arrow_library._cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, **options)


def test_query_writes_a_table(stored):
    done = run("query", stored, "SELECT name, service_name AS service FROM traces ORDER BY name")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "name    service",
        "------  -------",
        "bank-0  bank",
        "shop-0  shop",
        "shop-1  shop",
        "(3 rows)",
    ]


def test_query_writes_json_with_nested_values_and_nanoseconds(stored):
    done = run("query", stored, "--format", "json", "SELECT name, attributes, start_time, parent_span_id FROM traces WHERE name = 'shop-1'")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["name"] == "shop-1" and row["attributes"] == {"customer.tier": "gold"} and row["parent_span_id"] is None
    assert row["start_time"].startswith("2024-05-06 07:08:10")


def test_query_writes_csv(stored):
    done = run("query", stored, "--format", "csv", "SELECT body, service_name FROM logs")
    assert list(csv.reader(io.StringIO(done.stdout))) == [["body", "service_name"], ['line\nbreak, "quoted"', "shop"]]


def test_query_writes_to_a_file_whose_suffix_says_the_format(stored, tmp_path):
    done = run("query", stored, "--output", str(tmp_path / "out.json"), "SELECT value_double FROM metrics")
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads((tmp_path / "out.json").read_text()) == [{"value_double": 20.5}]


def test_query_reads_the_sql_from_standard_input(stored):
    assert "(3 rows)" in run("query", stored, input="FROM traces -- all of them").stdout
    assert "(1 row)" in run("query", stored, "-", input="SELECT count(*) FROM traces;").stdout
    assert json.loads(run("query", stored, "--format", "json", input="SELECT 1 AS one; -- done").stdout) == [{"one": 1}]


def test_query_takes_bounds(stored):
    assert "(1 row)" in run("query", stored, "--service", "bank", "FROM traces").stdout
    assert "(3 rows)" in run("query", stored, "--service", "bank", "--service", "shop", "FROM traces").stdout
    assert "(1 row)" in run("query", stored, "--start", "2024-05-06T07:08:10", "FROM traces").stdout
    assert "(0 rows)" in run("query", stored, "--end", "2024-05-06", "FROM traces").stdout


def test_query_includes_the_journal_on_request(tmp_path):
    with OtlpLibrary(output_dir=str(tmp_path), write_interval_secs=3600) as library:
        library.export_otlp("traces", spans("waiting", 2))
        assert "(0 rows)" in run("query", str(tmp_path), "FROM traces").stdout
        assert "(2 rows)" in run("query", str(tmp_path), "--include-journal", "FROM traces").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["missing", "SELECT 1"], 1, "there is no 'missing'"),
        (["STORED", "SELEC 1"], 1, "syntax error"),
        (["STORED", "SELECT nmae FROM traces"], 1, "nmae"),
        (["STORED", "--start", "soon", "SELECT 1"], 2, "start: 'soon' is no time"),
        (["STORED", "  "], 2, "the query is empty"),
        (["STORED", "--format", "xml", "SELECT 1"], 2, "invalid choice: 'xml'"),
        ([], 2, "the following arguments are required: directory"),
        (["STORED", "--output", "/no/such/folder/x.csv", "SELECT 1"], 1, "/no/such/folder/x.csv"),
    ],
)
def test_query_says_what_is_wrong(stored, arguments, code, message):
    done = run("query", *[stored if argument == "STORED" else argument for argument in arguments])
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr and "Traceback" not in done.stderr


def test_query_without_duckdb_says_how_to_install_it(stored, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert _cli.main(["query", stored, "SELECT 1"]) == 1
    assert "pip install duckdb" in capsys.readouterr().err


def test_query_into_a_pipe_that_closes_early(stored):
    program = [sys.executable, "-m", "otlp_arrow_library._cli", "query", stored, "SELECT range FROM range(200000)"]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "range"
    process.stdout.close()
    assert process.wait(timeout=50) == 1
    assert process.stderr.read() == ""
    process.stderr.close()


# --- the program's own commands --------------------------------------------------------------------------------------


def test_help_names_every_command():
    done = run("--help")
    assert done.returncode == 0
    for command in ("serve", "recover", "inspect", "replay", "otlp-arrow query"):
        assert command in done.stdout
    assert run("query", "--help").stdout.startswith("usage: otlp-arrow query")
    assert "--output-dir" in run("serve", "--help").stdout


def test_version_and_wrong_usage():
    assert run("--version").stdout.strip().endswith("0.1.0")
    wrong = run("servee")
    assert wrong.returncode == 2 and wrong.stdout == "" and wrong.stderr


def test_inspect_and_replay(stored):
    report = json.loads(run("inspect", stored, "--json").stdout)
    assert report["signals"]["traces"]["rows"] == 3
    dry = run("replay", stored, "--endpoint", "http://127.0.0.1:9", "--dry-run")
    assert dry.returncode == 0 and "would send 5 items" in dry.stdout


def test_recover(tmp_path):
    assert run("recover", str(tmp_path)).returncode == 0


def test_serve_records_and_ends_with_sigterm(tmp_path):
    program = [sys.executable, "-m", "otlp_arrow_library._cli", "serve", "--output-dir", str(tmp_path / "d")]
    program += ["--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--flight-address", "127.0.0.1:0"]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines = []
        address = None
        while address is None:
            lines.append(process.stderr.readline())
            assert lines[-1], "".join(lines)
            found = re.search(r"OTLP/HTTP\s+(\S+)", lines[-1])
            address = found and found[1]
        url = f"http://{address}/v1/traces"
        request = urllib.request.Request(url, spans("shop", 2), {"Content-Type": "application/x-protobuf"})
        assert urllib.request.urlopen(request, timeout=20).status == 200
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=50)
        assert process.returncode == 0, errors
    finally:
        process.kill()
        process.communicate()
    assert "(2 rows)" in run("query", str(tmp_path / "d"), "FROM traces").stdout


def test_ctrl_c_ends_serve(tmp_path):
    program = [sys.executable, "-m", "otlp_arrow_library._cli", "serve", "--output-dir", str(tmp_path / "d")]
    program += ["--grpc-address", "127.0.0.1:0", "--no-http", "--no-flight"]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline()
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=50)
    assert process.returncode == 0 and "Traceback" not in errors
