"""Prometheus's text format, read strictly: what a scraper might shrug off is an AssertionError here."""

import math
import re

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'


def parse(text):
    """{(name, (label, value), …): value} with labels in order of their names."""
    assert text.endswith("\n"), "the last line has no end"
    types, values, closed, family = {}, {}, set(), None
    for line in text.splitlines():
        if found := re.fullmatch(rf"# HELP ({_NAME}) (.*)", line):
            assert found[1] not in types, f"{found[1]}: HELP comes late or twice"
        elif found := re.fullmatch(rf"# TYPE ({_NAME}) (counter|gauge|histogram)", line):
            assert found[1] not in types, f"{found[1]} has two types"
            closed.add(family)
            family = found[1]
            types[family] = found[2]
            assert (found[2] == "counter") == family.endswith("_total"), f"{family}: counters alone end with _total"
        else:
            key, value = _sample(line)
            assert _family(key[0], types) == family, f"{line}: not of the family above it"
            assert key not in values, f"{line}: twice"
            values[key] = value
    for name, kind in types.items():
        if kind == "histogram":
            _check_histogram(name, values)
        if kind == "counter":
            assert all(value >= 0 for key, value in values.items() if key[0] == name), name
    return values


def _sample(line):
    found = re.fullmatch(rf"({_NAME})(?:\{{((?:{_LABEL},?)*)\}})? (\S+)", line)
    assert found, f"no sample: {line!r}"
    labels = re.findall(_LABEL, found[2] or "")
    assert ",".join(f'{name}="{value}"' for name, value in labels) == (found[2] or ""), line
    assert len({name for name, _ in labels}) == len(labels), f"a label twice: {line}"
    text = found[found.re.groups]
    assert re.fullmatch(r"[+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|Inf)|NaN", text), f"no number: {line}"
    return (found[1], *sorted(labels)), float(text)


def _family(name, types):
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    return base if types.get(base) == "histogram" else name


def _check_histogram(name, values):
    series = {}
    for (metric, *labels), value in values.items():
        if metric == f"{name}_bucket":
            bound = math.inf if dict(labels)["le"] == "+Inf" else float(dict(labels)["le"])
            series.setdefault(tuple(label for label in labels if label[0] != "le"), []).append((bound, value))
    for labels, buckets in series.items():
        assert buckets == sorted(buckets) and [v for _, v in buckets] == sorted(v for _, v in buckets), f"{name}: buckets are not cumulative"
        assert buckets[-1][0] == math.inf and values[f"{name}_count", *labels] == buckets[-1][1], f"{name}: the count is not that of the last bucket"
        assert (f"{name}_sum", *labels) in values, name
