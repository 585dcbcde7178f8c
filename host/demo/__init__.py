"""The demo: a host, a broker, a fake sensor and the sample packages, with nothing to set up."""
