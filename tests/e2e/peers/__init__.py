"""Backends that `otlp-arrow` forwards to: ones that fail as a test tells them to, the real OpenTelemetry Collector, and what they got."""
