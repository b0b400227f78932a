"""The samples of the documents on reading and testing run, and print what they must."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import time

from sample_data import spans

from otlp_arrow_library import OtlpLibrary

SAMPLES = pathlib.Path(__file__).parents[2] / "docs/samples"


def run(folder: pathlib.Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_query(tmp_path):
    now = time.time_ns()
    with OtlpLibrary(output_dir=tmp_path / "telemetry", write_interval_secs=3600) as library:
        library.export_otlp("traces", spans("shop", 2, now, order_id=4711))
        library.export_otlp("traces", spans("bank", 2, now))
        library.flush()
        library.export_otlp("traces", spans("shop", 1, now + 10**9, order_id=4712))
        out = run(tmp_path, str(SAMPLES / "python_query.py"))
    assert out.startswith("3 spans\n") and "2 rows\n1 rows\n" in out
    assert "[('shop-0', '4711'), " in out and "('shop-0', '4712')" in out


def test_mock(tmp_path):
    assert run(tmp_path, str(SAMPLES / "python_mock.py")) == "{'order.id': 4711} 1\n"


def test_pytest_fixtures(tmp_path):
    assert "2 passed" in run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider", str(SAMPLES / "python_pytest.py"), "--rootdir", str(tmp_path))
