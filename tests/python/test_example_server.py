"""The example server: installed, run, asked, killed; its spans are found in the file, or at the endpoint. Its Dockerfiles are sound."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import built_package
import pytest

import otlp_arrow_library
from otlp_arrow_library import MockOtlpService

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/otlp-mmap-example-server"
BINARY = pathlib.Path(os.environ.get("OTLP_ARROW_BIN", ROOT / "build/release/bin/otlp-arrow")).absolute()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The example as pip installs it."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, folder / "source")
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--target", folder / "site"]
    done = subprocess.run([*command, folder / "source"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "site/bin/otlp-mmap-example-server").is_file()
    return folder / "site"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return answer.read().decode()


@contextlib.contextmanager
def server(site, tmp_path, *command, port, **variables):
    """Started, answering; in the end killed with all that it has started."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SDK_", "HTTP_", "OTLP_"))}
    environment |= {"PYTHONPATH": os.pathsep.join([str(site), str(built_package.PACKAGE)]), "HTTP_ENDPOINT_PORT": str(port), **variables}
    log = tmp_path / "server.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(list(map(str, command)), env=environment, stdout=out, stderr=out, start_new_session=True)
    try:
        deadline = time.monotonic() + 40
        while True:
            try:
                get(port, "/")
                break
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


def collected(*files):
    directory = files[0].parent / "collected"
    inputs = [argument for file in files for argument in ("--input", file)]
    command = [BINARY, "collect", "--once", *inputs, "--output-dir", directory]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTLP_")}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return otlp_arrow_library.open(directory)


def rows_of(signal) -> list[dict]:
    return signal.to_pyarrow().to_pylist()


def check_metrics_and_logs(store, players) -> None:
    rolls = [row for row in rows_of(store.metrics()) if row["metric_name"] == "dice.rolls"]
    assert sum(row["value_int"] for row in rolls) == len(players)
    assert {row["unit"] for row in rolls} == {"{roll}"}
    spans = {row["span_id"]: row["name"] for row in rows_of(store.traces())}
    records = [row for row in rows_of(store.logs()) if row["body"].endswith(tuple(f"rolled {n}" for n in range(1, 7)))]
    assert {row["body"].split()[0] for row in records} == set(players)
    assert {spans[row["span_id"]] for row in records} == {"roll"} and {row["severity_text"] for row in records} == {"INFO"}


def check_rolls(rows, players) -> None:
    """Each request has its server span and, below it, the roll with its attributes and event."""
    servers = {row["span_id"]: row for row in rows if row["name"].startswith("GET /rolldice")}
    rolls = {dict(row["attributes"])["dice.player"]: row for row in rows if row["name"] == "roll"}
    assert set(rolls) == set(players)
    for row in rolls.values():
        parent = servers[row["parent_span_id"]]
        assert parent["trace_id"] == row["trace_id"] and "server" in str(parent["kind"]).lower()
        status = dict(parent["attributes"])
        assert status.get("http.status_code", status.get("http.response.status_code")) == "200"
        (event,) = row["events"]
        assert event["name"] == "rolled" and dict(event["attributes"])["value"] == dict(row["attributes"])["dice.value"]
        assert row["service_name"] == "otlp-mmap-example-server" and row["scope_name"] == "otlp_mmap_example_server"


def test_the_server_records_into_the_file(installed, tmp_path):
    file, port = tmp_path / "dice.mmap", free_port()
    script = installed / "bin/otlp-mmap-example-server"
    players = [f"p{n}" for n in range(5)]
    with server(installed, tmp_path, sys.executable, script, port=port, SDK_MMAP_EXPORTER_FILE=str(file)) as process:
        for player in players:
            assert json.loads(get(port, f"/rolldice/{player}"))["player"] == player
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            get(port, "/crash")
        assert process.wait(20) == 70
    store = collected(file)
    rows = rows_of(store.traces())
    check_rolls(rows, players)
    check_metrics_and_logs(store, players)
    (crashed,) = [row for row in rows if row["name"] == "GET /crash"]
    assert dict(crashed["attributes"])["otlp_arrow.incomplete"] == "true"


def test_gunicorn_with_two_workers(installed, tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{port}", "otlp_mmap_example_server.app:create_app()"]
    players = [f"p{n}" for n in range(20)]
    with server(installed, tmp_path, *command, port=port, SDK_MMAP_EXPORTER_FILE=str(tmp_path / "dice-{pid}.mmap")) as process:
        deadline = time.monotonic() + 40
        while len(files := sorted(tmp_path.glob("dice-*.mmap"))) < 2:
            assert process.poll() is None and time.monotonic() < deadline, "one of the workers did not start"
            time.sleep(0.02)
        for player in players:
            get(port, f"/rolldice/{player}")
        os.killpg(process.pid, signal.SIGKILL)
    store = collected(*files)
    check_rolls(rows_of(store.traces()), players)
    check_metrics_and_logs(store, players)


def test_the_standard_exporter(installed, tmp_path):
    port = free_port()
    with MockOtlpService() as mock:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": mock.grpc_endpoint, "OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_BLRP_SCHEDULE_DELAY": "100",
                     "OTEL_METRIC_EXPORT_INTERVAL": "500"}
        with server(installed, tmp_path, sys.executable, "-m", "otlp_mmap_example_server.app", port=port, **variables):
            get(port, "/rolldice/ada")
            mock.wait_for(lambda received: "roll" in received.spans.names, timeout=30)
            mock.wait_for(lambda received: "dice.rolls" in received.metrics.names, timeout=30)
            mock.wait_for(lambda received: any("rolled" in str(body) for body in received.logs.names), timeout=30)


@pytest.mark.parametrize("port", ["", "http", "0", "65536"])
def test_a_wrong_port_is_said(installed, port):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), str(built_package.PACKAGE)]), "HTTP_ENDPOINT_PORT": port}
    done = subprocess.run([sys.executable, installed / "bin/otlp-mmap-example-server"], capture_output=True, text=True, env=environment, timeout=30)
    assert done.returncode == 1 and f"HTTP_ENDPOINT_PORT is '{port}', and must be a port" in done.stderr


# --- the Dockerfiles ---

DOCKERFILES = [ROOT / "python/Dockerfile", EXAMPLE / "Dockerfile"]
INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "EXPOSE", "CMD"}


def instructions(text: str) -> list[tuple[str, str]]:
    lines = re.sub(r"\\\n", " ", text).splitlines()
    split = [line.split(None, 1) for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [(name, rest) for name, rest in split]


def problems(text: str) -> list[str]:
    """What is wrong with a Dockerfile whose context is the root of the project."""
    found, stages, everything, commands = [], [], False, 0
    parsed = instructions(text)
    if parsed[0][0] != "FROM":
        found.append("does not begin with FROM")
    for name, rest in parsed:
        if name not in INSTRUCTIONS:
            found.append(f"unknown instruction {name}")
        elif name == "FROM":
            image, *alias = rest.split()
            if ":" not in image or image.endswith(":latest"):
                found.append(f"{image} names no version")
            stages += alias[1:]
        elif name == "COPY":
            *sources, _ = shlex.split(rest)
            if sources[0].startswith("--from="):
                if sources[0].removeprefix("--from=") not in stages:
                    found.append(f"no such stage: {sources[0]}")
                continue
            everything |= sources == ["."]
            found += [f"no such file: {source}" for source in sources if not (ROOT / source).exists()]
        elif name == "RUN":
            program = shlex.split(rest)[0]
            if program.startswith("tools/") and not os.access(ROOT / program, os.X_OK):
                found.append(f"no such program: {program}")
        elif name == "CMD":
            commands += 1
            if not isinstance(json.loads(rest), list):
                found.append("CMD is no list")
    if commands != 1:
        found.append(f"{commands} CMD")
    return found


@pytest.mark.parametrize("path", DOCKERFILES, ids=["development", "example"])
def test_dockerfiles(path):
    text = path.read_text()
    assert problems(text) == []
    # The same steps as `make`: what is installed and built is said in one place.
    assert {shlex.split(rest)[0] for name, rest in instructions(text) if name == "RUN"} <= {"tools/setup.sh", "tools/build_wheel.sh", "pip"}


def test_the_dockerfile_of_the_example_starts_its_script():
    assert instructions((EXAMPLE / "Dockerfile").read_text())[-1] == ("CMD", '["otlp-mmap-example-server"]')
    assert 'otlp-mmap-example-server = "otlp_mmap_example_server.app:main"' in (EXAMPLE / "pyproject.toml").read_text()


def test_wrong_dockerfiles_are_found():
    text = "FROM debian\nCOPY nowhere /a\nRUN tools/nothing.sh\nCOPY --from=other /a /b\nADD a b\n"
    assert problems(text) == [
        "debian names no version", "no such file: nowhere", "no such program: tools/nothing.sh", "no such stage: --from=other", "unknown instruction ADD", "0 CMD",
    ]


def test_what_the_documents_run_is_there():
    text = (EXAMPLE / "README.md").read_text()
    files = re.findall(r"docker build -f (\S+)", text)
    assert len(files) == 2 and all((ROOT / file).is_file() for file in files)
