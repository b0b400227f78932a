"""Files of src/ring are what docs/formats/mmap.md says: read and written by a model that shares no code with it."""

import json
import os
import pathlib
import re
import struct
import subprocess

from otlp_mmap_model import RingFile, as_double, blob, double, fields, fixed32, fixed64, number, signed

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = pathlib.Path(os.environ.get("OTLP_ARROW_RING_TOOL", ROOT / "build/release/tests/ring_tool"))


def tool(*arguments):
    done = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def table_below(heading):
    """Rows of cells of the first table below a heading of docs/formats/mmap.md."""
    section = (ROOT / "docs/formats/mmap.md").read_text(encoding="utf-8").split(f"\n{heading}\n")[1]
    lines = section[section.index("\n|") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_documented_headers_have_no_gaps():
    for heading, size in (("## Header", 64), ("## Ring", 32), ("## Dictionary", 64)):
        at = 0
        for offset, length, *_ in table_below(heading):
            if at < size:
                assert int(offset) == at, heading
                at += int(length)
        assert at == size, heading


def test_the_documented_extensions_are_those_of_the_code():
    code = (ROOT / "src/ring/messages.h").read_text(encoding="utf-8")
    in_code = re.findall(r"kExt\w+ = (\d+); +// (\w+)", code)
    assert [(number, kind) for number, kind, *_ in table_below("### Extension fields")] == in_code and len(in_code) == 14


def test_a_new_file_has_the_layout_of_the_format(tmp_path):
    tool("write", tmp_path / "ring", 0)
    data = (tmp_path / "ring").read_bytes()
    version, events, spans, measurements, dictionary, time = struct.unpack_from("<6q", data, 0)
    assert version == 1 and time > 1_700_000_000 * 10**9
    ring = 32 + 64 * 4 + 64 * 512
    assert (events, spans, measurements, dictionary) == (64, 64 + ring, 64 + 2 * ring, 64 + 3 * ring)
    for offset in (events, spans, measurements):
        assert struct.unpack_from("<4q", data, offset) == (64, 512, -1, -1)
        assert struct.unpack_from("<64i", data, offset + 32) == (-1,) * 64
    assert struct.unpack_from("<8q", data, dictionary) == (dictionary + 64, 0, 0, 0, 0, 0, 0, 0)
    assert len(data) >= dictionary + 1024


def test_values_larger_than_a_slot_are_cut_for_others_and_whole_in_pieces(tmp_path):
    tool("long", tmp_path / "ring")
    file = RingFile(tmp_path / "ring")
    text = "".join(f"é{i}" for i in range(1000))
    whole = {"text": text, "short": 1, "numbers": [7] * 500, "map": {"inner": text}}

    seen, pieces, told, status = {}, {}, {}, []
    for record in map(fields, file.take("spans")):
        update = fields(record[14][0]) if 14 in record else fields(record[11][0]) if 11 in record else {}
        seen |= file.attributes(update.get(9, []))
        if 1013 in update:
            part = pieces.setdefault(update[1005][0], [])
            part += update[1013]
            if 1006 not in update:
                message = fields(b"".join(part))
                told |= file.attributes(message.get(9, []))
                status += [fields(s)[2][0].decode() for s in message.get(1004, [])]
        if 12 in record:
            end = fields(record[12][0])
            assert end[1014] == [1] and text.startswith(fields(end[15][0])[2][0].decode())
    assert len(pieces) == 4 and told == {name: whole[name] for name in ("text", "numbers", "map")} and status == [text]
    assert seen["short"] == 1 and text.startswith(seen["text"]) and len(seen["text"]) > 50

    parts = [fields(record) for record in file.take("events")]
    assert len({p[1005][0] for p in parts}) == 1 and all(1006 in p for p in parts[:-1]) and 1006 not in parts[-1]
    assert parts[0][2] == [5] and parts[0][1011] == [1] and parts[0][1014] == [1]
    runs = []
    for part in parts:
        if 1013 in part:
            runs[-1] += part[1013][0]
            assert set(part) <= {1005, 1006, 1013}
        else:
            runs.append(b"")
    messages = [fields(run) for run in runs if run]
    assert file.value(messages[0][5][0]) == [7] * 500
    assert file.attributes(messages[1][8]) == {"text": text}
    assert [file.attributes(p[8]) for p in parts if 8 in p and 1014 not in p] == [{"short": 1}]
    file.close()


def numbered_attributes(n):
    return {"text": f"value {n}", "flag": n % 2 == 1, "list": [-n, f"é{n}", None], "map": {"inner": 0.25 * n}, "raw": b"\0\xff"}


def first(attributes, n):
    return dict(list(attributes.items())[:n])


def check_scope(file, ref, n):
    scope = fields(file.entry(ref))
    assert set(scope) == {1, 2, 5}
    assert file.entry(scope[1][0]) == b"scope %d" % n
    assert file.entry(scope[2][0]) == b"1.%d" % n
    resource = fields(file.entry(scope[5][0]))
    assert file.attributes(resource.pop(1)) == {"service.name": f"service {n}"}
    assert resource == {1008: [b"https://schema/%d" % n]}


def check_spans(file, n, start, name, update, link, end):
    ids = {1: [bytes([n + 1]) * 16], 2: [bytes([n + 2]) * 8]}
    for event, field in ((start, 11), (name, 13), (update, 14), (link, 15), (end, 12)):
        check_scope(file, event.pop(20)[0], n)
        content = event.pop(field)[0]
        assert event == ids
        event["content"] = fields(content)
    start, name, update, link, end = (event["content"] for event in (start, name, update, link, end))
    assert file.attributes(start.pop(9)) == numbered_attributes(n)
    expected = {4: [bytes([n + 3]) * 8], 5: [b"span %d" % n], 6: [n % 6], 7: [10**9 + n], 16: [n + 1], 1001: [1], 1002: [b"state=a"]}
    assert start == expected
    assert name == {5: [b"renamed %d" % n]}
    assert file.attributes(update.pop(9)) == first(numbered_attributes(n), 1) and update == {}
    (link,) = map(fields, link.pop(13))
    assert file.attributes(link.pop(4)) == first(numbered_attributes(n), 1)
    assert link == {1: [bytes([n + 1]) * 16], 2: [bytes([n + 3]) * 8], 3: [b"link=1"], 6: [257]}
    assert end.pop(8) == [2 * 10**9 + n]
    assert fields(end.pop(15)[0]) == {2: [b"message %d" % n], 3: [2]} and end == {}


AGGREGATIONS = [
    ("gauge", {1: [b"gauge"], 2: [b"a gauge"], 3: [b"1"], 5: [b""]}),
    ("sum", {1: [b"sum"], 2: [b"a sum"], 3: [b"By"], 6: [number(2, 1) + number(3, 1)]}),
    ("histogram", {1: [b"histogram"], 3: [b"s"], 7: [number(1, 2) + blob(2, struct.pack("<3d", 0, 5, 10.5))]}),
    ("exponential", {1: [b"exponential"], 8: [number(1, 1) + number(2, 160) + number(3, 20)]}),
]


def check_measurement(file, n, measurement):
    metric = fields(file.entry(measurement.pop(1)[0]))
    check_scope(file, metric.pop(4)[0], n)
    assert metric == AGGREGATIONS[n % 4][1]
    assert file.attributes(measurement.pop(2)) == first(numbered_attributes(n), 2)
    assert fields(measurement.pop(6)[0]) == {1: [bytes([n + 2]) * 8], 2: [bytes([n + 1]) * 16], 3: [1]}
    assert measurement.pop(3) == [3 * 10**9 + n]
    if n % 2:
        assert as_double(measurement.pop(5)[0]) == 1.5 * n
    else:
        assert signed(measurement.pop(4)[0]) == -5 * n
    assert measurement == {}


def check_event(file, n, event):
    check_scope(file, event.pop(1)[0], n)
    assert file.value(event.pop(5)[0]) == [-n, f"é{n}", None]
    assert file.entry(event.pop(6)[0]) == b"event %d" % n
    assert fields(event.pop(7)[0]) == {1: [bytes([n + 2]) * 8], 2: [bytes([n + 1]) * 16], 3: [1]}
    assert file.attributes(event.pop(8)) == first(numbered_attributes(n), 1)
    assert event == {2: [4 * 10**9 + n], 4: [b"WARN"]} | ({3: [n % 25]} if n % 25 else {})


def test_the_model_reads_what_the_ring_writes(tmp_path):
    tool("write", tmp_path / "ring", 12)
    file = RingFile(tmp_path / "ring")
    spans = [fields(record) for record in file.take("spans")]
    measurements = [fields(record) for record in file.take("measurements")]
    events = [fields(record) for record in file.take("events")]
    assert (len(spans), len(measurements), len(events)) == (60, 12, 12)
    for n in range(12):
        check_spans(file, n, *spans[5 * n : 5 * n + 5])
        check_measurement(file, n, measurements[n])
        check_event(file, n, events[n])
    file.close()
    assert tool("dump", tmp_path / "ring") == []  # the model has read them


def model_scope(file, n):
    resource = file.add_entry(file.pairs(1, {"service.name": f"other {n}"}))
    return file.add_entry(number(1, file.string("lib")) + number(2, file.string("2.0")) + file.pairs(3, {"s": n}) + number(5, resource))


def shown_scope(n):
    return {"name": "lib", "version": "2.0", "attributes": {"s": n}, "resource": {"service.name": f"other {n}"}, "schema_url": ""}


def write_with_model(file, n):
    """A record of each kind, and how `ring_tool dump` shows them."""
    trace, span, parent = bytes([n]) * 16, bytes([n + 1]) * 8, bytes([n + 2]) * 8
    attributes = {"a": "ä", "b": -n, "c": [True, None, 2.5], "d": {"e": b"\1\2"}}
    shown = {"a": "ä", "b": -n, "c": [True, None, {"double": 2.5}], "d": {"e": {"bytes": "0102"}}}
    scope = model_scope(file, n)
    head = blob(1, trace) + blob(2, span) + number(20, scope)
    shown_head = {"trace_id": trace.hex(), "span_id": span.hex(), "scope": shown_scope(n)}
    context = blob(1, span) + blob(2, trace) + fixed32(3, n)
    shown_context = {"trace_id": trace.hex(), "span_id": span.hex(), "flags": n}
    link = blob(1, trace) + blob(2, parent) + blob(3, "k=v") + file.pairs(4, {"x": 1}) + number(5, 2) + fixed32(6, 1)
    shown_link = {"context": {"trace_id": trace.hex(), "span_id": parent.hex(), "flags": 1}, "trace_state": "k=v", "attributes": {"x": 1}, "dropped": 2}
    start = blob(4, parent) + blob(5, f"op {n}") + number(6, 2) + fixed64(7, 99) + file.pairs(9, attributes) + fixed32(16, 1)
    shown_start = {"parent": parent.hex(), "flags": 1, "name": f"op {n}", "kind": 2, "time": 99, "attributes": shown, "writer": 0}
    expected = []

    def put(ring, message, record):
        expected.append({"ring": ring, "sequence": file.put(ring, message), "record": record})

    put("spans", head + blob(11, start), shown_head | {"start": shown_start})
    put("spans", blob(14, file.pairs(9, attributes)) + head, shown_head | {"attributes": shown})
    put("spans", head + blob(13, blob(5, "new")), shown_head | {"name": "new"})
    put("spans", head + blob(15, blob(13, link) + blob(13, link)), shown_head | {"links": [shown_link, shown_link]})
    put("spans", head + blob(12, fixed64(8, 100) + blob(15, blob(2, "why") + number(3, 1))), shown_head | {"end": {"time": 100, "status": [1, "why"]}})
    unpacked = b"".join(double(2, b) for b in (1.0, 2.0))  # proto3 packs them; readers take both
    metric = file.add_entry(blob(1, "m") + blob(3, "s") + number(4, scope) + blob(7, number(1, 2) + unpacked))
    shown_metric = ["m", "", "s", shown_scope(n), ["histogram", 2, 1.0, 2.0]]
    put(
        "measurements",
        double(5, 0.5) + number(1, metric) + fixed64(3, 7) + blob(6, context) + file.pairs(2, {"k": n}),
        {"metric": shown_metric, "attributes": {"k": n}, "time": 7, "context": shown_context, "double": 0.5},
    )
    interned = number(8, file.string("interned body"))
    put(
        "events",
        number(1, scope) + fixed64(2, 8) + number(3, 17) + blob(4, "ERROR") + blob(5, interned) + number(6, file.string("name")) + blob(7, context),
        {
            "scope": shown_scope(n),
            "time": 8,
            "severity": [17, "ERROR"],
            "body": {"interned": "interned body"},
            "event_name": "name",
            "context": shown_context,
            "attributes": {},
        },
    )
    return expected


def in_order_of_rings(records):
    return sorted(records, key=lambda r: (["events", "spans", "measurements"].index(r["ring"]), r["sequence"]))


def test_the_ring_reads_what_the_model_writes(tmp_path):
    file = RingFile.create(tmp_path / "ring")
    expected = []
    for n in range(1, 4):
        expected += write_with_model(file, n)
    assert tool("dump", tmp_path / "ring") == in_order_of_rings(expected)
    for _ in range(5):  # more laps, and a dictionary that grows
        expected = write_with_model(file, 9) + write_with_model(file, 200)
        assert tool("dump", tmp_path / "ring") == in_order_of_rings(expected)
    file.close()


def test_both_write_into_one_file(tmp_path):
    """A file of others that ours goes on with, and they again."""
    file = RingFile.create(tmp_path / "ring", slots=64)
    expected = write_with_model(file, 1)
    tool("write", tmp_path / "ring", 3)
    file.close()
    file = RingFile(tmp_path / "ring")
    expected += write_with_model(file, 2)
    records = tool("dump", tmp_path / "ring")
    ours = [r for r in records if '"name": "scope ' in json.dumps(r)]
    assert [r for r in records if r not in ours] == in_order_of_rings(expected)
    assert len(ours) == 3 * 7
    assert not any("broken" in json.dumps(r) for r in records)
    file.close()
