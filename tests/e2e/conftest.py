import pytest

import harness


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
