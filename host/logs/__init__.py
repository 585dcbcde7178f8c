"""The host's own log and the functions' logs."""
