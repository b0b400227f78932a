"""Ring files of programs that have ended, drained by the package's own command."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import stored


def drain(file, directory=None) -> pathlib.Path:
    """Collects what `file` (a ring file, or a directory of them) holds into a store, whose directory is returned."""
    directory = pathlib.Path(directory or f"{file}.collected")
    command = [sys.executable, "-m", "otlp_arrow_library._cli", "collect", "--once", "--input", str(file), "--output-dir", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


def drain_copy(file) -> pathlib.Path:
    """Of a file that this process still has open: the collector waits for whoever has it, and a copy nobody has."""
    copy = pathlib.Path(f"{file}.copy")
    shutil.copy(file, copy)
    return drain(copy)


def names(directory, signal: str = "traces") -> list[str]:
    return stored.names(directory, signal)


def rows(directory, signal: str = "traces") -> list[dict]:
    if not any((pathlib.Path(directory) / "otlp" / signal).glob("*.arrow")):
        return []
    return stored.table(directory, signal).to_pylist()
