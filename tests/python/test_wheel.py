"""The wheel that is given away (tools/build_wheel.sh): in an empty environment, and beside other versions of what it brings.

`OTLP_ARROW_WHEEL` names the wheel; without it these tests are left out, since making one takes a while.
"""

import os
import pathlib
import subprocess
import sys
import zipfile

import pytest

WHEEL = os.environ.get("OTLP_ARROW_WHEEL", "")
pytestmark = pytest.mark.skipif(not WHEEL, reason="OTLP_ARROW_WHEEL names no wheel")

# Others than those that the wheel was made with, none of which it needs.
OTHERS = ["pyarrow>=24", "grpcio<1.75", "protobuf<6"]

RECORD = """
import sys, otlp_arrow_library
directory = sys.argv[1]
with otlp_arrow_library.OtlpLibrary(output_dir=directory) as library:
    library.export_traces([{"name": f"span {i}", "trace_id": b"t" * 16, "span_id": b"%08d" % (i + 1)} for i in range(100)])
    library.export_logs([{"body": "a log record"}])
    library.flush()
    assert library.stats().traces.stored == 100, library.stats()
"""

SERVE = """
service = otlp_arrow_library.MockOtlpService()
service.start()
service.stop()
"""

READ = """
import pyarrow as pa
table = pa.table(otlp_arrow_library.open(directory).traces())
assert table.num_rows == 100, table
assert sorted(table["name"].to_pylist())[:2] == ["span 0", "span 1"]
"""

USE_OTHERS = """
import grpc, pyarrow, pyarrow.compute, pyarrow.dataset
from concurrent.futures import ThreadPoolExecutor
from google.protobuf import struct_pb2
message = struct_pb2.Struct()
message.update({"a": [1, "b"]})
assert struct_pb2.Struct.FromString(message.SerializeToString()) == message
assert pyarrow.compute.sum(pyarrow.array([1, 2, 3])).as_py() == 6
server = grpc.server(ThreadPoolExecutor(1))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
grpc.channel_ready_future(grpc.insecure_channel(f"127.0.0.1:{port}")).result(30)
server.stop(None).wait()
"""


@pytest.fixture(scope="session")
def environments(tmp_path_factory):
    return tmp_path_factory.mktemp("environments")


def make_environment(place: pathlib.Path, *packages: str) -> pathlib.Path:
    """A virtual environment with the wheel; the path of its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = place / "bin/python"
    if packages:
        pip(python, "--only-binary", ":all:", *packages)
    pip(python, "--no-deps", "--no-index", WHEEL)
    return python


def pip(python: pathlib.Path, *arguments: str) -> None:
    env = {"CXX": "c++", "CCACHE_NOHASHDIR": "1"} | os.environ  # as tools/build_wheel.sh, where something is compiled
    env.pop("PYTHONPATH", None)  # the package there counts as installed
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments], check=True, timeout=600, env=env)


def run(python: pathlib.Path, code: str, *arguments) -> str:
    """Runs a program that sees nothing but its environment."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LD_LIBRARY_PATH")}
    env["GRPC_VERBOSITY"] = "NONE"  # the other gRPC tells of its connections' ends
    done = subprocess.run([python, "-I", "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="session")
def empty(environments):
    return make_environment(environments / "empty")


@pytest.fixture(scope="session")
def beside_others(environments):
    return make_environment(environments / "others", *OTHERS)


def test_it_needs_nothing_but_the_system(empty, directory):
    run(empty, RECORD + SERVE, directory)
    packages = run(empty, "import importlib.metadata as m; print(*(d.name for d in m.distributions()))").split()
    assert set(packages) - {"pip", "setuptools"} == {"otlp-arrow-library"}


def test_nothing_of_the_build_is_named_in_it(empty):
    maps = run(empty, "import otlp_arrow_library, otlp_arrow_library._service\nprint(open('/proc/self/maps').read())")
    loaded = {line.split()[-1] for line in maps.splitlines() if ".so" in line}
    ours = {name for name in loaded if "libarrow" in name or "grpc" in name or "spdlog" in name}
    assert len(ours) >= 3
    assert all(name.startswith(str(empty.parents[1])) for name in ours), ours


@pytest.mark.parametrize("before", [True, False])
def test_other_versions_beside_it(beside_others, directory, before):
    parts = [USE_OTHERS, RECORD + SERVE] if before else [RECORD + SERVE, USE_OTHERS]
    # Each once more when all are loaded.
    run(beside_others, "\n".join([*parts, READ, USE_OTHERS, "with otlp_arrow_library.OtlpLibrary(output_dir=directory): pass"]), directory)


def test_a_plain_installation_brings_arrow_along(tmp_path, directory):
    """`pip install .`, from what tools/build_wheel.sh has compiled."""
    root = pathlib.Path(__file__).parents[2]
    pip(pathlib.Path(sys.executable), "--no-deps", "--no-build-isolation", "--target", str(tmp_path / "site"), str(root))
    begin = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})"
    maps = run(pathlib.Path(sys.executable), f"{begin}{RECORD}\nprint(open('/proc/self/maps').read())", directory)
    assert f"{tmp_path}/site/otlp_arrow_library/_lib/libarrow.so" in maps


def test_only_the_modules_init_functions_are_visible(tmp_path):
    with zipfile.ZipFile(WHEEL) as wheel:
        modules = [name for name in wheel.namelist() if name.startswith("otlp_arrow_library/") and name.endswith(".so")]
        wheel.extractall(tmp_path, modules)
    assert len(modules) == 2
    for name in modules:
        symbols = subprocess.run(["nm", "--dynamic", "--defined-only", tmp_path / name], capture_output=True, text=True, check=True).stdout
        assert [line.split()[-1] for line in symbols.splitlines()] == [f"PyInit_{pathlib.Path(name).name.split('.')[0]}"]


def test_it_brings_its_types_and_its_licence():
    with zipfile.ZipFile(WHEEL) as wheel:
        names = wheel.namelist()
    for wanted in ("py.typed", "_native.pyi", "_service.pyi", "__init__.py"):
        assert f"otlp_arrow_library/{wanted}" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any(name.startswith("otlp_arrow_library/_lib/") for name in names)
    assert "manylinux" in pathlib.Path(WHEEL).name
