"""Resources: what the environment and the detectors say, what wins, what is taken in place of ours."""

from __future__ import annotations

import logging
import os
import pickle
import uuid

import programs
import pytest
from opentelemetry.sdk.resources import Resource as StockResource
from collecting import collect, in_child, pairs
from otlp_arrow_library.sdk import MeterProvider, TracerProvider
from otlp_arrow_library.sdk._resource import Resource, as_resource

VARIABLES = ("OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME", "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    return monkeypatch


class Hostile:
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


def test_the_same_keys_as_the_stock_sdk(environment):
    environment.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=1.2,deployment.environment.name=on%20stage")
    environment.setenv("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "process,os,host")
    ours, stock = Resource.create({"a": 1}).attributes, StockResource.create({"a": 1}).attributes
    assert set(ours) == set(stock)
    of_the_sdk = {"telemetry.sdk.name", "telemetry.sdk.version", "service.instance.id"}
    assert {key: value for key, value in ours.items() if key not in of_the_sdk} == {key: value for key, value in stock.items() if key not in of_the_sdk}
    assert ours["telemetry.sdk.name"] == "otlp_arrow_library" and ours["telemetry.sdk.language"] == "python"


def test_code_wins_over_environment_wins_over_detectors(environment):
    environment.setenv("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "process")
    environment.setenv("OTEL_RESOURCE_ATTRIBUTES", "process.pid=environment,shop=environment,service.name=attributes")
    environment.setenv("OTEL_SERVICE_NAME", "variable")
    attributes = Resource.create({"shop": "code"}).attributes
    assert attributes["process.pid"] == "environment" and attributes["shop"] == "code" and attributes["service.name"] == "variable"
    assert Resource.create({"service.name": "code"}).attributes["service.name"] == "code"


def test_there_is_always_a_service_name(environment):
    assert Resource.create().attributes["service.name"] == "unknown_service:" + os.path.basename(os.sys.executable)
    assert Resource.create({"service.name": ""}).attributes["service.name"].startswith("unknown_service")


def test_the_instance_is_the_processs_own():
    mine = Resource.create().attributes["service.instance.id"]
    assert Resource.create().attributes["service.instance.id"] == mine == str(uuid.UUID(mine))
    assert Resource.create({"service.instance.id": "one"}).attributes["service.instance.id"] == "one"
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, Resource.create().attributes["service.instance.id"].encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 100).decode() not in ("", mine)


def test_malformed_variables_are_told_and_left_out(environment, caplog):
    environment.setenv("OTEL_RESOURCE_ATTRIBUTES", "good=1,bad,=empty,,also=2=3")
    environment.setenv("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "no_such_detector")
    with caplog.at_level(logging.WARNING, "otlp_arrow_library.sdk"):
        attributes = Resource.create().attributes
    assert attributes["good"] == "1" and attributes["also"] == "2=3" and "" not in attributes and "bad" not in attributes
    assert "'bad'" in caplog.text and "'=empty'" in caplog.text and "no_such_detector" in caplog.text


def test_a_detector_of_another_package(tmp_path):
    """One that works, one that raises, and one that never comes back: the program starts all the same."""
    (tmp_path / "shop_detectors.py").write_text(
        "import threading\nfrom opentelemetry.sdk.resources import Resource, ResourceDetector\n"
        "class Good(ResourceDetector):\n    def detect(self): return Resource({'shelf': 7})\n"
        "class Bad(ResourceDetector):\n    def detect(self): raise RuntimeError('no shelf')\n"
        "class Slow(ResourceDetector):\n    def detect(self): threading.Event().wait()\n"
    )
    info = tmp_path / "shop_detectors-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-detectors\nVersion: 1.0\n")
    entries = "\n".join(f"{name.lower()} = shop_detectors:{name}" for name in ("Good", "Bad", "Slow"))
    (info / "entry_points.txt").write_text(f"[opentelemetry_resource_detector]\n{entries}\n")
    done = programs.run(
        """
        import sys; sys.path.insert(0, sys.argv[1])
        from otlp_arrow_library.sdk import _resource_detectors
        _resource_detectors._PATIENCE_SECS = 0.2
        from otlp_arrow_library.sdk._resource import Resource
        print(Resource.create().attributes["shelf"])
        """,
        tmp_path,
        env={**os.environ, "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "good,bad,slow"},
    )
    assert done.stdout == "7\n" and "no shelf" in done.stderr and "0.2 s" in done.stderr


def test_merging(caplog):
    one, two = Resource({"a": 1, "b": 1}, "https://one"), Resource({"b": 2})
    assert one.merge(two) == Resource({"a": 1, "b": 2}, "https://one") == two.merge(Resource({"a": 1, "b": 2}, "https://one"))
    assert one.merge(Resource({"c": 3}, "https://two")) is one and "https://two" in caplog.text
    assert one.merge(StockResource({"b": 3})).attributes["b"] == 3


def test_what_is_taken_for_a_resource(environment):
    environment.setenv("OTEL_SERVICE_NAME", "shop")
    own = Resource({"a": 1})
    assert as_resource(own) is own
    assert as_resource(StockResource({"a": 1}, "https://one")) == Resource({"a": 1}, "https://one")
    assert as_resource(None).attributes["service.name"] == as_resource({"a": 1}).attributes["service.name"] == "shop"
    with pytest.raises(TypeError, match="resource is of type int; give a Resource"):
        as_resource(7)


def test_resources_do_not_change():
    given = {"list": [1, 2], "map": {"inner": [3]}}
    resource = Resource(given)
    given["list"].append(3)
    given["map"]["inner"].append(4)
    assert dict(resource.attributes) == {"list": (1, 2), "map": {"inner": (3,)}}
    with pytest.raises(TypeError):
        resource.attributes["new"] = 1
    assert hash(resource) == hash(Resource({"list": [1, 2], "map": {"inner": [3]}})) and pickle.loads(pickle.dumps(resource)) == resource
    assert '"inner"' in resource.to_json() and "inner" in repr(resource)


def test_hostile_attributes(caplog):
    deep: list[object] = []
    deep.append(deep)
    resource = Resource({"bad": Hostile(), 7: "key", "": "empty", "deep": deep, "bytes": b"\xff", "none": None, "flag": True})
    assert resource.attributes["bad"] == "<Hostile: reading raised ValueError>"
    assert set(resource.attributes) == {"bad", "deep", "bytes", "none", "flag"} and resource.attributes["flag"] is True
    assert "type int" in caplog.text and "nested too deep" in repr(resource)


# --- forks ---


def records_in_a_child(path, resource) -> None:
    tracers, meters = TracerProvider(mmap_file=path, resource=resource), MeterProvider(mmap_file=path, resource=resource)
    tracer, counter = tracers.get_tracer("t"), meters.get_meter("m").create_counter("forks")
    tracer.start_span("parent").end()
    counter.add(1)
    child = os.fork()
    if child == 0:
        try:
            tracer.start_span("child").end()
            counter.add(1)
            told = tracers.resource.attributes == meters.resource.attributes and tracers.resource.attributes.get("process.pid") in (None, os.getpid())
        finally:
            os._exit(0 if told else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("name", ["shop.mmap", "shop-{pid}.mmap"])
def test_a_forked_child_is_an_instance_of_its_own(tmp_path, monkeypatch, name):
    monkeypatch.setenv("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "process")
    folder = tmp_path / "rings"
    folder.mkdir()
    in_child(records_in_a_child, folder / name, {"service.name": "shop"})
    store = collect(folder, tmp_path / "collected")
    spans = {row["name"]: pairs(row["resource_attributes"]) for row in store.traces().to_pyarrow().to_pylist()}
    assert spans["parent"]["service.instance.id"] != spans["child"]["service.instance.id"]
    assert spans["parent"]["process.pid"] != spans["child"]["process.pid"]
    assert {span["service.name"] for span in spans.values()} == {"shop"}
    counted = {pairs(row["resource_attributes"])["process.pid"]: row["value_int"] for row in store.metrics().to_pyarrow().to_pylist()}
    assert counted == {spans["parent"]["process.pid"]: 1, spans["child"]["process.pid"]: 1}


def test_a_forked_child_keeps_what_was_given(tmp_path):
    path = tmp_path / "shop.mmap"
    in_child(records_in_a_child, path, Resource({"service.instance.id": "the one"}))
    rows = collect(path).traces().to_pyarrow().to_pylist()
    assert [pairs(row["resource_attributes"]) for row in rows] == [{"service.instance.id": "the one"}] * 2
