"""The HTTP side of the host: one port, the API, and invocations in plain ASGI."""
