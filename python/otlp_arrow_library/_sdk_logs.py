"""The SDK's names for logs, which changed while logs were becoming stable."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord as ReadableLogRecord
    from opentelemetry.sdk._logs.export import LogRecordExporter as LogRecordExporter
    from opentelemetry.sdk._logs.export import LogRecordExportResult as LogRecordExportResult
else:
    from opentelemetry.sdk._logs import export as _export

    LogRecordExporter = getattr(_export, "LogRecordExporter", None) or _export.LogExporter
    LogRecordExportResult = getattr(_export, "LogRecordExportResult", None) or _export.LogExportResult
