"""The native conversion against the SDK's own encoder (opentelemetry-exporter-otlp-proto-common), message by message."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from random_sdk import SdkRandom

SEEDS = range(60)


@pytest.fixture(autouse=True)
def quiet_sdk(caplog):
    """The SDK warns of every attribute that it drops, and these tests make it drop many."""
    caplog.set_level(logging.ERROR)


def assert_same(ours: bytes, theirs: Any) -> None:
    message = type(theirs)()
    message.ParseFromString(ours)
    assert message == theirs


@pytest.mark.parametrize("seed", SEEDS)
def test_spans_are_encoded_as_the_sdk_does(seed):
    from otlp_arrow_library import _native

    make = SdkRandom(seed)
    spans = make.some(make.span, 60)
    assert_same(_native.encode_spans(spans), encode_spans(spans))


@pytest.mark.parametrize("seed", SEEDS)
def test_logs_are_encoded_as_the_sdk_does(seed):
    from otlp_arrow_library import _native

    make = SdkRandom(seed)
    records = make.some(make.log_record, 60)
    assert_same(_native.encode_logs(records), encode_logs(records))


@pytest.mark.parametrize("seed", SEEDS)
def test_metrics_are_encoded_as_the_sdk_does(seed):
    from otlp_arrow_library import _native

    metrics = SdkRandom(seed).metrics_data()
    assert_same(_native.encode_metrics(metrics), encode_metrics(metrics))
