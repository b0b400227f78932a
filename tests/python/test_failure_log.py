"""How often a failing exporter speaks."""

from __future__ import annotations

import logging


def test_each_kind_once_a_minute_and_the_shutdown_once(caplog):
    from otlp_arrow_library import OtlpExportError, OtlpIOError, OtlpShutdownError
    from otlp_arrow_library._failure_log import FailureLog

    caplog.set_level(logging.ERROR, logger="otlp_arrow_library")
    now = 100.0
    log = FailureLog("Exporter", clock=lambda: now)

    def said() -> list[str]:
        messages = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return messages

    for _ in range(3):
        log.report(OtlpExportError("no room", retryable=True))
        log.report(OtlpIOError("disk full"))
    first, second = said()
    assert "no room" in first and "Exporter" in first and "disk full" in second

    now += 59
    log.report(OtlpIOError("disk full"))
    assert said() == []
    now += 2
    log.report(OtlpIOError("disk still full"))
    [later] = said()
    assert "disk still full" in later and "3 more failed" in later

    for _ in range(3):
        log.report(OtlpShutdownError("it is over"))
        now += 3600
    assert len(said()) == 1
