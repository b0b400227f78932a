"""The documentation's samples run, against data that the service stored, and the documents quote them to the letter."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import pyarrow.dataset as ds
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SAMPLES = ROOT / "docs" / "samples"
BINARY = os.environ.get("OTLP_ARROW_BIN", str(ROOT / "build/release/bin/otlp-arrow"))
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TABLES = {"traces": "spans", "metrics": "metrics", "logs": "logs"}


def run_python(folder, *arguments, **environment):
    command = [sys.executable, "-W", "error::DeprecationWarning", *map(str, arguments)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, env=os.environ | environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


def served_folder(folder, *arguments):
    """A folder in which `otlp-arrow serve` ran, with its defaults but for the ports and `arguments`, while the sending samples did."""
    command = [BINARY, "serve", "--grpc-address", "127.0.0.1:0", "--no-http", "--no-flight", *arguments]
    server = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        address = next(found[1] for line in server.stderr if (found := re.match(r"\s*OTLP/gRPC\s+(\S+)", line)))
        for sample in ("send_telemetry.py", "send_span.py"):
            run_python(folder, SAMPLES / sample, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{address}")
        server.send_signal(signal.SIGTERM)
        errors = server.communicate(timeout=60)[1]
        assert server.returncode == 0, errors
    finally:
        if server.poll() is None:
            server.kill()
            server.communicate()
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return served_folder(tmp_path_factory.mktemp("samples"))


def test_samples_over_parquet(tmp_path):
    printed = run_python(served_folder(tmp_path, "--format", "parquet"), SAMPLES / "parquet_files.py")
    patterns = (r"^POST /orders gold$", r"^\[\('POST /orders',\)", r"│ POST /orders ┆ 503 +│", r"'name': 'cart checked'", r"^4 spans$", r"^POST /orders +4$")
    for pattern in patterns:
        assert re.search(pattern, printed, re.MULTILINE), (pattern, printed)


# What the data of send_telemetry.py (three spans) and send_span.py (one) must make each sample print.
EXPECTED = {
    "query_duckdb.py": r"shop +│ POST /orders +│ +4 │",
    "query_pandas.py": r"shop +POST /orders +4\.0",
    "query_polars.py": r"shop +┆ POST /orders +┆ 4 ",
    "attributes_pyarrow.py": r"^[0-9a-f]{32} POST /orders 503 gold\n\['gold'\]$",
    "attributes_pandas.py": r"POST /orders +gold$",
    "attributes_polars.py": r"│ POST /orders ┆ gold +│",
    "attributes.sql": r"│ POST /orders │ +503 │ gold +│ 1\.2 +│\n└",
    "events.sql": r"(│ POST /orders │ cart checked │ +3 │\n){3}└",
    "histogram.sql": r"│ +3 │ +5\.0 │",
    "logs_of_failed_spans.sql": r"payment service unavailable │ ERROR +│ order failed │ 4711 +│\n└",
}


# Over Arrow Flight, from a server at work.
FLIGHT = {"flight_read.py": r"'name': \[.*'POST /orders'.*'duration_ns'", "flight_put.py": r'^{"batch":0,"accepted":2,"rejected":0}$'}


def test_samples_over_flight(tmp_path):
    command = [BINARY, "serve", "--grpc-address", "127.0.0.1:0", "--flight-address", "127.0.0.1:0", "--no-http"]
    server = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        found = {}
        while len(found) < 2:
            if match := re.match(r"\s*(OTLP/gRPC|Flight)\s+(\S+)", server.stderr.readline()):
                found[match[1]] = match[2]
        run_python(tmp_path, SAMPLES / "send_telemetry.py", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{found['OTLP/gRPC']}")
        for sample, expected in FLIGHT.items():
            printed = run_python(tmp_path, SAMPLES / sample, OTLP_FLIGHT_ADDRESS=found["Flight"])
            assert re.search(expected, printed, re.MULTILINE), printed
    finally:
        server.terminate()
        server.communicate(timeout=60)


def test_every_sample_is_tested():
    others = {"send_telemetry.py", "send_span.py", "duckdb_tables.py", "parquet_files.py", *FLIGHT}  # run by the tests of the rest
    here = {path.name for path in SAMPLES.iterdir() if path.suffix in (".py", ".sql")}
    assert {name for name in here if not name.startswith("python_")} == set(EXPECTED) | others  # those: tests/python/test_python_samples.py


@pytest.mark.parametrize("sample", EXPECTED)
def test_sample_prints_what_was_sent(folder, sample):
    arguments = [SAMPLES / sample] if sample.endswith(".py") else [SAMPLES / "duckdb_tables.py", SAMPLES / sample]
    assert re.search(EXPECTED[sample], run_python(folder, *arguments), re.MULTILINE)


def quotations():
    """(document, sample, text) of each code block that follows a line <!-- sample: NAME -->."""
    for document in DOCUMENTS:
        pattern = r"<!-- sample: (\S+) -->\n```\w*\n(.*?)```"
        for name, text in re.findall(pattern, document.read_text(encoding="utf-8"), re.DOTALL):
            yield pytest.param(name, text, id=f"{document.name}-{name}")


@pytest.mark.parametrize("sample, text", list(quotations()))
def test_documents_quote_the_samples(sample, text):
    folder = ROOT if sample.startswith("examples/") else SAMPLES  # examples: built and run by tests/test_install.py
    assert text == (folder / sample).read_text(encoding="utf-8")


def test_no_code_in_the_documents_is_unchecked():
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        blocks = len(re.findall(r"^```(?:python|sql|cpp)\n", text, re.MULTILINE))
        assert blocks == len(re.findall(r"<!-- sample: \S+ -->\n```(?:python|sql|cpp)\n", text)), document


def named_tests(document):
    """(file, test) of each `file::test` in a document; `::test` is of the file before it. Files without a folder are looked for."""
    file = None
    for name, test in re.findall(r"`((?:[\w./]+[.](?:cc|py))?)::(\w+)`", document.read_text(encoding="utf-8")):
        file = name or file
        yield file, test


@pytest.mark.parametrize("document", ["cpp/contract.md", "python/contract.md", "python/sdk-contract.md"])
def test_contracts_name_tests_that_exist(document):
    named = list(named_tests(ROOT / "docs" / document))
    assert len(named) > 50
    for file, test in named:
        python = ROOT / "tests/python" / file
        found = [ROOT / file] if (ROOT / file).is_file() else [python] if document.startswith("python") and python.is_file() else []
        (path,) = found or [p for folder in ("src", "exporters", "tests") for p in (ROOT / folder).rglob(file)]
        assert re.search(rf"^(TEST(_F|_P)?\(\w+, {test}\)|def {test}\()", path.read_text(encoding="utf-8"), re.MULTILINE), f"{file} has no {test}"


def test_links_between_documents_lead_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            if not target.startswith(("http://", "https://")):
                assert (document.parent / target).exists(), f"{document.name} links to {target}"


def documented_columns(heading):
    """{column: type} of the tables below a heading of docs/formats/tables.md, up to the next one of its level."""
    text = (ROOT / "docs/formats/tables.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]
    rows = re.findall(r"^\| `([^`|]+)` \| `([^`|]+)` \|", section, re.MULTILINE)
    assert len(rows) == len(dict(rows)), f"a column stands twice under {heading}"
    return dict(rows)


def short_type(type_):
    """The way in which the document writes Arrow types."""
    text = str(type_).replace("dictionary<values=string, indices=int32, ordered=0>", "dictionary").replace("item: ", "")
    return re.sub(r"timestamp\[ns\]", "timestamp[ns]", text)


@pytest.mark.parametrize("signal_name", TABLES)
def test_tables_md_lists_every_column_with_its_type(folder, signal_name):
    schema = ds.dataset(folder / "output_dir/otlp" / signal_name, format="arrow").schema
    heading = {"traces": "Traces", "metrics": "Metrics", "logs": "Logs"}[signal_name]
    promoted = documented_columns("Promoted attributes")
    documented = documented_columns(heading) | documented_columns("Resource and scope") | promoted
    assert {f.name: short_type(f.type) for f in schema} == documented
    assert schema.names[-len(promoted):] == list(promoted)


def test_directory_md_names_every_kind_of_file(folder):
    text = (ROOT / "docs/formats/directory.md").read_text(encoding="utf-8")
    name = re.search(r"`(\d{8}T\d{6}Z-[0-9a-f]{12}-\d{10}_\d{10}\.arrow)`", text)[1]
    files = [path for path in (folder / "output_dir").rglob("*") if path.is_file()]
    shape = re.sub(r"[0-9a-f]", "x", name.removesuffix(".arrow"))
    for path in files:
        relative = path.relative_to(folder / "output_dir")
        if relative == pathlib.PurePath("otlp/.lock"):
            assert re.search(r"^ +\.lock +held while", text, re.MULTILINE)
        elif relative.parts[0] == "otlp":
            assert re.sub(r"[0-9a-f]", "x", path.stem) == shape, relative
        else:
            assert relative.parts[0] == "ledger" and (path.suffix == ".json" or path.name == "lock"), relative
    assert {path.parent.name for path in files} == {"otlp", "traces", "metrics", "logs", "ledger"}
