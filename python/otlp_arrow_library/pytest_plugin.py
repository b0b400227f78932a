"""A pytest plugin: the telemetry that the code under test sends, as objects and as Arrow. It is loaded by itself where the
package is installed; nothing is imported or started before a test asks for it.

    def test_checkout(otlp_environment, otlp_spans):
        run_checkout()  # exports over OTLP, as the environment says
        assert otlp_spans.one("POST /checkout").attributes["http.response.status_code"] == 200
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ._mock import MockOtlpService, Received
    from ._received import ReceivedLogRecord, ReceivedMetric, ReceivedSpan


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", 'otlp(protocol): what otlp_environment asks exporters to speak: "grpc" (default) or "http"')


@pytest.fixture
def otlp_service() -> Iterator[MockOtlpService]:
    """A MockOtlpService that listens for OTLP over gRPC and HTTP on free ports of this machine during the test."""
    from ._mock import MockOtlpService

    with MockOtlpService() as service:
        yield service


@pytest.fixture
def otlp_environment(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, otlp_service: MockOtlpService
) -> dict[str, str]:
    """Sets the environment variables (OTEL_EXPORTER_OTLP_ENDPOINT, ...) that make exporters send to otlp_service during the
    test, over gRPC or as the marker otlp(protocol=...) says; gives what it has set."""
    marker = request.node.get_closest_marker("otlp")
    protocol = "grpc" if marker is None else (marker.args or [marker.kwargs.get("protocol", "grpc")])[0]
    if protocol not in ("grpc", "http"):
        raise pytest.UsageError(f'the marker otlp: the protocol {protocol!r} is unknown; allowed are "grpc" and "http"')
    variables = otlp_service.environment("http" if protocol == "http" else "grpc")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def otlp_spans(otlp_service: MockOtlpService) -> Received[ReceivedSpan]:
    """The spans that otlp_service has received: a sequence of ReceivedSpan, and an Arrow stream."""
    return otlp_service.spans


@pytest.fixture
def otlp_metrics(otlp_service: MockOtlpService) -> Received[ReceivedMetric]:
    """The metrics that otlp_service has received: a sequence of ReceivedMetric, and an Arrow stream."""
    return otlp_service.metrics


@pytest.fixture
def otlp_logs(otlp_service: MockOtlpService) -> Received[ReceivedLogRecord]:
    """The log records that otlp_service has received: a sequence of ReceivedLogRecord, and an Arrow stream."""
    return otlp_service.logs
