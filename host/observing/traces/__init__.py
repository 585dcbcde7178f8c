"""Traces: what becomes of an event as spans for OpenTelemetry, made where the config names an endpoint."""
