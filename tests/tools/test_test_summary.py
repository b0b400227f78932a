"""tools/test_summary.py counts what is in the reports and never calls a failure a success."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GTEST = """<testsuites tests="3"><testsuite name="A">
<testcase name="one" status="run"/><testcase name="two" status="run">{inside}</testcase>
<testcase name="three" status="notrun"/></testsuite></testsuites>"""
PYTEST = '<testsuites><testsuite><testcase name="x"/><testcase name="y"><skipped/></testcase></testsuite></testsuites>'


@pytest.fixture
def reports(tmp_path):
    for name, text in {"release/a.xml": GTEST.format(inside=""), "pytest/e2e.xml": PYTEST, "fuzz/scan.passed": ""}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    return tmp_path


def summary(reports, *failed_steps):
    command = [sys.executable, ROOT / "tools/test_summary.py", reports, *failed_steps]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return result.returncode, result.stdout.splitlines()


def test_counts_every_kind(reports):
    code, lines = summary(reports)
    assert code == 0
    assert [line.split(None, 1) for line in lines[:3]] == [
        ["fuzz", "1 passed, 0 failed"],
        ["pytest", "1 passed, 0 failed, 1 skipped"],
        ["release", "2 passed, 0 failed, 1 skipped"],
    ]
    assert lines[-1] == "4 passed, 0 failed, 2 skipped"


def test_a_failed_test_fails(reports):
    (reports / "release/b.xml").write_text(GTEST.format(inside="<failure/>"))
    (reports / "fuzz/decode.failed").touch()
    code, lines = summary(reports, "unit tests", "fuzzers")
    assert code == 1
    assert lines[-1] == "5 passed, 2 failed, 3 skipped"


def test_a_step_that_broke_fails_even_if_no_test_did(reports):
    code, lines = summary(reports, "build")
    assert code == 1
    assert "step failed: build" in lines and lines[-1] == "4 passed, 1 failed, 2 skipped"


def test_a_run_without_tests_fails(tmp_path):
    code, lines = summary(tmp_path)
    assert code == 1
    assert lines[-1] == "0 passed, 0 failed"
