"""Programs that tests run in an interpreter of their own."""

import subprocess
import sys
import textwrap


def run(code: str, *arguments, timeout: float = 60, check: bool = True, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a program and returns it ended; one that does not end in time fails the test."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], capture_output=True, text=True, timeout=timeout, env=env
    )
    if check:
        assert done.returncode == 0, done.stderr
    return done
