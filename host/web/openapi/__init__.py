"""The OpenAPI document of the host's HTTP API: tables of operations and shapes, and what joins them."""
