"""The package and the examples are clean under mypy --strict and pyright."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES = sorted(str(path) for path in (ROOT / "docs/samples").glob("python_*.py"))


@pytest.fixture
def package():
    import built_package

    return built_package.PACKAGE


def check(*command, cwd) -> None:
    done = subprocess.run([sys.executable, "-m", *map(str, command)], capture_output=True, text=True, cwd=cwd, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy(package):
    # The stubs stand in the built package alone.
    cache = ["--config-file", ROOT / "pyproject.toml", "--cache-dir", ROOT / "build/mypy"]
    check("mypy", *cache, "-p", "otlp_arrow_library", cwd=package)
    assert EXAMPLES
    for example in EXAMPLES:  # each is a program of its own
        check("mypy", *cache, example, cwd=package)


def test_pyright(package, tmp_path):
    # The package's files are links into the sources; pyright looks for the stubs beside what they lead to.
    copy = tmp_path / "otlp_arrow_library"
    copy.mkdir()
    source = package / "otlp_arrow_library"
    for file in source.rglob("*"):
        if file.suffix in (".py", ".pyi") or file.name == "py.typed":
            place = copy / file.relative_to(source)
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(file.read_bytes())
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    check("pyright", "--pythonpath", sys.executable, "otlp_arrow_library", *EXAMPLES, cwd=tmp_path)


def test_wrong_types_are_found(package, tmp_path):
    """The types say something: what is wrong in a program is reported, at each of its lines."""
    program = tmp_path / "program.py"
    program.write_text(
        "from otlp_arrow_library import Config, ConfigBuilder, OtlpLibrary\n"
        "config: Config = ConfigBuilder().write_interval_secs(1).build()\n"
        "library: OtlpLibrary = OtlpLibrary.with_config_builder().output_dir('x').build()\n"
        "library.export_otlp('traces', b'')\n"
        "Config(output_dir=1)\n"
        "ConfigBuilder().write_interval_secs('soon')\n"
        "wrong: OtlpLibrary = ConfigBuilder().build()\n"
        "library.flush(timeout='soon')\n"
        "library.export_otlp('traces', 'text')\n"
        "library.stats().traces.storedd\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(ROOT / "build/mypy"), str(program)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "MYPYPATH": str(package)}, timeout=240)
    lines = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line and "program.py" in line}
    assert lines == {5, 6, 7, 8, 9, 10}, done.stdout
