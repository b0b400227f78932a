"""`cmake --install`, and projects that know the installed library by find_package(otlp_arrow) alone: static and shared.

OTLP_ARROW_BUILD names the build directory (default build/release).
"""

import os
import pathlib
import re
import shutil
import subprocess

import pyarrow.dataset
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("OTLP_ARROW_BUILD", ROOT / "build/release"))
CORE, SERVICE, EXPORTERS = "libotlp_arrow.so", "libotlp_arrow_service.so", "libotlp_arrow_opentelemetry_exporters.so"
SDK, API_SDK = "libotlp_arrow_sdk.so", "libotlp_arrow_opentelemetry_sdk.so"
KINDS = ["static", "shared"]


def run(*command, **options):
    """What it printed; fails with all of it unless the command ends with 0."""
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def configure(source, build, prefix, *arguments):
    command = ["cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=", *arguments]  # unoptimised: quick
    if shutil.which("ccache"):
        command.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    return run(*command)


def rows(directory, signal="traces"):
    return pyarrow.dataset.dataset(directory / "otlp" / signal, format="arrow").to_table()


@pytest.fixture(scope="session")
def prefix(tmp_path_factory):
    """An installation, elsewhere than where it was installed to first: nothing in it may know its place."""
    if not (BUILD / "lib" / CORE).exists():
        pytest.fail(f"there are no libraries in {BUILD}/lib; build them: cmake --build {BUILD}")
    first = tmp_path_factory.mktemp("first") / "prefix"
    run("cmake", "--install", BUILD, "--prefix", first)
    return pathlib.Path(shutil.move(first, tmp_path_factory.mktemp("moved")))


@pytest.fixture(scope="session", params=KINDS)
def consumer(request, prefix, tmp_path_factory):
    """tests/consumer, built: its directory and kind."""
    build = tmp_path_factory.mktemp(request.param)
    configure(ROOT / "tests/consumer", build, prefix, f"-DKIND={request.param}")
    run("cmake", "--build", build)
    return build, request.param


@pytest.fixture(scope="session", params=KINDS)
def examples(request, prefix, tmp_path_factory):
    build = tmp_path_factory.mktemp(f"examples-{request.param}")
    configure(ROOT / "examples/cpp", build, prefix, f"-DBUILD_SHARED_LIBS={'ON' if request.param == 'shared' else 'OFF'}")
    run("cmake", "--build", build)
    return build


def library_directory(prefix):
    (file,) = prefix.glob(f"lib*/**/{CORE}")
    return file.parent


def needed_by(file):
    return re.findall(r"NEEDED.*\[(.*?)\]", run("readelf", "-d", file))


# --- what is installed ------------------------------------------------------------------------------------------------


def test_everything_is_installed_that_the_documentation_names(prefix):
    libraries = library_directory(prefix)
    for name in (CORE, SERVICE, SDK):
        assert (libraries / name).exists() and (libraries / name).with_suffix(".a").exists()
    assert {p.name for p in (prefix / "include/otlp_arrow").iterdir()} >= {"library.h", "config.h", "status.h", "service.h"}
    assert (prefix / "share/doc/otlp-arrow/LICENSE").exists()
    for program in ("otlp-arrow", "otlp-arrow-service"):
        assert "serve" in run(prefix / "bin" / program, "--help")
    strays = {p.name for p in prefix.iterdir()} - {"bin", "include", libraries.relative_to(prefix).parts[0], "share"}
    assert not strays


def test_what_a_service_needs_is_installed(prefix):
    assert ".SH NAME" in (prefix / "share/man/man1/otlp-arrow.1").read_text()
    assert "u otlp-arrow" in (prefix / "lib/sysusers.d/otlp-arrow.conf").read_text()
    unit = (prefix / "lib/systemd/system/otlp-arrow.service").read_text()
    assert re.search(r"^ExecStart=/\S+/prefix/bin/otlp-arrow serve --config ", unit, re.MULTILINE), unit
    assert "@" not in re.sub("@system-service|@privileged|@resources", "", unit)
    checked = run(prefix / "bin/otlp-arrow", "serve", "--check-config", "--config", prefix / "share/otlp-arrow/otlp-arrow.yaml")
    assert "/var/lib/otlp-arrow" in checked


def test_the_component_program_is_what_runs(tmp_path):
    run("cmake", "--install", BUILD, "--prefix", tmp_path, "--component", "program")
    files = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if not p.is_dir()}
    assert {"bin/otlp-arrow", "bin/otlp-arrow-service", "share/man/man1/otlp-arrow.1", "share/doc/otlp-arrow/LICENSE"} <= files
    assert not [f for f in files if f.endswith((".h", ".a", ".cmake", ".pc")) or "libotlp_arrow" in f]
    assert run(tmp_path / "bin/otlp-arrow", "--version").startswith("otlp-arrow ")


def test_headers_are_installed_with_their_libraries(prefix):
    header = prefix / "include/otlp_arrow/opentelemetry_exporters.h"
    assert header.exists() == (library_directory(prefix) / EXPORTERS).exists()


@pytest.mark.parametrize("library", [CORE, SERVICE, EXPORTERS, SDK, API_SDK])
def test_a_shared_library_shows_its_interface_alone(prefix, library):
    file = library_directory(prefix) / library
    if not file.exists():
        pytest.skip("opentelemetry-cpp was not there when this was built")
    symbols = [line.split(maxsplit=2)[-1] for line in run("nm", "-DC", "--defined-only", file).splitlines()]
    foreign = [s for s in symbols if not re.match(r"(typeinfo (name )?for |vtable for )?otlp_arrow::|OTLP_ARROW_0", s)]
    if library == API_SDK:  # the API's current context, of which a program has one
        foreign = [s for s in foreign if not re.match(r"(guard variable for )?opentelemetry::v\d::context::RuntimeContext::GetStorage\(\)", s)]
    assert not foreign
    private = re.compile(r"otlp_arrow::(platform|Pipeline|Journal|Shard|LibraryImpl|Table|Otlp(Grpc|Http)Server|\(anonymous)")
    assert not [s for s in symbols if private.search(s)]
    if library == SERVICE:  # the core's names belong to the core
        assert not [s for s in symbols if "OtlpLibrary" in s or "otlp_arrow::Config::" in s]


def test_the_sdk_needs_neither_arrow_nor_grpc(prefix):
    needed = needed_by(library_directory(prefix) / SDK)
    assert not [n for n in needed if re.match("libarrow|libotlp_arrow.so|libgrpc|libssl|libzstd|libprotobuf|libopentelemetry", n)], needed


def test_rings_and_recorders_are_in_one_library(prefix):
    shown = run("nm", "-DC", "--defined-only", library_directory(prefix) / CORE)
    assert "otlp_arrow::ring::RingWriter::" not in shown and "otlp_arrow::sdk::Provider" not in shown


def test_the_core_needs_no_grpc(prefix):
    needed = needed_by(library_directory(prefix) / CORE)
    assert not [n for n in needed if re.match("libgrpc|libssl|libyaml|libprotobuf|libopentelemetry", n)], needed


# --- programs that link it --------------------------------------------------------------------------------------------


def test_a_program_records_and_reads_back(consumer, tmp_path):
    build, kind = consumer
    assert run(build / "record", tmp_path / "telemetry").splitlines()[-1] == "done"
    table = rows(tmp_path / "telemetry")
    assert table["name"].to_pylist() == ["consumer"] and table["duration_ns"].to_pylist() == [1000]
    assert (f"{CORE}.0" in " ".join(needed_by(build / "record"))) == (kind == "shared")


@pytest.mark.parametrize("kind", KINDS)
def test_an_instrumented_program_links_the_sdk_alone(prefix, tmp_path, kind):
    configure(ROOT / "tests/consumer/sdk_only", tmp_path / "build", prefix, f"-DKIND={kind}")
    run("cmake", "--build", tmp_path / "build")
    run(tmp_path / "build/instrument", tmp_path / "ring.mmap", env=os.environ | {"LD_LIBRARY_PATH": ""})
    needed = " ".join(needed_by(tmp_path / "build/instrument"))
    assert (f"{SDK}.0" in needed) == (kind == "shared") and "libarrow" not in needed
    run(prefix / "bin/otlp-arrow", "collect", "--once", "--input", tmp_path / "ring.mmap", "--output-dir", tmp_path / "telemetry")
    assert rows(tmp_path / "telemetry").select(["name", "service_name"]).to_pylist() == [{"name": "instrumented", "service_name": "consumer"}]
    assert rows(tmp_path / "telemetry", "metrics")["value_int"].to_pylist() == [1]
    assert rows(tmp_path / "telemetry", "logs")["body"].to_pylist() == ["done"]


def test_sdk_and_core_in_one_program(consumer, tmp_path):
    build, _ = consumer
    run(build / "instrument_library", tmp_path / "telemetry")
    assert rows(tmp_path / "telemetry")["name"].to_pylist() == ["through both"]


def test_a_plugin_is_loaded_and_unloaded(consumer, tmp_path):
    build, _ = consumer
    assert run(build / "plugin_host", build / "plugin.so", tmp_path / "telemetry").splitlines()[-1] == "done"
    assert sorted(rows(tmp_path / "telemetry")["name"].to_pylist()) == ["child", "load 0", "load 1", "load 2"]


def test_a_plugin_shows_nothing_of_a_static_library(consumer):
    build, kind = consumer
    symbols = run("nm", "-DC", "--defined-only", build / "plugin.so")
    assert "Record" in symbols
    if kind == "static":
        assert "otlp_arrow::Pipeline" not in symbols


def test_servers_and_commands_beside_the_library(consumer, tmp_path):
    build, _ = consumer
    assert "traces" in run(build / "mock_server", tmp_path / "telemetry")


# --- the examples -----------------------------------------------------------------------------------------------------


def run_example(examples, name, *arguments, **options):
    if not (examples / name).exists():
        pytest.skip("opentelemetry-cpp was not there when this was built")
    return run(examples / name, *arguments, **options)


def test_every_example_is_built(examples):
    names = {p.stem for p in (ROOT / "examples/cpp").glob("*.cc")}
    built = {p.name for p in examples.iterdir() if p.is_file() and os.access(p, os.X_OK)}
    assert built == names or built == names - {"traced_program", "delta_metrics", "logs", "api_providers"}


def test_quick_start(examples, tmp_path):
    run(examples / "quick_start", cwd=tmp_path)
    assert rows(tmp_path / "telemetry", "logs").select(["body", "service_name"]).to_pylist() == [{"body": "order 4711 is paid", "service_name": "shop"}]


def test_embedded_and_its_backend(examples, tmp_path):
    directory = tmp_path / "telemetry"
    run(examples / "embedded", directory)
    (span,) = rows(directory).to_pylist()
    assert (span["name"], span["kind"], span["status_code"], span["service_name"]) == ("POST /orders", "SERVER", "OK", "shop")
    assert dict(span["attributes"])["order.id"] == "4711" and span["events"][0]["name"] == "cart checked"
    (point,) = rows(directory, "metrics").to_pylist()
    assert (point["metric_name"], point["value_int"], point["aggregation_temporality"]) == ("shop.orders", 1, "CUMULATIVE")
    (record,) = rows(directory, "logs").to_pylist()
    assert (record["body"], record["trace_id"]) == ("order 4711 is paid", span["trace_id"])
    assert span["trace_id"] in run(examples / "mock_backend", directory)


def test_forwarding(examples, tmp_path):
    assert ": 1 sent" in run(examples / "forwarding", tmp_path / "telemetry")
    assert rows(tmp_path / "telemetry")["name"].to_pylist() == ["POST /orders"]


def test_traced_program(examples, tmp_path):
    run_example(examples, "traced_program", tmp_path / "telemetry")
    spans = {span["name"]: span for span in rows(tmp_path / "telemetry").to_pylist()}
    order, card = spans["POST /orders"], spans["charge card"]
    assert card["parent_span_id"] == order["span_id"] and card["trace_id"] == order["trace_id"] and order["parent_span_id"] is None
    assert (card["status_code"], card["status_message"]) == ("ERROR", "the card has expired")
    assert order["service_name"] == "shop" and order["scope_version"] == "1.4.2"


def test_instrumented(prefix, examples, tmp_path):
    run(examples / "instrumented", tmp_path / "ring.mmap")
    run(prefix / "bin/otlp-arrow", "collect", "--once", "--input", tmp_path / "ring.mmap", "--output-dir", tmp_path / "telemetry")
    spans = rows(tmp_path / "telemetry").to_pylist()
    orders = {dict(s["attributes"])["order.id"]: s for s in spans if s["name"] == "POST /orders"}
    charges = {s["parent_span_id"]: s for s in spans if s["name"] == "charge card"}
    assert orders["4710"]["trace_id"] == "0af7651916cd43dd8448eb211c80319c" and orders["4710"]["parent_span_id"] == "b7ad6b7169203331"
    assert charges[orders["4710"]["span_id"]]["status_code"] == "OK"
    failed = charges[orders["4711"]["span_id"]]
    assert (failed["status_code"], failed["status_message"], failed["events"][0]["name"]) == ("ERROR", "the card has expired", "exception")
    points = {p["metric_name"]: p for p in rows(tmp_path / "telemetry", "metrics").to_pylist()}
    assert (points["shop.orders"]["value_int"], points["shop.latency"]["count"], points["shop.stock"]["value_int"]) == (2, 2, 98)
    records = rows(tmp_path / "telemetry", "logs").to_pylist()
    assert {r["span_id"] for r in records} == {s["span_id"] for s in orders.values()}


def test_api_providers(examples, tmp_path):
    run_example(examples, "api_providers", tmp_path / "telemetry")
    spans = {span["name"]: span for span in rows(tmp_path / "telemetry").to_pylist()}
    assert spans["charge card"]["parent_span_id"] == spans["POST /orders"]["span_id"] and spans["charge card"]["status_code"] == "ERROR"
    assert rows(tmp_path / "telemetry", "metrics")["value_int"].to_pylist() == [1]


def test_delta_metrics(examples, tmp_path):
    run_example(examples, "delta_metrics", tmp_path / "telemetry")
    points = [p for p in rows(tmp_path / "telemetry", "metrics").to_pylist() if p["metric_name"] == "shop.orders"]
    assert {p["aggregation_temporality"] for p in points} == {"DELTA"}
    on_demand = [p["value_int"] for p in points if p["scope_name"] == "shop.on_demand"]
    assert on_demand == [5] * 6  # three collections, two ways to pay
    assert sum(p["value_int"] for p in points if p["scope_name"] == "shop.periodic") == 10


def test_logs(examples, tmp_path):
    run_example(examples, "logs", tmp_path / "telemetry")
    records = rows(tmp_path / "telemetry", "logs").to_pylist()
    assert [r["body"] for r in records] == ["the shop is open", "order {id} is late", "the card has expired"]
    assert [r["severity_number"] for r in records] == [9, 13, 17]
    assert dict(records[1]["attributes"])["order.id"] == "4711"


# --- other ways to link -----------------------------------------------------------------------------------------------


def test_pkg_config(prefix, tmp_path):
    environment = os.environ | {"PKG_CONFIG_PATH": str(library_directory(prefix) / "pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "otlp_arrow", env=environment).split()
    run("c++", "-std=c++20", ROOT / "tests/consumer/record.cc", "-o", tmp_path / "record", *flags, f"-Wl,-rpath,{library_directory(prefix)}")
    assert run(tmp_path / "record", tmp_path / "telemetry").splitlines()[-1] == "done"


# --- find_package's errors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_, message",
    [
        ("0.1 REQUIRED COMPONENTS tracing", "it has no component tracing; installed are static, shared, core"),
        ("0.1 REQUIRED COMPONENTS static shared", "the components static and shared exclude each other"),
        ("0.2 REQUIRED", 'compatible with requested version "0.2"'),
    ],
)
def test_a_request_that_cannot_be_met_is_told(prefix, tmp_path, request_, message):
    (tmp_path / "CMakeLists.txt").write_text(f"cmake_minimum_required(VERSION 3.25)\nproject(wrong LANGUAGES CXX)\nfind_package(otlp_arrow {request_})\n")
    with pytest.raises(AssertionError) as failure:
        configure(tmp_path, tmp_path / "build", prefix)
    assert message in re.sub(r"\s+", " ", str(failure.value))


def test_the_kinds_do_not_mix(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(mixed LANGUAGES CXX)\n"
        "find_package(otlp_arrow REQUIRED COMPONENTS shared)\nfind_package(otlp_arrow)\n"
        "if(NOT otlp_arrow_FOUND)\n  message(FATAL_ERROR not again)\nendif()\n"
        "find_package(otlp_arrow REQUIRED COMPONENTS static)\n"
    )
    with pytest.raises(AssertionError, match="(?s)took the other\\s+kind"):
        configure(tmp_path, tmp_path / "build", prefix)
