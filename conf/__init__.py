"""Settings and the config file: what may be written, and what it means."""
