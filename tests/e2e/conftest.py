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
