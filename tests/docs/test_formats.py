"""docs/formats/journal.md and docs/performance.md say what is true."""

import re
import subprocess

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from test_samples import BINARY, ROOT, SAMPLES, run_python

JOURNAL = (ROOT / "docs/formats/journal.md").read_text(encoding="utf-8")


def fields(heading):
    """{first words of the field: (offset, bytes)} of a table below a heading of journal.md."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", JOURNAL, re.MULTILINE | re.DOTALL)[1]
    rows = re.findall(r"^\| (\d+) \| (\d+) \| ([^|]+?) \|$", section, re.MULTILINE)
    return [(int(offset), int(size), text) for offset, size, text in rows]


@pytest.fixture(scope="module")
def segment(tmp_path_factory):
    """The bytes of the one journal segment in use after a killed service took the span of send_span.py twice."""
    folder = tmp_path_factory.mktemp("journal")
    command = [BINARY, "serve", "--grpc-address", "127.0.0.1:0", "--no-http", "--no-flight", "--write-interval-secs", "3600"]
    server = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        address = next(found[1] for line in server.stderr if (found := re.match(r"\s*OTLP/gRPC\s+(\S+)", line)))
        for _ in range(2):
            run_python(folder, SAMPLES / "send_span.py", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{address}")
    finally:
        server.kill()
        server.communicate()
    segments = [path.read_bytes() for path in (folder / "output_dir/journal").glob("*/0000000001.journal")]
    return next(bytes_ for bytes_ in segments if len(bytes_) > 64)


@pytest.mark.parametrize("heading", ["Segment header", "Record header"])
def test_headers_have_64_bytes_without_gaps(heading):
    at = 0
    for offset, size, _ in fields(heading):
        assert offset == at
        at += size
    assert at == 64


def value(header, heading, start_of_text):
    (found,) = [(offset, size) for offset, size, text in fields(heading) if text.startswith(start_of_text)]
    return int.from_bytes(header[found[0] : found[0] + found[1]], "little")


def test_segment_reads_as_documented(segment):
    assert segment[:8] == b"OTLPJRN1"
    assert value(segment, "Segment header", "number") == 1
    assert value(segment, "Segment header", "sequence number") == 1
    at = 64
    for sequence in (1, 2):
        header = segment[at : at + 64]
        assert header[:4] == b"OTRD"
        assert value(header, "Record header", "signal") == 0
        assert value(header, "Record header", "sequence number") == sequence
        assert value(header, "Record header", "valid items") == 1
        assert value(header, "Record header", "invalid items") == 0
        size = value(header, "Record header", "size")
        request = ExportTraceServiceRequest.FromString(segment[at + 64 : at + 64 + size])
        assert request.resource_spans[0].scope_spans[0].spans[0].name == "POST /orders"
        padding = -size % 8
        assert segment[at + 64 + size : at + 64 + size + padding] == bytes(padding)
        at += 64 + size + padding
    assert at == len(segment)


def test_performance_md_lists_every_benchmark():
    text = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))
    there = {path.stem for path in (ROOT / "benchmarks").glob("*_benchmark.cc")}
    assert listed == there | {path.name for path in (ROOT / "benchmarks").glob("*_benchmark.py")}


def test_development_md_lists_every_fuzzer():
    text = (ROOT / "docs/development.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+_fuzzer)` \|", text, re.MULTILINE)) == {path.stem for path in (ROOT / "src").rglob("*_fuzzer.cc")}
