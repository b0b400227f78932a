"""Tests of the package as the build left it."""

import os
import pathlib
import sys

import pytest

from built_package import PACKAGE

sys.path.insert(0, str(PACKAGE))
os.environ["PYTHONPATH"] = os.pathsep.join([str(PACKAGE), str(pathlib.Path(__file__).parent)])  # of programs that tests start
for variable in [name for name in os.environ if name.startswith("OTLP_") and not name.startswith("OTLP_ARROW_")]:
    del os.environ[variable]  # the settings of whoever runs the tests


def pytest_report_header(config):
    return f"otlp_arrow_library: {PACKAGE}"


@pytest.fixture(scope="session", autouse=True)
def package():
    if not (PACKAGE / "otlp_arrow_library").is_dir():
        pytest.exit(f"there is no package below {PACKAGE}; build it, or name its place in OTLP_ARROW_PYTHON", returncode=2)


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "telemetry"


@pytest.fixture
def library(directory):
    """A library that writes nothing of itself during a test."""
    from otlp_arrow_library import OtlpLibrary

    with OtlpLibrary(output_dir=directory, write_interval_secs=3600) as made:
        yield made
