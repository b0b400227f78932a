"""A Flask service whose telemetry goes into an OTLP-MMAP file, or to an OTLP endpoint."""
