import pathlib
import struct
import subprocess

import harness
import pytest
from peers.certificates import Authority
from peers.grpc_peer import GrpcPeer
from peers.http_peer import HttpPeer


def pytest_report_header(config):
    return f"otlp-arrow: {harness.BINARY}"


@pytest.fixture(scope="session", autouse=True)
def binary():
    if not harness.BINARY.exists():
        pytest.exit(f"there is no program at {harness.BINARY}; build it, or name it in OTLP_ARROW_BIN", returncode=2)


@pytest.fixture
def serve():
    """Starts servers; what a test leaves running is killed after it."""
    servers = []

    def start(*arguments, **options):
        servers.append(harness.Server(*arguments, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "telemetry"


@pytest.fixture(params=["grpc", "http"])
def protocol(request):
    return request.param


@pytest.fixture
def start_peer():
    """Starts backends that fail on demand."""
    peers = []

    def start(protocol, **options):
        peers.append({"grpc": GrpcPeer, "http": HttpPeer}[protocol](**options))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()
        assert not peer.got.surprises, peer.got.surprises[:3]


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Signs the certificates of the tests."""
    return Authority(tmp_path_factory.mktemp("certificates"))


class ShiftedClock:
    """A wall clock that tests set, of the processes that get its environment; never ahead of the kernel's, which is not moved: threads that
    wait by that for a time read here would wait for as long."""

    def __init__(self, library, file):
        self.file, self.environment = file, {"LD_PRELOAD": library, "CLOCK_SHIFT": file}

    def set(self, seconds):
        """In place, for the process has the file mapped."""
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("q", seconds))


@pytest.fixture(scope="session")
def clock_shift_library(tmp_path_factory):
    library = tmp_path_factory.mktemp("clock") / "clock_shift.so"
    source = pathlib.Path(__file__).parent / "peers/clock_shift.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.fixture
def clock(clock_shift_library, tmp_path):
    return ShiftedClock(clock_shift_library, tmp_path / "shift")
