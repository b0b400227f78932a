"""The samples of the documents that use the library run, and print what they must."""

import pathlib
import subprocess
import sys

import stored

SAMPLES = pathlib.Path(__file__).parents[2] / "docs/samples"


def run(name: str, folder) -> str:
    done = subprocess.run([sys.executable, SAMPLES / name], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_record_and_read(tmp_path):
    assert run("python_record.py", tmp_path) == ""
    assert stored.names(tmp_path / "telemetry") == ["POST /orders"]
    assert "POST /orders" in run("python_read.py", tmp_path)


def test_asyncio(tmp_path):
    out = run("python_asyncio.py", tmp_path)
    assert out == "SignalStats(received=1, stored=1, in_flight=0, expired=0, refused={}, invalid={})\n"
    assert stored.names(tmp_path / "telemetry") == ["job"]
