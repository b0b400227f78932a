"""The package as the build left it: build/release/python, or the directory that OTLP_ARROW_PYTHON names."""

import os
import pathlib

PACKAGE = pathlib.Path(os.environ.get("OTLP_ARROW_PYTHON", pathlib.Path(__file__).parents[2] / "build/release/python")).resolve()
