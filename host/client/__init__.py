"""The host's HTTP API, as the command line and other programs use it."""
